"""How a walk test looks while it goes on, and what it came to."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from gatehouse.cli.figures import NONE, listed
from gatehouse.texts import N_, _

_NARROW: Final = 76
"""Columns below which each button has lines of its own instead of a row."""
_WORD: Final = 12
"""Columns of the longest word of a state."""
_STAGES: Final = {
    "stored": N_("stored"),
    "sent": N_("sent"),
    "received": N_("received"),
    "acknowledged": N_("acknowledged"),
}
_RESULTS: Final = {
    "OK": ("green", N_("well")),
    "NOT WALKED": ("yellow", N_("not walked")),
}

Row = Mapping[str, Any]


def passed(rows: Sequence[Row]) -> bool:
    """Whether all was walked, and the district has it."""
    return bool(rows) and all(row.get("result") == "OK" for row in rows)


def summary(rows: Sequence[Row]) -> str:
    """Say what the walk came to."""
    from rich.markup import escape  # noqa: PLC0415  # not needed for --json, which must be quick

    if passed(rows):
        said = _("walk test passed: {count} buttons").format(count=len(rows))
        return f"[bold green]{said}[/]"
    names = listed(str(row.get("name")) for row in rows if row.get("result") != "OK") or NONE
    said = _("walk test not passed: {names}").format(names=names)
    return f"[bold red]{escape(said)}[/]"


def lines_of(
    rows: Sequence[Row],
    width: int,
    places: Mapping[str, str],
    latching: Collection[str],
    *,
    over: bool = False,
) -> Any:  # noqa: ANN401  # rich's renderables share no class
    """Lay the buttons out for so many columns; when it is over, with their results.

    ``places`` are the buttons' locations, ``latching`` those to be turned back with a key.
    """
    states = [_result(row) if over else _state(row, latching) for row in rows]
    lay_out = _blocks if width < _NARROW else _table
    return lay_out(list(zip(rows, states, strict=True)), places)


def _table(rows: list[tuple[Row, str]], places: Mapping[str, str]) -> Any:  # noqa: ANN401  # as above
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(_("button"), overflow="fold")
    table.add_column(_("state"), overflow="fold", min_width=_WORD)
    for title in _STAGES.values():
        table.add_column(_(title), justify="right", no_wrap=True)
    for row, state in rows:
        name = str(row.get("name"))
        figures = (_took(row.get(f"{stage}_ms")) for stage in _STAGES)
        place = places.get(name, "")
        who = escape(name) + (f"\n[dim]{escape(place)}[/]" if place else "")
        table.add_row(who, state, *figures)
    return table


def _blocks(rows: list[tuple[Row, str]], places: Mapping[str, str]) -> str:
    from rich.markup import escape  # noqa: PLC0415

    lines = []
    for row, state in rows:
        name = str(row.get("name"))
        place = places.get(name, "")
        lines.append(f"[bold]{escape(name)}[/]" + (f"  {escape(place)}" if place else ""))
        lines.append(f"  {state}")
        figures = [
            f"{_(title)} {_took(row[f'{stage}_ms'])}"
            for stage, title in _STAGES.items()
            if row.get(f"{stage}_ms") is not None
        ]
        lines += [f"  [dim]{each}[/]" for each in _pairs(figures)]
    return "\n".join(lines)


def _pairs(figures: list[str]) -> list[str]:
    return ["  ".join(figures[at : at + 2]) for at in range(0, len(figures), 2)]


def _state(row: Row, latching: Collection[str]) -> str:
    """Say how far a button is, and what is to be done at it."""
    reached = [stage for stage in _STAGES if row.get(f"{stage}_ms") is not None]
    if row.get("result") == "NOT WALKED":
        return "[bold yellow]" + _("press it") + "[/]"
    if row.get("alarm") is None and row.get("line_open"):
        return "[red]" + _("open (cut wire)") + "[/]"
    if not reached:
        return "[red]" + _("pressed") + "[/]"
    colour = "green" if row.get("result") == "OK" else "red"
    said = f"[{colour}]{_(_STAGES[reached[-1]])}[/]"
    if row.get("line") == "active" and row.get("name") in latching:
        said += "[bold yellow]" + _("; turn it back with its key") + "[/]"
    return said


def _result(row: Row) -> str:
    from rich.markup import escape  # noqa: PLC0415

    result = str(row.get("result"))
    colour, word = _RESULTS.get(result, ("red", result))
    if result == "FAIL":
        cut = row.get("alarm") is None and row.get("line_open")
        word = N_("failed: open (cut wire)") if cut else N_("failed: the district does not have it")
    return f"[{colour}]{escape(_(word))}[/]"


def _took(value: Any) -> str:  # noqa: ANN401  # what stands in a document
    """Say how long a stage took: ms, or s where a person was asked."""
    if not isinstance(value, int | float):
        return NONE
    if value < 1000:
        return _("{n} ms").format(n=f"{value:.1f}" if value < 10 else f"{value:.0f}")
    return _("{n} s").format(n=f"{value / 1000:.1f}")
