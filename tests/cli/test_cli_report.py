"""``gatehouse report``: asked of the services, or of the file of one that does not run."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cli.conftest import answering
from cli.typed import Answers, Gatehouse, Said, typed
from cli.video_documents import CAMERAS, RECORDINGS
from gatehouse import events
from gatehouse.cli import report
from gatehouse.errors import ControlError
from gatehouse.outbox import salvage
from gatehouse.outbox.orders import Acknowledged, Moment, Put, Received
from report.ledger import NOON, Ledger, at

Caps = pytest.CaptureFixture[str]
SPAN = ("--from", "2026-11-01", "--to", "2026-11-30")
CAMERA = """
[[camera]]
name = "yard"
source = "rtsp://192.0.2.7/yard"
area = "general"
covers = ["操场"]
"""


@pytest.fixture(autouse=True)
def december(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be the second of December."""
    monkeypatch.setattr(report, "_now", lambda: datetime(2026, 12, 2, tzinfo=UTC))


def month() -> Ledger:
    """Return a log with something of everything."""
    ledger = Ledger()
    ledger.start(at(1))
    press = ledger.press(at(2), received_s=0.25, acknowledged_s=31.0, acknowledged_by="王")
    ended: dict[str, Any] = {"alarms": [press], "by": "李", "reason": "real"}
    ledger.tell(at(2, hours=1), "alarm.reset", "button/gate", **ended)
    ledger.tell(at(3), "gateway.fault", fault="offline")
    ledger.tell(at(3), "drill.started", buttons=["gate"])
    ledger.tell(at(4), "walktest.report", buttons=[{"name": "gate", "result": "OK"}], by="陈")
    ledger.tell(at(5), "clock.corrected", offset_s=1.5)
    ledger.start(at(6), "crash")
    return ledger


def rows(ledger: Ledger) -> list[Any]:
    """Return the rows of a log as the service says them."""
    return [json.loads(events.encode(row)) for row in ledger.rows]


@pytest.fixture
def history(place: Gatehouse) -> Iterator[Answers]:
    """Run an alarm service that has a log."""
    with answering(place.root / "control.sock", ["history"]) as answers:
        answers.said["history"] = {"events": rows(month()), "next": None}
        yield answers


def valid(said: Said) -> Any:
    """Return the document, which is as its schema says."""
    assert (said.code, said.err) == (0, "")
    text = resources.files("gatehouse").joinpath("schemas/report.schema.json").read_text("utf-8")
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(said.json)
    return said.json


def report_of(place: Gatehouse, capsys: Caps, *words: str) -> Said:
    """Type the command for November."""
    return typed(capsys, "--config", str(place.config), "report", *SPAN, *words)


def test_the_document_is_as_its_schema_says(
    place: Gatehouse, history: Answers, video: Answers, capsys: Caps
) -> None:
    """The district's scripts would break with a release."""
    with place.config.open("a", encoding="utf-8") as file:
        file.write(CAMERA)
    video.said |= {"recordings": RECORDINGS, "cameras": CAMERAS}
    found = valid(report_of(place, capsys, "--json"))
    assert found["log"]["source"] == "service"
    [press] = found["presses"]
    assert (press["received_s"], press["acknowledged_by"]) == (0.25, "王")
    assert press["reset"]["by"] == "李"
    assert len(found["recordings"]) == len(RECORDINGS["cameras"])
    assert found["places"] == [{"place": "操场", "cameras": ["yard"], "covered": False}]
    assert history.asked[0]["after"] == 0
    assert "gatehouse.alarm.raised" in history.asked[0]["types"]


def test_the_log_is_read_to_its_end(place: Gatehouse, capsys: Caps) -> None:
    """A report would be of the first thousand events."""
    told = rows(month())
    with answering(place.root / "control.sock", ["history"]) as answers:
        answers.said["history"] = {"events": told[:2], "next": 1000}
        steps = iter([{"events": told[2:], "next": 1001}, {"events": [{}], "next": None}])
        asked = answers.asked.append

        class Steps(list[Any]):
            """Changes the answer once it was asked for."""

            def append(self, request: Any) -> None:
                asked(request)
                if len(self) or request["after"]:
                    answers.said["history"] = next(steps)

        answers.asked = Steps()
        found = valid(report_of(place, capsys, "--json"))
    assert (len(found["presses"]), found["log"]["unread"]) == (1, 1)


