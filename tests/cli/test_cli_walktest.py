"""The walk test as a technician sees it, on a terminal and on a telephone."""

import json
import signal
from importlib.resources import files
from typing import Any, Final

import jsonschema
import pytest

from cli.typed import LIMIT_S, Answers, Gatehouse, child, ended, shown, typed
from gatehouse.cli.walked import lines_of, passed, summary
from gatehouse.control import protocol
from gatehouse.errors import ControlError

Caps = pytest.CaptureFixture[str]

SCHEMA: Final = json.loads((files("gatehouse") / "schemas" / "walktest.schema.json").read_text())
STAGES: Final = ("stored", "sent", "received", "acknowledged")
LONG: Final = "a-name-of-thirty-two-characters-"
PLACES: Final = {"gate": "南门门卫室", "office": "教学楼二层教务处(靠近东侧楼梯)", LONG: "[bold]"}


def row(name: str, result: str, *took: float, line: str = "normal", **more: Any) -> dict[str, Any]:
    """Return a row that has reached as many stages as there are times."""
    times: dict[str, float | None] = {f"{stage}_ms": None for stage in STAGES}
    times |= {f"{stage}_ms": ms for stage, ms in zip(STAGES, took, strict=False)}
    alarm = "a" if took else None
    said = {"name": name, "result": result, "alarm": alarm, "line": line, "line_open": False}
    return {**said, **times, **more}


WELL: Final = row("gate", "OK", 2.5, 14.0, 31.0, 12_345.0)
ROWS: Final = [
    WELL,
    row("office", "OK", 3.0, 5.0, 9.0, line="active"),
    row("hall", "FAIL", 3.0),
    row("yard", "FAIL", line_open=True),
    row(LONG, "NOT WALKED"),
]


def said(over: str | None, *rows: dict[str, Any]) -> dict[str, Any]:
    """Return a line of the service."""
    return {"over": over, "buttons": list(rows), "seconds_left": 60.0}


@pytest.mark.parametrize("columns", [45, 80])
def test_the_progress_fits_the_screen(columns: int) -> None:
    """A technician walks with a telephone in the hand; Chinese is twice as wide."""
    text = "\n".join(shown(lines_of(ROWS, columns, PLACES, {"office"}), columns))
    flat = " ".join(text.split())
    for word in ("南门门卫室", "press it", "turn it", "open (cut", "stored", "12.3 s"):
        assert word in flat
    assert "2.5 ms" in flat
    assert "[bold]" in flat
    over = "\n".join(shown(lines_of(ROWS, columns, PLACES, {"office"}, over=True), columns))
    assert all(word in over for word in ("well", "failed", "not walked"))
    assert "press it" not in over


def test_wide_figures_stand_under_each_other() -> None:
    """Columns that do not align cannot be read at a glance."""
    from rich.cells import cell_len  # noqa: PLC0415  # as the commands do

    rows = [WELL, row("office", "OK", 2.5, 14.0, 31.0, 12_345.0)]
    lines = shown(lines_of(rows, 100, PLACES, ()), 100)
    at = [cell_len(line[: line.index("2.5 ms")]) for line in lines if "2.5 ms" in line]
    assert len(at) == 2
    assert at[0] == at[1]


def test_the_end_says_whether_all_is_well() -> None:
    """And names what is not."""
    assert passed([WELL])
    assert not passed([])
    assert not passed(ROWS)
    assert "1 buttons" in summary([WELL])
    assert "hall" in summary(ROWS)
    assert "office" not in summary(ROWS)


@pytest.mark.parametrize("columns", ["45", "80"])
def test_a_walk_is_shown_to_its_end(
    place: Gatehouse,
    service: Answers,
    capsys: Caps,
    monkeypatch: pytest.MonkeyPatch,
    columns: str,
) -> None:
    """0 only when all was walked and the district has it."""
    monkeypatch.setenv("COLUMNS", columns)
    service.said["walktest"] = [said(None, row("gate", "NOT WALKED")), said("complete", WELL)]
    walk = typed(capsys, "walktest", "--config", str(place.config), "gate", "--timeout", "60")
    assert (walk.code, walk.err) == (0, "")
    assert "南门" in walk.out
    assert "walk test passed" in walk.out
    (asked,) = service.asked
    assert (asked["buttons"], asked["timeout_s"]) == (["gate"], 60.0)
    assert isinstance(asked["by"], str | None)

    service.said["walktest"] = [said("timeout", WELL, row("office", "NOT WALKED"))]
    walk = typed(capsys, "walktest", "--config", str(place.config))
    assert walk.code == 1
    assert "not passed: office" in walk.out
    assert service.asked[-1]["buttons"] == []


@pytest.mark.parametrize(("rows", "code"), [([WELL], 0), (ROWS, 1)])
def test_one_json_document_by_its_schema(
    place: Gatehouse, service: Answers, capsys: Caps, rows: list[dict[str, Any]], code: int
) -> None:
    """What reads it by machine gets nothing else, and nothing before the end."""
    first = [row(each["name"], "NOT WALKED") for each in rows]
    service.said["walktest"] = [said(None, *first), said("complete", *rows)]
    walk = typed(capsys, "walktest", "--config", str(place.config), "--json")
    assert (walk.code, walk.err) == (code, "")
    jsonschema.validate(walk.json, SCHEMA)
    assert walk.json["result"] == ("FAIL" if code else "OK")
    assert walk.json["reason"] == "complete"


@pytest.mark.parametrize("json_", [True, False])
def test_ctrl_c_ends_it_and_what_was_walked_counts(
    place: Gatehouse, service: Answers, json_: bool
) -> None:
    """The technician has seen enough; the report is the service's to leave."""
    service.said["walktest"] = [said(None, WELL, row("office", "NOT WALKED"))]
    words = ["--json"] if json_ else []
    walk = child("gatehouse", "walktest", "--config", str(place.config), *words)
    assert service.begun.wait(LIMIT_S)
    walk.send_signal(signal.SIGINT)
    end = ended(walk)
    assert (end.code, end.err) == (1, "")
    if json_:
        jsonschema.validate(end.json, SCHEMA)
        assert (end.json["result"], end.json["reason"]) == ("FAIL", "left")
    else:
        assert "not passed" in end.out


@pytest.mark.parametrize("seconds", ["0", "-1", "3601", "nan", "soon", "1h"])
def test_times_that_are_none_or_too_long(seconds: str, capsys: Caps) -> None:
    """Without it a walk could cover a press of the next day."""
    walk = typed(capsys, "walktest", f"--timeout={seconds}")
    assert (walk.code, walk.out) == (2, "")
    assert walk.err


def test_refusals_and_no_service(place: Gatehouse, service: Answers, capsys: Caps) -> None:
    """An alarm that stands is wrong usage, a busy service is not, none at all is three."""
    for code, expected in ((protocol.REFUSED, 2), (protocol.BUSY, 1)):
        service.said["walktest"] = ControlError("an alarm stands at gate", code=code)
        walk = typed(capsys, "walktest", "--config", str(place.config), "--json")
        assert (walk.code, walk.out) == (expected, "")
        assert "an alarm stands at gate" in walk.err
    (place.root / "control.sock").unlink()
    walk = typed(capsys, "walktest", "--config", str(place.config), "--json")
    assert (walk.code, walk.out) == (3, "")
