"""The page: whole without the network, never taken over by what an event says, readable."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from cli.video_documents import RECORDINGS
from gatehouse import texts
from gatehouse.cli.words import fault
from gatehouse.config.model import Camera
from gatehouse.events import Mode
from gatehouse.html import Html, element, escaped
from gatehouse.report import figures
from gatehouse.report.facts import Facts
from gatehouse.report.page import page
from gatehouse.report.page_presses import MOST_ROWS
from gatehouse.report.span import Span
from report.ledger import NOON, Ledger, at, school, utc

EVIL = "</td><script>alert('1')</script>\"&\x00"
EMPTY = {"meta", "br"}


class Reader(HTMLParser):
    """Reads a page: every element is closed, and its texts are kept."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and what it would load."""
        self.tags.add(tag)
        self.links += [v or "" for k, v in attrs if k in {"src", "href", "srcset", "action"}]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the element that is open."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        if self.open[-1:] != ["style"] and data.strip():
            self.said.append(data.strip())


def read(facts: Facts, language: str = "en") -> Reader:
    """Make the page and read it."""
    texts.use(language)
    reader = Reader()
    reader.feed(page(facts, language=language, local=utc, fault_word=fault))
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(autouse=True)
def english_again() -> Any:
    """Leave the language as it was."""
    yield
    texts.use("en")


def busy(word: str = "gate") -> Facts:
    """Return a month of everything, each text of it ``word``."""
    ledger = Ledger()
    ledger.start(at(-1))
    ledger.press(
        at(1), word, location=word, received_s=0.3, acknowledged_s=31.0, acknowledged_by=word
    )
    ledger.press(at(2), word, location=word, pending=True)
    press = ledger.press(at(3), word, mode=Mode.TEST, location=word)
    ended: dict[str, Any] = {"alarms": [press], "by": word, "reason": word}
    ledger.tell(at(3, hours=1), "alarm.reset", f"button/{word}", **ended)
    ledger.tell(at(4), "drill.started", mode=Mode.DRILL, buttons=[word])
    ledger.tell(at(5), "camera.fault", f"camera/{word}", fault=word)
    ledger.tell(at(6), "gateway.fault", word, fault="offline")
    ledger.tell(at(6, hours=2), "gateway.restored", word, fault="offline")
    ledger.tell(at(7), "walktest.report", buttons=[{"name": word, "result": word}], by=word)
    ledger.tell(at(8), "clock.corrected", offset_s=-2.5)
    ledger.start(at(9), word, boot_s=40)
    camera: dict[str, Any] = {**RECORDINGS["cameras"][0], "name": word, "amiss": word}
    conf = school(Camera("a", "rtsp://a", "general", covers=(word,)), name=word)
    return ledger.facts(
        conf=conf, recordings={"cameras": [camera, *RECORDINGS["cameras"]]}, cameras={}, unread=2
    )


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_page_needs_nothing_from_outside(language: str) -> None:
    """On an inspector's machine without a network the page would be broken, or tell on him."""
    reader = read(busy(), language)
    assert reader.links == []
    assert reader.tags <= {
        *("html", "head", "meta", "title", "style", "body", "main", "header", "footer", "section"),
        *("h1", "h2", "p", "dl", "dt", "dd", "ul", "li", "div", "span", "strong"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    text = page(busy(), language=language, local=utc, fault_word=fault)
    assert not re.search(r"https?:|url\(|@import|<script", text)
    assert text.startswith("<!DOCTYPE html>\n<html lang=")


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_what_an_event_says_stays_text(language: str) -> None:
    """Whoever may name a button or reset an alarm could run a script at the inspector's."""
    reader = read(busy(EVIL), language)
    assert "script" not in reader.tags
    shown = EVIL.replace("\x00", "\ufffd")
    assert sum(shown in said for said in reader.said) > 10


def test_markup_is_made_by_markup_alone() -> None:
    """One forgotten escape would be enough."""
    assert escaped('<a b="c">&') == "&lt;a b=&quot;c&quot;&gt;&amp;"
    assert escaped(Html("<p>")) == "<p>"
    assert (
        element("td", "<", element("b", ">"), cls='"') == '<td class="&quot;">&lt;<b>&gt;</b></td>'
    )


def test_everything_is_on_the_page() -> None:
    """What the inspector asks for would have to be asked for again."""
    said = read(busy()).said
    for text in (
        *("Alarms", "Tests and drills", "Recordings", "Places covered by cameras", "Faults"),
        *("300 ms", "31 s", "not delivered yet", "not acknowledged", "not reset", "test"),
        *("no way to the district", "1 of 1", "0 of 1", "-2.5 s", "2.0 h", "12.5 / 30"),
        *("2 events of the log could not be read.",),
        *("2026-11-01 12:00 – 2026-12-01 12:00 (UTC+00:00)",),
    ):
        assert any(text in each for each in said), (text, said)


def test_a_quiet_month_says_so() -> None:
    """Empty tables would leave the inspector wondering whether the page is whole."""
    ledger = Ledger()
    ledger.start(at(-1))
    said = read(ledger.facts()).said
    for text in ("No alarm in this time.", "No fault in this time.", "There are no cameras."):
        assert text in said


def test_what_is_not_known_comes_first() -> None:
    """The inspector would take silence for good news."""
    facts = Ledger().facts(runs_now=False, silence="no answer", conf=school(receipts=False))
    said = read(facts).said
    for text in ("The event log is empty", "not running", "did not answer", "no receipts"):
        place = next(n for n, each in enumerate(said) if text in each)
        assert place < said.index("alarms")


def test_a_mad_month_stays_a_page() -> None:
    """A chattering button would print a thousand sheets."""
    ledger = Ledger()
    ledger.start(at(-1))
    for n in range(MOST_ROWS + 50):
        ledger.press(at(1, seconds=n))
    reader = read(ledger.facts())
    assert sum(each == "gate" for each in reader.said) == MOST_ROWS
    assert any("50 more are not shown" in each for each in reader.said)


def test_lengths_and_shares() -> None:
    """A share of 99.999 % would be told as all, and 0.4 s as nothing."""
    texts.use("en")
    for seconds, text in (
        (None, "–"), (0.0, "0 ms"), (0.3125, "312 ms"), (1.25, "1.2 s"), (45.4, "45 s"),
        (125, "2 min"), (8000, "2.2 h"), (200_000, "2.3 d"),
    ):  # fmt: skip
        assert figures.length(seconds) == text
    for part, text in ((None, "–"), (1.0, "100 %"), (0.999999, "99.99 %"), (0.5, "50 %")):
        assert figures.share(part) == text
    assert figures.share(0.0) == "0 %"


def test_whole_days_are_told_as_days() -> None:
    """Nobody says for November: up to 1 December 00:00."""
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    whole = Span(begin, begin + timedelta(days=30))
    assert figures.days(whole, utc) == "2026-11-01 – 2026-11-30"
    assert figures.days(Span(begin, NOON), utc) == "2026-11-01 00:00 – 2026-11-01 12:00"
