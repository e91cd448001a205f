"""The page's part on faults, the clock, and when the service ran. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import groupby
from typing import Final

from gatehouse.html import Html, bad, element, table
from gatehouse.report import figures
from gatehouse.report.facts import Facts
from gatehouse.report.faulty import Stood
from gatehouse.report.figures import NONE, Local, length, share
from gatehouse.report.page_presses import MOST_ROWS, more, none
from gatehouse.report.running import Start
from gatehouse.texts import N_, _

_REASONS: Final = {
    "first": N_("first start"),
    "command": N_("stopped on command"),
    "crash": N_("ended without a farewell"),
    "power": N_("power lost or machine restarted"),
    "watchdog": N_("watchdog"),
}


def section(facts: Facts, local: Local, word: Callable[[str, str], str]) -> Html:
    """Return what was wrong: what still stands first, then each fault in one line."""
    title = element("h2", _("Faults"))
    if not facts.faults:
        return element("section", title, none(_("No fault in this time.")))
    parts: list[Html] = [title, element("p", _summary(facts))]
    stand = [each for each in facts.faults if each.end is None]
    if stand:
        columns = (_("still stands"), _("where"), _("since"), _("for"))
        parts.append(table(columns, (_standing(each, facts.made, local, word) for each in stand)))
    titles = (
        _("fault"), _("where"), _("times"), _("longest"), _("in all"), _("closed within 24 h"),
        _("last"),
    )  # fmt: skip
    kinds = _kinds(facts.faults)
    rows = (_kind(kind, facts.made, local, word) for kind in kinds[:MOST_ROWS])
    parts += [table(titles, rows), *more(len(kinds))]
    return element("section", *parts)


def _summary(facts: Facts) -> str:
    closed = facts.closed
    return _(
        "{opened} opened in this time, {closed} of them closed; within 24 h: {in_time} of {decided}"
        " ({share})."
    ).format(
        opened=closed.opened,
        closed=closed.closed,
        in_time=closed.in_time,
        decided=closed.in_time + closed.too_late,
        share=share(closed.share),
    )


def _standing(
    each: Stood, now: datetime, local: Local, word: Callable[[str, str], str]
) -> tuple[str, ...]:
    return (
        bad(word(each.fault, each.subject)),
        _where(each.subject),
        figures.minute(each.begin, local),
        length(each.seconds(now)),
    )


def _kinds(faults: Iterable[Stood]) -> list[list[Stood]]:
    """Put together what is the same fault at the same place."""

    def kind(each: Stood) -> tuple[str, str]:
        return each.subject, each.fault

    return [list(group) for _key, group in groupby(sorted(faults, key=kind), kind)]


def _kind(
    kind: list[Stood], now: datetime, local: Local, word: Callable[[str, str], str]
) -> tuple[str, ...]:
    first = kind[0]
    lengths = [took for each in kind if (took := each.seconds(now)) is not None]
    judged = [each.within_a_day(now) for each in kind]
    decided = len(judged) - judged.count(None)
    in_time = _("{n} of {all}").format(n=judged.count(True), all=decided) if decided else NONE
    return (
        word(first.fault, first.subject),
        _where(first.subject),
        str(len(kind)),
        length(max(lengths, default=None)),
        length(sum(lengths)) if lengths else NONE,
        bad(in_time) if False in judged else in_time,
        figures.minute(max((e.begin for e in kind if e.begin), default=None), local),
    )


def _where(subject: str) -> str:
    kind, _slash, name = subject.partition("/")
    named = {"button": _("button {name}"), "camera": _("camera {name}")}
    if kind in named:
        return named[kind].format(name=name)
    return _("gateway") if subject == "gateway" else subject


def running_section(facts: Facts, local: Local) -> Html:
    """Return when the service ran and how its clock was set."""
    uptime = facts.uptime
    parts: list[Html] = [element("h2", _("Service and clock"))]
    if uptime.span.seconds:
        said = _("The service ran for {least} to {most} of the time (not running: {down}).")
        if uptime.down_least_s == uptime.down_most_s:
            said = _("The service ran for {least} of the time (not running: {down}).")
        parts.append(
            element(
                "p",
                said.format(
                    least=share(uptime.up_least),
                    most=share(uptime.up_most),
                    down=_between(uptime.down_least_s, uptime.down_most_s),
                ),
            )
        )
    if uptime.starts:
        titles = (_("started"), _("why it had ended"), _("not running before"))
        rows = (_start(each, local) for each in uptime.starts[-MOST_ROWS:])
        parts += [table(titles, rows), *more(len(uptime.starts))]
    parts.append(_clock(facts, local))
    return element("section", *parts)


def _start(start: Start, local: Local) -> tuple[str, ...]:
    reason = _(_REASONS.get(start.reason, start.reason)) or NONE
    known = start.down_least_s is not None and start.down_most_s is not None
    return (
        figures.at(start.at, local),
        reason if start.reason in {"first", "command"} else bad(reason),
        _between(start.down_least_s or 0.0, start.down_most_s or 0.0) if known else NONE,
    )


def _between(least: float, most: float) -> str:
    """Say how long, where a kill or a power cut leaves only bounds."""
    if most - least < 1:
        return length(most)
    if not least:
        return _("at most {most}, not known").format(most=length(most))
    return _("{least} to {most}").format(least=length(least), most=length(most))


def _clock(facts: Facts, local: Local) -> Html:
    if not facts.clock:
        return none(_("The clock was not corrected in this time."))
    titles = (_("clock set"), _("corrected by"))
    shown = facts.clock[-MOST_ROWS:]
    rows = ((figures.at(each.at, local), _signed(each.offset_s)) for each in shown)
    return element("div", table(titles, rows), *more(len(facts.clock)))


def _signed(seconds: float) -> str:
    return ("-" if seconds < 0 else "+") + length(abs(seconds))
