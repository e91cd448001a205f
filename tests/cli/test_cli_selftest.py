"""``gatehouse selftest``: the document, the lines, the exit codes, and who is told."""

from typing import Any

import pytest

from cli.typed import Answers, Gatehouse, shown, typed
from gatehouse import texts
from gatehouse.checks.catalog import ALL
from gatehouse.checks.frame import Check, Findings, Outcome, fail, fine, nothing, warn
from gatehouse.checks.text import say
from gatehouse.cli import checked_lines
from gatehouse.cli import selftest as command
from gatehouse.cli.checked_lines import Lines
from gatehouse.cli.screen import console
from gatehouse.errors import ControlError

NAMES = [check.name for check in ALL]


def made(name: str, *findings: Any) -> Check:
    """Return a check that finds this."""

    async def run(_context: Any) -> Findings:
        return findings

    return Check(name, name, 1.0, run)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Check]:
    """Have three checks and no more."""
    found = (
        made("disk", fine("40 % free")),
        made("clock", warn(say("no battery clock"), say("fit one"))),
        made("cameras", nothing("none here")),
    )
    monkeypatch.setattr(command, "ALL", found)
    return {check.name: check for check in found}


def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one check that fails."""
    monkeypatch.setattr(command, "ALL", (made("disk", fail(say("full"), say("larger disk"))),))


@pytest.mark.usefixtures("checks")
def test_one_document_as_the_contract_says(
    capsys: pytest.CaptureFixture[str], place: Gatehouse, service: Answers
) -> None:
    """Programs read it; the report goes to the district as it was printed."""
    said = typed(capsys, "--config", str(place.config), "selftest", "--json")
    assert said.code == 0, "a warning is no failure"
    assert said.err == ""
    assert said.json["result"] == "WARN"
    for row in said.json["checks"]:
        assert row.keys() == {"name", "result", "seconds", "figure", "remedy"}
    assert [row["result"] for row in said.json["checks"]] == ["OK", "WARN", "SKIP"]
    assert service.asked == [{"do": "selftest-report", "report": said.json}]


def test_a_failure_is_1(
    capsys: pytest.CaptureFixture[str],
    place: Gatehouse,
    service: Answers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A script at the factory goes by it."""
    failing(monkeypatch)
    said = typed(capsys, "--config", str(place.config), "selftest")
    assert said.code == 1
    assert "full" in said.out
    assert "→ larger disk" in said.out
    assert "1 FAIL" in said.out
    assert service.asked[0]["report"]["result"] == "FAIL"


@pytest.mark.usefixtures("checks")
@pytest.mark.parametrize("how", [(), ("--json",)])
def test_without_the_service_it_is_printed_and_said(
    capsys: pytest.CaptureFixture[str], place: Gatehouse, how: tuple[str, ...]
) -> None:
    """A technician asks before the service runs, too; and must know that nobody heard of it."""
    said = typed(capsys, "--config", str(place.config), "selftest", *how)
    assert said.code == 0
    assert "WARN" in said.out
    assert "not reported to the district" in said.err


@pytest.mark.usefixtures("checks")
def test_a_service_that_refuses_the_report_is_said(
    capsys: pytest.CaptureFixture[str], place: Gatehouse, service: Answers
) -> None:
    """It was printed, and that is all that happened to it."""
    service.said["selftest-report"] = ControlError("too many self-tests", "too-many")
    said = typed(capsys, "--config", str(place.config), "selftest", "--json")
    assert said.code == 0
    assert "too many self-tests" in said.err


@pytest.mark.usefixtures("checks")
@pytest.mark.parametrize(
    "words", [("--only", "clock, disk"), ("--child", "--json")], ids=["only", "child"]
)
def test_a_part_and_a_child_report_nothing(
    capsys: pytest.CaptureFixture[str],
    place: Gatehouse,
    service: Answers,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    """A part proves no installation; the service that started the child tells it itself."""
    monkeypatch.setattr(command, "_give_way", lambda: None)
    said = typed(capsys, "--config", str(place.config), "selftest", *words)
    assert said.code == 0
    assert "disk" in said.out
    assert ("cameras" in said.out) == ("--child" in words)
    assert service.asked == []


@pytest.mark.parametrize("names", ["nothing", "disk,nothing", ",", ""])
def test_checks_that_are_not_there(
    capsys: pytest.CaptureFixture[str], place: Gatehouse, names: str
) -> None:
    """A typing mistake must not look like a check that is well."""
    said = typed(capsys, "--config", str(place.config), "selftest", "--only", names)
    assert said.code == 2
    assert "there are: configuration" in said.err


def test_the_list(capsys: pytest.CaptureFixture[str], place: Gatehouse) -> None:
    """The names that ``--only`` takes; nothing is run."""
    said = typed(capsys, "--config", str(place.config), "selftest", "--list")
    assert [line.split()[0] for line in said.out.splitlines()] == NAMES
    listed = typed(capsys, "--config", str(place.config), "selftest", "--list", "--json")
    assert [row["name"] for row in listed.json["checks"]] == NAMES


def test_a_configuration_that_cannot_be_used(
    capsys: pytest.CaptureFixture[str], place: Gatehouse
) -> None:
    """Contract section 1: 2 is a wrong configuration."""
    place.config.write_text("[gateway]\n", encoding="utf-8")
    assert typed(capsys, "--config", str(place.config), "selftest", "--json").code == 2


LONG = say(
    "{folder}: read-only", folder="/var/lib/gatehouse/with/a/very/long/path/and/more/and/more"
)


@pytest.mark.parametrize("columns", [45, 80, 200])
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_lines_fit_a_phone_and_a_terminal(
    monkeypatch: pytest.MonkeyPatch, columns: int, language: str
) -> None:
    """What is cut off at the right edge is what one would have to do."""
    texts.use(language)
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = Lines(console(), ALL)
    for check in ALL:
        findings = (fail(LONG, say("mount {folder}, or make it", folder="/var/lib/gatehouse")),)
        text = "\n".join(shown(lines.line(Outcome(check, 12.3, findings)), columns))
        whole = "".join(text.split())
        assert "FAIL" in text
        assert "".join(texts._(check.title).split()) in whole
        assert "12.3s" in whole
        assert "and/more/and/more" in whole
        assert "→" in text


def test_somebody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer is no: a lamp that nobody saw is not proven."""
    lines = Lines(console(), ALL)
    for answer, seen in (("y", True), ("Yes ", True), ("是", True), ("", False), ("n", False)):
        monkeypatch.setattr(type(lines.screen), "input", lambda *_a, answer=answer, **_k: answer)
        assert lines.ask("did you see it?") is seen


def test_progress_is_shown_to_whoever_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check may take twenty seconds; in a pipe there is nobody to be told."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    lines = Lines(console(), ALL)
    lines.begins(ALL[0])
    assert lines._status is not None
    lines.ended(Outcome(ALL[0], 0.0, (fine("well"),)))
    assert lines._status is None
    assert checked_lines._NARROW > 45