def test_the_page_goes_to_stdout_or_to_a_file(
    place: Gatehouse, history: Answers, capsys: Caps
) -> None:
    """A page that is half written, or mixed with words, is no page."""
    said = report_of(place, capsys)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("<!DOCTYPE html>")
    assert said.out.endswith("</html>\n")
    assert "实验小学" in said.out
    file = place.root / "page.html"
    told = report_of(place, capsys, "--out", str(file))
    assert told.out == f"written: {file}\n"
    assert file.read_text("utf-8") == said.out
    both = report_of(place, capsys, "--out", str(file), "--json")
    assert valid(both)["school"] == "实验小学"
    assert not [each for each in place.root.iterdir() if each.name.startswith(".page")]
    assert len(history.asked) == 3
    assert report_of(place, capsys, "--out", str(place.root / "no" / "page.html")).code == 1


def test_a_silent_video_service_is_told(place: Gatehouse, history: Answers, capsys: Caps) -> None:
    """Recordings that nobody could ask about would look as if there were none."""
    with place.config.open("a", encoding="utf-8") as file:
        file.write(CAMERA)
    found = valid(report_of(place, capsys, "--json"))
    assert found["recordings"] is None
    assert "gatehouse-video" in found["video_silent"]
    assert found["places"][0]["covered"] is None
    assert "The video service did not answer" in report_of(place, capsys).out
    assert history.asked


def test_without_the_service_its_file_is_read(place: Gatehouse, capsys: Caps) -> None:
    """The inspector comes on the day when the gateway is down."""
    path = place.root / "outbox.db"
    store = salvage.open_store(path, NOON.timestamp(), os.urandom)
    ledger = Ledger()
    ledger.start(at(1))
    ledger.press(at(2))
    made = [events.decode(events.encode(row)) for row in ledger.rows]
    store.write([Put(each, events.encode(each), alarm=False) for each in made], NOON.timestamp())
    press = made[1]
    then = Moment(0.0, int(press.monotonic) + 2_000_000_000, press.bootid, synced=True)
    store.write([Received((press.id,), then), Acknowledged((press.id,), "王", then)], 0.0)
    store.abandon()
    found = valid(report_of(place, capsys, "--json"))
    assert found["log"]["source"] == "file"
    [row] = found["presses"]
    assert (row["received_s"], row["acknowledged_s"], row["acknowledged_by"]) == (2.0, 2.0, "王")
    assert found["uptime"]["share_least"] < 1


def test_without_service_and_file_it_ends_with_3(place: Gatehouse, capsys: Caps) -> None:
    """An empty page would say that nothing happened."""
    said = report_of(place, capsys)
    assert (said.code, said.out) == (3, "")
    assert "systemctl start gatehouse-alarm" in said.err


def test_a_service_that_cannot_read_its_log_is_an_error(
    place: Gatehouse, history: Answers, capsys: Caps
) -> None:
    """A page without its events would look like a quiet month."""
    history.said["history"] = ControlError("the log cannot be read now", "timeout")
    said = report_of(place, capsys)
    assert (said.code, said.out) == (1, "")


def test_days_are_the_schools_own() -> None:
    """The first and the last day would miss hours."""
    day = report.given("2026-11-01")
    assert day.begin == datetime(2026, 11, 1).astimezone()
    assert day.end == datetime(2026, 11, 2).astimezone()
    exact = report.given("2026-11-01T08:00:00+08:00")
    assert exact.begin == exact.end == datetime(2026, 11, 1, tzinfo=UTC)
    assert report.given("2026-11-01T08:00:00").begin.tzinfo is not None


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--from", "2026-11-01"),
        ("--from", "yesterday", "--to", "2026-11-02"),
        ("--from", "2026-11-31", "--to", "2026-12-01"),
        ("--from", "2026-11-02", "--to", "2026-11-01"),
        ("--from", "9999-12-31", "--to", "9999-12-31"),
        ("--from", "2027-11-02", "--to", "2027-12-01"),
    ],
)
def test_what_is_no_span_is_wrong_usage(
    place: Gatehouse, capsys: Caps, words: tuple[str, ...]
) -> None:
    """A typing mistake would be a page of nothing, or a traceback."""
    said = typed(capsys, "--config", str(place.config), "report", *words)
    assert (said.code, said.out) == (2, "")
    assert said.err


def test_a_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk would leave half of a page in the place of last month's."""
    file = tmp_path / "page.html"
    file.write_text("last month", encoding="utf-8")

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        report.write(file, "half")
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]
    assert file.read_text("utf-8") == "last month"
