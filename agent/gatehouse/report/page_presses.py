"""The page's part on presses, tests and drills. Pure."""

from collections.abc import Sequence
from typing import Final

from gatehouse.events import Mode
from gatehouse.html import Html, bad, element, joined, small, table
from gatehouse.report import figures
from gatehouse.report.facts import Facts
from gatehouse.report.figures import NONE, Local, length
from gatehouse.report.presses import Drill, Press
from gatehouse.report.tried import Tried
from gatehouse.texts import N_, _

MOST_ROWS: Final = 200
"""A page is for a person; all of it is in the JSON document."""

_REASONS: Final = {
    "real": N_("real alarm"),
    "mistake": N_("pressed by mistake"),
    "test": N_("test"),
    "turned-back": N_("turned back with its key"),
    "key": N_("reset key"),
}
_MODES: Final = {Mode.DRILL: N_("drill"), Mode.TEST: N_("test")}
_KINDS: Final = {"walktest": N_("walk test"), "selftest": N_("self-test")}
_RESULTS: Final = {
    "OK": N_("fine"),
    "WARN": N_("warning"),
    "FAIL": N_("failed"),
    "NOT WALKED": N_("not walked"),
}


def section(facts: Facts, local: Local) -> Html:
    """Return the alarms that were meant."""
    title = element("h2", _("Alarms"))
    if not facts.real:
        return element("section", title, none(_("No alarm in this time.")))
    return element("section", title, *_presses(facts.real, local))


def tests_section(facts: Facts, local: Local) -> Html:
    """Return presses that were tests and drills, and the tests."""
    parts: list[Html] = [element("h2", _("Tests and drills"))]
    if facts.drills:
        titles = (_("drill"), _("until"), _("buttons"), _("not pressed"))
        parts.append(table(titles, (_drill(each, local) for each in facts.drills)))
    if facts.tried:
        parts += _presses(facts.tried, local)
    if facts.tests:
        columns = (_("time"), _("what"), _("result"), _("not well"), _("by"))
        shown = facts.tests[-MOST_ROWS:]
        parts.append(table(columns, (_tested(each, local) for each in shown)))
        parts += more(len(facts.tests))
    if len(parts) == 1:
        parts.append(none(_("No test and no drill in this time.")))
    return element("section", *parts)


def _presses(presses: Sequence[Press], local: Local) -> list[Html]:
    titles = (_("time"), _("button"), _("received after"), _("acknowledged after"), _("reset"))
    shown = table(titles, (_press(each, local) for each in presses[:MOST_ROWS]))
    return [shown, *more(len(presses))]


def _press(press: Press, local: Local) -> tuple[str, ...]:
    return (
        joined((figures.at(press.at, local), *map(small, _notes(press)))),
        joined((press.button, small(press.location))),
        _received(press),
        _acknowledged(press),
        _reset(press, local),
    )


def _notes(press: Press) -> list[str]:
    said = [_(_MODES[press.mode])] if press.mode in _MODES else []
    if not press.sure:
        said.append(_("about: the clock was not set"))
    if press.held_at_start:
        said.append(_("held in when the service started"))
    if press.presses > 1:
        said.append(_("{n} presses").format(n=press.presses))
    return said


def _received(press: Press) -> str:
    if press.received_s is not None:
        return length(press.received_s)
    return bad(_("not delivered yet")) if press.waits else _("yes, time not known")


def _acknowledged(press: Press) -> str:
    if press.acknowledged_by is None:
        return bad(_("not acknowledged")) if press.mode is Mode.REAL else NONE
    told = _("time not known") if press.acknowledged_s is None else length(press.acknowledged_s)
    return joined((told, small(press.acknowledged_by)))


def _reset(press: Press, local: Local) -> str:
    reset = press.reset
    if reset is None:
        return bad(_("not reset"))
    reason = _(_REASONS.get(reason_of := reset.reason, reason_of))
    who = (
        reason
        if reset.by in {"button", "key"}
        else _("{who}: {why}").format(who=reset.by, why=reason)
    )
    return joined((figures.at(reset.at, local), small(who)))


def _drill(drill: Drill, local: Local) -> tuple[str, ...]:
    left = listed(drill.not_pressed)
    return (
        figures.minute(drill.begin, local),
        figures.minute(drill.end, local),
        listed(drill.buttons),
        bad(left) if drill.not_pressed else left,
    )


def _tested(test: Tried, local: Local) -> tuple[str, ...]:
    result = _(_RESULTS.get(test.result, test.result))
    amiss = listed(f"{name} ({_(_RESULTS.get(word, word))})" for name, word in test.not_ok)
    return (
        figures.minute(test.at, local),
        _(_KINDS[test.kind]),
        result if test.result == "OK" else bad(result),
        amiss,
        test.by or NONE,
    )


def listed(names: Sequence[str] | object) -> str:
    """Join names; a dash for none."""
    return _(", ").join(names) or NONE  # type: ignore[arg-type]  # any iterable of texts


def more(count: int) -> list[Html]:
    """Say that a table does not show all."""
    if count <= MOST_ROWS:
        return []
    said = _("{n} more are not shown; gatehouse report --json has all.")
    return [element("p", said.format(n=count - MOST_ROWS), cls="none")]


def none(text: str) -> Html:
    """Say that there is nothing."""
    return element("p", text, cls="none")
