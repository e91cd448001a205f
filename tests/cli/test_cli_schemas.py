"""What ``--json`` prints is what its schema says, of every command; services are fakes."""

import argparse
import asyncio
import copy
import importlib
from datetime import UTC, datetime
from typing import Any, Final, get_args

import jsonschema
import pytest

from cli.conftest import answering
from cli.schema_documents import checks, event_log, month, walked
from cli.schemas import SCHEMAS, Json, parsers, typed_as, valid
from cli.typed import STATUS, Answers, Gatehouse, typed
from cli.video_documents import CAMERAS, RECORDINGS
from evidence.building import ALARM, small
from gatehouse import cli, events, unproven
from gatehouse.alarm.button import Stage
from gatehouse.alarm.contacts import Line
from gatehouse.checks.frame import Result
from gatehouse.cli import report, selftest
from gatehouse.cli.found import Asked, entries
from gatehouse.config.model import Camera
from gatehouse.control import reports
from gatehouse.enrol.renewal import State
from gatehouse.events import Mode
from gatehouse.uplink.ports import LinkState
from gatehouse.video.discovery import Device
from gatehouse.video.retention import Verdict
from gatehouse_sim.onvif_device import OnvifDevice
from gatehouse_sim.onvif_words import match

Caps = pytest.CaptureFixture[str]


