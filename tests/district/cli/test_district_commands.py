"""Every reading command on a database that a real receiver has written; nothing runs."""

import csv
import json
import os
import re
from typing import Any

import pytest
from rich.cells import cell_len

from district.cli.conftest import ALARM, ANSWERED, ESCAPES, HOSTILE, SCHOOL, TEST, Place

READING = [
    ("alarms",),
    ("alarms", "--all"),
    ("gateways",),
    ("gateways", SCHOOL),
    ("gateways", HOSTILE),
    ("events",),
]


def ids(document: Any) -> list[str]:
    """Return the ids of a document's alarms."""
    return [alarm["id"] for alarm in document["alarms"]]


def test_open_alarms(place: Place, typed: Any) -> None:
    """Without it the first command of a frightened night would show tests, or hide a press."""
    said = typed(place, "alarms", "--json")
    found = {alarm["id"]: alarm for alarm in said.document["alarms"]}
    assert said.code == 1
    assert found[ALARM]["stage"] == "received"
    assert found[ANSWERED]["stage"] == "answering"
    assert found[ANSWERED]["acknowledged_by"] == "张主任"
    assert found[ALARM]["school"] == "实验小学"
    assert TEST not in found
    assert TEST in ids(typed(place, "alarms", "--all", "--json").document)


def test_the_exit_code_speaks_of_real_alarms_alone(place: Place, typed: Any) -> None:
    """Without it a script that rings somebody would ring for a test or an answered one."""
    said = typed(place, "alarms", "--limit", "1", "--all", "--json")
    newest = said.document["alarms"][0]
    wanted = newest["mode"] == "real" and newest["stage"] == "received"
    assert said.code == int(wanted)


def test_one_gateway_in_full(place: Place, typed: Any) -> None:
    """Without it nobody would see what is wrong at a school, and what has not come."""
    (one,) = typed(place, "gateways", SCHOOL, "--json").document["gateways"]
    assert one["school"] == "实验小学"
    assert {fault["fault"] for fault in one["faults"]} == {"covered", "clock"}
    assert one["lacking"] == 2
    assert one["lacks"] == ["00000001.0000000007", "00000001.0000000008"]
    assert one["selftest"]["result"] == "OK"
    shown = typed(place, "gateways", SCHOOL)
    assert shown.code == 0
    for words in ("covered", "clock not set", "00000001.0000000007", "camera yard"):
        assert words in shown.out


def test_a_gateway_that_nobody_knows(place: Place, typed: Any) -> None:
    """Without it a slip in a name would look like a gateway without faults."""
    said = typed(place, "gateways", "qd-sn-\x1b[2J")
    assert (said.code, said.out) == (2, "")
    assert "\x1b" not in said.err


def test_the_log(place: Place, typed: Any) -> None:
    """Without it the log could be of another school, of another type, or without an end."""
    every = typed(place, "events", "--json").document["events"]
    positions = [entry["position"] for entry in every]
    assert positions == sorted(positions)
    assert len(every) == 9
    of_type = typed(place, "events", "--type", "alarm.raised", "--gateway", SCHOOL, "--json")
    assert [entry["event"]["id"] for entry in of_type.document["events"]] == [ALARM, ANSWERED, TEST]
    newest = typed(place, "events", "--limit", "2", "--json").document["events"]
    assert newest == every[-2:]


@pytest.mark.parametrize("words", [("events", "--limit", "0"), ("alarms", "--limit", "-1")])
def test_no_number_of_rows(place: Place, typed: Any, words: tuple[str, ...]) -> None:
    """Without it nothing would be shown, as if there were nothing."""
    assert typed(place, *words).code == 2


@pytest.mark.parametrize("words", READING, ids=" ".join)
@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("columns", [80, 45])
def test_it_fits(
    place: Place,
    typed: Any,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    language: str,
    columns: int,
) -> None:
    """Without it a table would break on a small terminal, in the language of whoever reads it."""
    monkeypatch.setenv("COLUMNS", str(columns))
    place.speak(language)
    said = typed(place, *words)
    assert said.code in {0, 1}
    assert said.err == ""
    assert max(map(cell_len, said.out.splitlines())) <= columns
    assert "\x1b" not in said.out  # a pipe: no colour


