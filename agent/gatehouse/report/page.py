"""The page itself: one HTML document without outside resources, for screen and A4. Pure."""

from collections.abc import Callable
from typing import Final

from gatehouse.html import Html, bad, document, element, escaped, joined
from gatehouse.report import figures, page_faults, page_presses, page_recordings
from gatehouse.report.facts import Facts, Lengths
from gatehouse.report.figures import NONE, Local, length, share
from gatehouse.report.style import CSS
from gatehouse.texts import _

FaultWord = Callable[[str, str], str]
"""Names a fault of a subject, in the language in use."""

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def page(facts: Facts, *, language: str, local: Local, fault_word: FaultWord) -> str:
    """Return the whole document, in the language in use, which ``language`` names."""
    title = _("{school}: one-key alarm, inspection report").format(school=facts.school)
    body = element(
        "main",
        _head(facts, local),
        _remarks(facts, local),
        _glance(facts),
        page_presses.section(facts, local),
        page_presses.tests_section(facts, local),
        page_recordings.section(facts, local),
        page_recordings.places_section(facts),
        page_faults.section(facts, local, fault_word),
        page_faults.running_section(facts, local),
        _foot(),
    )
    return document(title, body, css=CSS, policy=_POLICY, language=language)


def _head(facts: Facts, local: Local) -> Html:
    rows = (
        (_("gateway"), facts.gateway),
        (
            _("period"),
            f"{figures.days(facts.span, local)} ({figures.zone(facts.span.begin, local)})",
        ),
        (_("made"), figures.minute(facts.made, local)),
    )
    facts_of = joined(joined((element("dt", name), element("dd", text))) for name, text in rows)
    return element(
        "header",
        element("p", _("One-key alarm: inspection report"), cls="kind"),
        element("h1", facts.school),
        element("dl", facts_of),
    )


def _remarks(facts: Facts, local: Local) -> Html:
    """Say first what this page does not know."""
    said: list[str] = []
    if facts.log_since is None:
        said.append(_("The event log is empty: nothing is known of this time."))
    elif facts.begins_before_the_log:
        since = figures.minute(facts.log_since, local)
        said.append(
            _("The event log begins at {time}: of the time before nothing is known.").format(
                time=since
            )
        )
    if facts.source == "file":
        said.append(_("The alarm service is not running: this was read from its file."))
    if facts.silence is not None:
        said.append(_("The video service did not answer: recordings and cameras are not known."))
    if facts.unread:
        said.append(_("{n} events of the log could not be read.").format(n=facts.unread))
    if not facts.receipts:
        said.append(
            _('This district sends no receipts: "received" means taken over by the broker.')
        )
    if not said:
        return Html("")
    return element("ul", *(element("li", each) for each in said), cls="remarks")


def _glance(facts: Facts) -> Html:
    real = facts.real
    received = Lengths.of([each.received_s for each in real])
    answered = Lengths.of([each.acknowledged_s for each in real])
    waits = sum(1 for each in real if each.waits)
    unanswered = sum(1 for each in real if each.acknowledged_by is None)
    stand = sum(1 for each in facts.faults if each.end is None)
    boxes = (
        (_("alarms"), str(len(real)), _tail(waits, _("not delivered: {n}"))),
        (_("received, median"), length(received.median_s), _longest(received)),
        (
            _("acknowledged, median"),
            length(answered.median_s),
            joined((_longest(answered), " ", _tail(unanswered, _("not acknowledged: {n}")))),
        ),
        (
            _("faults closed within 24 h"),
            share(facts.closed.share),
            _tail(stand, _("still standing: {n}")),
        ),
        (_("recordings kept long enough"), *_kept(facts)),
        (_("service ran, at least"), share(facts.uptime.up_least), ""),
    )
    return element(
        "div",
        *(
            element(
                "div",
                element("span", name, cls="name"),
                element("span", value, cls="value"),
                element("span", tail, cls="small"),
                cls="box",
            )
            for name, value, tail in boxes
        ),
        cls="glance",
    )


def _longest(lengths: Lengths) -> str:
    if lengths.longest_s is None:
        return ""
    return _("longest {time}").format(time=length(lengths.longest_s))


def _tail(count: int, text: str) -> Html:
    return bad(text.format(n=count)) if count else Html("")


def _kept(facts: Facts) -> tuple[str, str]:
    if facts.recordings is None:
        return (NONE if facts.silence is None else "?"), ""
    well = sum(1 for each in facts.recordings if page_recordings.is_kept(each))
    return _("{n} of {all}").format(n=well, all=len(facts.recordings)), _("cameras")


def _foot() -> Html:
    lines = (
        _("Received: the district's machine has stored the alarm. Acknowledged: a person there "
          "has answered. Times are counted from the press, by a clock that is never set."),
        _("A share closed within 24 h counts the faults opened in this time, once they are closed "
          "or 24 h are over."),
    )  # fmt: skip
    return element("footer", *(element("p", escaped(line)) for line in lines))
