"""How evidence looks on a screen."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from gatehouse.cli.figures import NONE, moment
from gatehouse.evidence import words
from gatehouse.evidence.manifest import Lacking
from gatehouse.evidence.page_figures import after, size
from gatehouse.texts import N_, _

_NARROW: Final = 76
"""Columns below which each bundle has lines of its own instead of a row."""
_ENDING: Final = 6
"""So many characters of an alarm's id tell it from others; a timeline prints them too."""
_STATES: Final = {
    "ready": ("green", N_("complete")),
    "gathering": ("yellow", N_("not complete yet")),
    "damaged": ("red", N_("damaged")),
}

_CONTROLS: Final = dict.fromkeys([*range(32), *range(127, 160)], "\ufffd")

Json = dict[str, Any]


def _plain(text: str) -> str:
    """Return a stranger's text: no markup, and nothing that moves the cursor."""
    from rich.markup import escape  # noqa: PLC0415  # not needed for --json, which must be quick

    return escape(text.translate(_CONTROLS))


def table(document: Json, width: int) -> Any:  # noqa: ANN401  # rich's renderables share no class
    """Lay out ``evidence list`` for so many columns."""
    from rich.console import Group  # noqa: PLC0415  # not needed for --json, which must be quick

    rows = document["bundles"]
    if not rows:
        return _("no evidence")
    if width < _NARROW:
        return Group(*(_short(each) for each in rows), *_damages(rows))
    return Group(_rows(rows), *_damages(rows))


def _rows(rows: list[Json]) -> Any:  # noqa: ANN401  # as above
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(_("alarm"), no_wrap=True)
    table.add_column(_("pressed (UTC)"), no_wrap=True)
    table.add_column(_("button"), overflow="fold", min_width=6)
    for title in (_("cameras"), _("pictures"), _("clips"), _("space")):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column(_("state"), overflow="fold")
    for each in rows:
        table.add_row(
            each["alarm"][-_ENDING:],
            _when(each["time"])[:16],
            _plain(each["button"] or NONE),
            str(len(each["cameras"])),
            str(each["pictures"]),
            str(each["clips"]),
            size(each["bytes"]),
            "\n".join((_state(each), *_lacks(each))),
        )
    return table


def _short(each: Json) -> str:
    """Return the lines of one bundle on a narrow screen."""
    figures = [
        _("pictures: {n}").format(n=each["pictures"]),
        _("recordings: {n}").format(n=each["clips"]),
        size(each["bytes"]),
    ]
    name = _plain(each["button"] or NONE)
    return (
        f"[bold]{each['alarm'][-_ENDING:]}[/]  {name}  {_when(each['time'])}\n"
        f"  {'  '.join((_state(each), *_lacks(each)))}\n  {'  '.join(figures)}"
    )


def _damages(rows: list[Json]) -> Iterator[str]:
    for each in rows:
        if each["damage"]:
            yield f"[red]{_plain(each['alarm'])}: {_plain(each['damage'])}[/]"


def _state(each: Json) -> str:
    """Say whether it is whole, and whether it is held."""
    colour, word = _STATES.get(each["state"], ("red", each["state"]))
    if each["state"] == "ready":
        if each["released"] is None:
            return f"[green]{_('held')}[/]"
        return "[dim]" + _("released by {name}").format(name=_plain(each["released"]["by"])) + "[/]"
    return f"[{colour}]{_plain(_(word))}[/]"


def _lacks(each: Json) -> tuple[str, ...]:
    if not each["lacking"]:
        return ()
    return ("[red]" + _("lacking: {what}").format(what=each["lacking"]) + "[/]",)


def _when(text: object) -> str:
    then = moment(text)
    return f"{then:%Y-%m-%d %H:%M:%S}" if then else NONE


def bundle(said: Json) -> Any:  # noqa: ANN401  # as above
    """Lay out ``evidence show``: what it is, then everything in its order of time."""
    from rich.console import Group  # noqa: PLC0415

    where = " ".join(each for each in (said["location"], said["button"]) if each) or NONE
    mode = words.mode(said["mode"] or "")
    lines = [
        f"[bold]{_plain(said['alarm'])}[/]  {_state(said)}",
        _plain(f"{_when(said['time'])} UTC  {where}  {mode}"),
        _plain(said["folder"]),
    ]
    if said["damage"]:
        return Group(*lines, f"[red]{_plain(said['damage'])}[/]")
    timed = [(each["begins"], _item(said, each)) for each in said["items"]]
    lines += ["", *(line for _begins, line in sorted(timed))]
    if said["lacking"]:
        lines += ["", "[bold]" + _("lacking") + "[/]", *map(_lacking, said["lacking"])]
    if said["held"]:
        lines += ["", "[bold]" + _("kept besides, where they were recorded") + "[/]"]
        lines += [_plain(f"  {each['camera']}  {each['path']}") for each in said["held"]]
    lines += ["", f"manifest.json\n  [dim]sha256 {said['manifest_sha256']}[/]"]
    return Group(*lines)


def _item(said: Json, item: Json) -> str:
    then = moment(item["begins"])
    when = f"{then:%H:%M:%S}.{then.microsecond // 100_000}" if then else NONE
    off = after(said["time"], item["begins"])
    unset = "" if item["clock"] == "synced" else "  [yellow]" + _("clock not set") + "[/]"
    told = f"  up/picture/{item['number']}" if item["number"] is not None else ""
    kind = _plain(words.kind(item["kind"]))
    return (
        f"{when}  {off:>8}  {_plain(item['camera'])}  {kind}  "
        f"{_plain(item['file'])}  {size(item['bytes'])}{told}{unset}\n"
        f"  [dim]sha256 {item['sha256']}[/]"
    )


def _lacking(entry: Json) -> str:
    since = _when(entry["since"]) + " UTC" if entry["since"] else ""
    text = words.lacking(msgspec.convert(entry, Lacking), since)
    return (
        f"  [red]{_plain(entry['camera'])}  {_plain(words.kind(entry['kind']))}  {_plain(text)}[/]"
    )


def verdicts(document: Json) -> Any:  # noqa: ANN401  # as above
    """Lay out ``evidence verify``: a line for each bundle, and for all that is amiss."""
    from rich.console import Group  # noqa: PLC0415

    lines = []
    for each in document["bundles"]:
        well = each["result"] == "OK"
        word = "[green]OK[/]  " if well else "[red]FAIL[/]"
        lines.append(f"{word}  {_plain(each['alarm'])}  " + _("{n} files").format(n=each["files"]))
        for found in each["findings"]:
            text = f"{found['file']}: {words.what(found['what'])}: {found['text']}"
            lines.append(f"  [red]{_plain(text)}[/]")
        for name, key in ((_("alarm event"), "event"), ("manifest.json", "manifest")):
            colour = {"differs": "red", "same": "dim"}.get(each[key], "yellow")
            lines.append(f"  [{colour}]{name}: {words.chain(each[key])}[/]")
    return Group(*(lines or [_("no evidence")]))