@pytest.mark.parametrize("words", READING, ids=" ".join)
@pytest.mark.parametrize("how", [(), ("--json",)], ids=["table", "json"])
def test_a_gateways_words_move_no_cursor(
    place: Place,
    typed: Any,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    how: tuple[str, ...],
) -> None:
    """Without it a school's gateway could clear the district's screen, or write on it."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    said = typed(place, *words, *how)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said.out)  # rich's own colours
    assert all(letter.isprintable() or letter == "\n" for letter in plain)
    assert "owned" in said.out or SCHOOL in words
    if how:
        json.loads(said.out)


def test_no_colour_by_wish(place: Place, typed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it NO_COLOR (no-color.org) would be a promise that is not kept."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", typed(place, "alarms").out)


def test_a_spreadsheet(place: Place, typed: Any) -> None:
    """Without it Excel would show Chinese as rubbish, and carry out what a gateway wrote."""
    out = place.root / "november.csv"
    words = ("--from", "2026-11-23", "--to", "2026-11-24", "--out", str(out))
    assert typed(place, "export", *words).code == 0
    content = out.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    assert len(rows) == 9
    assert "南门门卫室" in content.decode()
    for row in rows:
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "＝"))
            assert cell.isprintable()
    assert any(row["id"].startswith("'=cmd|") for row in rows)
    assert out.stat().st_mode & 0o777 == 0o640


def test_an_export_for_programs(place: Place, typed: Any) -> None:
    """Without it a program would have to read what is meant for a spreadsheet."""
    out = place.root / "november.json"
    span = ("--from", "2026-11-23T08:00:02Z", "--to", "2026-11-23T08:00:05Z")
    said = typed(place, "export", *span, "--gateway", SCHOOL, "--out", str(out))
    assert said.code == 0
    found = [json.loads(line)["event"]["id"] for line in out.read_text("utf-8").splitlines()]
    assert found == [TEST, ANSWERED, ALARM]


@pytest.mark.parametrize(
    ("begin", "end", "name"),
    [
        ("2026-11-24", "2026-11-23", "a.csv"),
        ("2026-11-23", "2026-11-24", "a.xlsx"),
        ("yesterday", "2026-11-24", "a.csv"),
    ],
)
def test_what_cannot_be_exported(place: Place, typed: Any, begin: str, end: str, name: str) -> None:
    """Without it an empty file would be taken for a quiet month."""
    out = place.root / name
    assert typed(place, "export", "--from", begin, "--to", end, "--out", str(out)).code == 2
    assert not out.exists()


def test_an_export_that_finds_no_room(place: Place, typed: Any) -> None:
    """Without it half a month could pass for a whole one."""
    out = place.root / "not-there" / "a.csv"
    said = typed(place, "export", "--from", "2026-11-23", "--to", "2026-11-24", "--out", str(out))
    assert said.code == 1
    assert "not-there" in said.err


@pytest.mark.parametrize(
    "words", [("acknowledge", ALARM, "--by", "a"), ("alarms", "--watch")], ids=lambda w: w[0]
)
def test_what_needs_the_service(place: Place, typed: Any, words: tuple[str, ...]) -> None:
    """Without it an answer that went nowhere would look given."""
    said = typed(place, *words)
    assert (said.code, said.out) == (3, "")
    assert "systemctl start gatehouse-district" in said.err


@pytest.mark.parametrize("end", ["00000000a", "a1", "ffffffff"])
def test_an_end_of_an_id_that_names_none(place: Place, typed: Any, end: str) -> None:
    """Without it the wrong alarm could be answered."""
    assert typed(place, "acknowledge", end, "--by", "a").code == 2


def test_a_district_that_has_never_run(place: Place, typed: Any) -> None:
    """Without it a command would make an empty database, as another user than the service."""
    for file in (place.root / "state").glob("district.db*"):
        file.unlink()
    said = typed(place, "alarms")
    assert said.code == 3
    assert not (place.root / "state" / "district.db").exists()


def test_a_database_that_is_none(place: Place, typed: Any) -> None:
    """Without it a broken disk would be a traceback."""
    for file in (place.root / "state").glob("district.db*"):
        file.write_bytes(b"no database" * 1000)
    said = typed(place, "alarms")
    assert said.code == 1
    assert "district.db" in said.err


def test_config_check(place: Place, typed: Any) -> None:
    """Without it a mistake would be found by the service that does not start."""
    assert typed(place, "config", "check").code == 0
    assert typed(None, "config", "check", str(place.file)).code == 0
    place.file.write_text("[district]\n[broker]\n", encoding="utf-8")
    said = typed(place, "config", "check")
    assert said.code == 2
    assert [line.split(": ")[1] for line in said.out.splitlines()] == [
        "district.name",
        "broker.url",
    ]
    assert typed(place, "alarms").code == 2


def test_usage(typed: Any) -> None:
    """Without it a slip would be a traceback, and help would need a configuration."""
    assert typed(None, "--help").code == 0
    assert typed(None, "alarms", "--help").code == 0
    assert typed(None, "--version").code == 0
    assert typed(None, "alarmz").code == 2
    assert ESCAPES not in typed(None, "alarms", "--help").out


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files that are another's")
def test_what_root_makes_is_the_services(place: Place, typed: Any) -> None:
    """Without it an administrator who types as root would shut the service out of its own files."""
    os.chown(place.root / "state", 12_345, 12_345)
    assert typed(place, "ca", "init").code == 0
    assert typed(place, "ca", "sign", "--receiver").code == 0
    made = {path.name: path.stat() for path in (place.root / "state").rglob("*")}
    assert {"ca", "ca.key", "register.db", "district.receiver.key"} <= made.keys()
    assert {(found.st_uid, found.st_gid) for found in made.values()} == {(12_345, 12_345)}
    assert made["ca.key"].st_mode & 0o777 == 0o600
