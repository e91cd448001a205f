"""The page's part on recordings and the places that cameras cover. Pure."""

from typing import Final

from gatehouse.html import Html, bad, element, joined, small, table
from gatehouse.report.facts import Facts
from gatehouse.report.figures import NONE, Local, length
from gatehouse.report.kept import Kept
from gatehouse.report.page_presses import listed, none
from gatehouse.report.span import Span
from gatehouse.texts import N_, _

_GAPS: Final = 5
"""The longest of each camera are told one by one."""
_AREAS: Final = {"critical": N_("critical"), "general": N_("general")}
_VERDICTS: Final = {
    "ok": N_("well"),
    "short": N_("too short"),
    "forecast": N_("short soon"),
    "unknown": N_("not known"),
}


def is_kept(row: Kept) -> bool:
    """Whether recordings reach back as far as they must; nothing is taken for granted."""
    if row.proven_days is None or row.required_days is None:
        return False
    return row.proven_days >= row.required_days


def section(facts: Facts, local: Local) -> Html:
    """Return each camera's recordings against the duty."""
    title = element("h2", _("Recordings"))
    if facts.recordings is None:
        said = _("There are no cameras.") if facts.silence is None else _("Not known.")
        return element("section", title, none(said))
    if not facts.recordings:
        return element("section", title, none(_("No camera has recordings.")))
    said = _("As they were when this page was made; gaps are those of the time of this page.")
    titles = (_("camera"), _("area"), _("days kept / required"), _("verdict"), _("gaps"))
    rows = (_row(each, local) for each in facts.recordings)
    return element("section", title, none(said), table(titles, rows))


def _row(row: Kept, local: Local) -> tuple[str, ...]:
    proven = NONE if row.proven_days is None else f"{int(row.proven_days * 10) / 10:.1f}"
    required = NONE if row.required_days is None else f"{row.required_days:.0f}"
    days = f"{proven} / {required}"
    return (
        row.camera,
        _(_AREAS.get(row.area, row.area)),
        days if row.verdict == "ok" else bad(days),
        _verdict(row),
        _gaps(row, local),
    )


def _verdict(row: Kept) -> Html:
    word = _(_VERDICTS.get(row.verdict, row.verdict))
    if row.verdict == "ok" and not is_kept(row):
        word = _("well so far")  # it has not recorded for so long yet
    shown = word if row.verdict == "ok" else bad(word)
    return joined((shown, *([small(row.amiss)] if row.amiss else [])))


def _gaps(row: Kept, local: Local) -> str:
    if not row.missing_s:
        return _("none")
    longest = sorted(row.gaps, key=lambda gap: -gap.seconds)[:_GAPS]
    said = _("{n}, {time} in all").format(n=len(row.gaps), time=length(row.missing_s))
    lines = [small(_gap(gap, local)) for gap in sorted(longest, key=lambda gap: gap.begin)]
    if len(row.gaps) > _GAPS:
        lines.append(small(_("and {n} shorter ones").format(n=len(row.gaps) - _GAPS)))
    return joined((said, *lines))


def _gap(gap: Span, local: Local) -> str:
    begin, end = local(gap.begin), local(gap.end)
    last = f"{end:%H:%M}" if begin.date() == end.date() else f"{end:%m-%d %H:%M}"
    return f"{begin:%m-%d %H:%M}–{last} ({length(gap.seconds)})"


def places_section(facts: Facts) -> Html:
    """Return which places are seen by a camera."""
    title = element("h2", _("Places covered by cameras"))
    if not facts.places:
        return element("section", title, none(_("No place is configured.")))
    words = {True: _("yes"), False: bad(_("no")), None: _("not known")}
    titles = (_("place"), _("cameras"), _("seen when this page was made"))
    rows = ((each.name, listed(each.cameras), words[each.covered]) for each in facts.places)
    return element("section", title, table(titles, rows, cls="wrap"))