def test_every_document_has_a_schema() -> None:
    """Without it a new command would print what nobody has promised, or a schema describe none."""
    offered: dict[tuple[str, ...], set[str]] = {}
    for name in cli._COMMANDS:
        parser = argparse.ArgumentParser()
        shared = argparse.ArgumentParser(add_help=False)
        importlib.import_module(f"gatehouse.cli.{name}").arguments(parser, shared)
        offered |= {
            words: options for words, options in parsers((name,), parser) if "--json" in options
        }
    assert {typed_as(name)[0] for name in SCHEMAS} == offered.keys()
    for name in SCHEMAS:
        command, options = typed_as(name)
        assert {"--json"} <= set(options) <= offered[command]
        more = (option.removeprefix("--") for option in options if option != "--json")
        assert name == "-".join([*command, *more])


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one(name: str) -> None:
    """Without it a slip of the pen in it would let everything pass."""
    assert SCHEMAS[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


def enum(name: str, path: str) -> set[str]:
    """Return the words at a place of a schema, its keys joined by spaces."""
    place = SCHEMAS[name]
    for key in path.split():
        place = place[int(key) if key.isdecimal() else key]
    return set(place["enum"])


def test_the_closed_words_are_those_of_the_code() -> None:
    """Without it a word that is new in the code would be refused by whoever reads by the schema."""
    button = "$defs button properties"
    event = "$defs event properties"
    of = "$defs event allOf {} then properties data properties fault"
    assert enum("status", f"{button} line") == {*Line} == enum("walktest", f"{button} line")
    assert enum("status", f"{button} alarm") == {"idle", *(each.word for each in Stage)}
    assert enum("status", "properties link properties state") == {*LinkState}
    what = "properties unproven items properties what"
    assert enum("status", what) == unproven.WORDS.keys()
    assert enum("cameras", "$defs fault") == {*reports.CAMERA} == enum("events", of.format(2))
    assert enum("events", of.format(1)) <= {*Line}
    assert enum("events", of.format(3)) == {*reports.RETENTION}
    assert enum("events", f"{event} mode") == {*Mode}
    named = {value for name, value in vars(events).items() if name.isupper() and name[0] != "_"}
    said = {name for name in named if str(name).startswith("gatehouse.")}
    assert len(said) > 15
    assert said | reports.HAPPENINGS <= enum("events", f"{event} type")
    assert enum("recordings", "$defs camera properties verdict") == {*get_args(Verdict)}
    row = "properties checks items properties result"
    assert enum("selftest", row) == {*Result}
    assert enum("selftest", "properties result") == {*Result} - {Result.SKIP}
    assert enum("enrol-renew", "properties state") == {*State}


async def documents(place: Gatehouse, capsys: Caps) -> Json:
    """Type every command that has a schema, and return what it prints; a camera is a fake."""
    secret = place.root / "cameras.cred"
    secret.write_text("admin:secret\n", encoding="utf-8")
    printed = {}
    async with OnvifDevice(credential="admin:secret") as device:
        where = ":".join(map(str, device.probe_address))
        itself = f"http://127.0.0.1:{device.port}/onvif/device_service"
        device.replies = lambda asked: [match(asked, xaddrs=itself)]
        probe = ("--seconds", "1", "--address", where, "--credential", str(secret))
        small(place.root / "evidence")
        more = {
            "evidence-show": (ALARM,),
            "report": ("--from", "2026-11-01", "--to", "2026-11-30"),
            "cameras-discover": probe,
        }
        for name in SCHEMAS:
            command, options = typed_as(name)
            words = ("--config", str(place.config), *command, *options, *more.get(name, ()))
            said = await asyncio.to_thread(typed, capsys, *words)
            assert (said.code, said.err) == (int(name == "selftest"), ""), name
            printed[name] = said.json
    return printed


async def test_what_is_printed_is_as_its_schema_says(
    place: Gatehouse, video: Answers, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a script that reads by the schema would break; or never notice a wrong word."""
    monkeypatch.setattr(report, "_now", lambda: datetime(2026, 12, 2, tzinfo=UTC))
    monkeypatch.setattr(selftest, "ALL", checks())
    video.said |= {"cameras": CAMERAS, "recordings": RECORDINGS}
    dos = ("status", "events", "history", "walktest", "selftest-report")
    with answering(place.root / "control.sock", dos) as service:
        service.said |= {"status": STATUS, "events": event_log(), "walktest": walked()}
        service.said["history"] = {"events": month(), "next": None}
        printed = await documents(place, capsys)
    for name, document in printed.items():
        valid(name, document)
    passing = [each for each in WRONG if passes(each[0], changed(printed[each[0]], *each[1:]))]
    assert passing == []
    assert {name for name, _path, _value in WRONG} == SCHEMAS.keys()


GONE: Final = object()
"""In the place of a value: its key is left out."""
WRONG: Final[tuple[tuple[str, str, Any], ...]] = (
    ("status", "bootid", GONE),
    ("status", "video", GONE),
    ("status", "board", "mock"),
    ("status", "clock", "set"),
    ("status", "buttons 0 line", "well"),
    ("status", "buttons 0 alarm", "confirmed"),
    ("status", "buttons 0 last_alarm", GONE),
    ("status", "link state", "online"),
    ("status", "link since", "yesterday"),
    ("status", "outbox pending_alarms", -1),
    ("status", "latency_ms received", GONE),
    ("status", "latency_ms sent p99", "1 ms"),
    ("status", "faults 0 fault", ""),
    ("status", "drill", []),
    ("status", "video", {"state": "well"}),
    ("events", "events 0 pending", GONE),
    ("events", "events 0 data previous", GONE),
    ("events", "events 0 sequence", "7.42"),
    ("events", "events 0 clock", "set"),
    ("events", "events 0 subject", "school/1"),
    ("events", "events 1 id", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
    ("events", "events 1 mode", "trial"),
    ("events", "events 1 type", "gatehouse.alarm.lost"),
    ("events", "events 2 data by", GONE),
    ("events", "events 3 data offset_s", "1 s"),
    ("events", "events 5 data fault", "covered"),
    ("events", "events 6 data fault", "open"),
    ("events", "events 7 data fault", "covered"),
    ("events", "events 8 data fault", GONE),
    ("selftest", "result", "SKIP"),
    ("selftest", "checks 0 result", "GOOD"),
    ("selftest", "checks 0 remedy", GONE),
    ("selftest", "checks 0 seconds", "0.1"),
    ("selftest-list", "checks 0 name", "a name"),
    ("selftest-list", "checks 0 title", GONE),
    ("evidence-list", "bundles 0 state", "held"),
    ("evidence-list", "bundles 0 released", GONE),
    ("evidence-list", "bundles 0 alarm", "a name"),
    ("evidence-show", "items 0 sha256", "0"),
    ("evidence-show", "lacking 0 since", "yesterday"),
    ("evidence-show", "manifest_sha256", GONE),
    ("evidence-verify", "result", "WARN"),
    ("evidence-verify", "bundles 0 event", "well"),
    ("evidence-verify", "bundles 0 findings", GONE),
    ("cameras", "cameras 0 verdict", "well"),
    ("cameras", "cameras 1 faults 0", "ok"),
    ("cameras", "cameras 0 last_frame", "2026-11-23 08:00"),
    ("cameras", "cameras 0 fps", GONE),
    ("cameras-discover", "devices 0 streams 0 width", "1920"),
    ("cameras-discover", "devices 0 configured", "a name"),
    ("cameras-discover", "passed_over", GONE),
    ("recordings", "cameras 0 verdict", "well"),
    ("recordings", "cameras 0 area", "secret"),
    ("recordings", "cameras 0 proven_days", GONE),
    ("recordings", "cameras 0 gaps 0 to", "2026-08-21"),
    ("recordings", "disks 0 free_percent", 101),
    ("recordings", "scanning camera", GONE),
    ("enrol-renew", "state", "done"),
    ("enrol-renew", "until", "2027-11-26"),
    ("report", "presses 0 mode", "trial"),
    ("report", "log source", "memory"),
    ("report", "uptime", GONE),
    ("walktest", "result", "WARN"),
    ("walktest", "buttons 0 line", "well"),
    ("walktest", "buttons 0 received_ms", GONE),
)
"""What no document may say: in which, where, and the word that is wrong."""


def passes(name: str, document: Any) -> bool:
    """Whether a document is as the schema of this name says."""
    try:
        valid(name, document)
    except jsonschema.ValidationError:
        return False
    return True


def changed(document: Any, path: str, value: Any) -> Any:
    """Return a copy of a document in which one place is wrong."""
    wrong = copy.deepcopy(document)
    place: Any = wrong
    *way, last = path.split()
    for key in way:
        place = place[int(key) if key.isdecimal() else key]
    if isinstance(place, list):
        place[int(last)] = value
        return wrong
    assert last in place
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return wrong


def test_devices_of_every_kind() -> None:
    """Without it a camera that is known, or says no, would have a row that nobody promised."""
    said = {"new": Asked(), "shut": Asked(error="wants another user or password")}
    devices = [Device(name, f"192.0.2.{n}", None) for n, name in enumerate((*said, "known"))]
    known = Camera("gate", source="rtsp://192.0.2.2/main", area="general")
    rows = entries(devices, [known], said)
    assert [row["configured"] for row in rows] == [None, None, "gate"]
    valid("cameras-discover", {"devices": rows, "passed_over": 3})


def test_a_status_that_says_all() -> None:
    """Without it what is seldom there would have no promised form."""
    until = "2026-11-23T08:10:00.000000Z"
    walk = {"buttons": ["gate"], "seconds_left": 60.0}
    unproven_ = [{"subject": "button/gate", "what": "lamps", "why": "nobody looked"}]
    video = {"state": "silent", "reported": until, "cameras": {"well": 3}, "malformed": 1}
    more = {"drill": {**walk, "until": until}, "walktest": walk, "unproven": unproven_}
    valid("status", {**STATUS, **more, "video": video})
    valid("status", {**STATUS, "drill": None, "walktest": None, "unproven": []})
