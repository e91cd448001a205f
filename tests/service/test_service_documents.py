"""The documents, field by field, against contract sections 3 and 5."""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gatehouse import __version__, events
from gatehouse.service import documents, duties, machine
from service.house import BOOT, LIMIT_S, SCHOOL, MovableClock, joined

NONE = {"n": 0, "p50": None, "p99": None, "max": None}


def plain(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document as it is read on the other side of the socket."""
    read: dict[str, Any] = json.loads(json.dumps(document, allow_nan=False))
    return read


def is_time(text: str) -> bool:
    """Tell whether a text is RFC 3339 in UTC."""
    return text.endswith("Z") and datetime.fromisoformat(text).tzinfo == UTC


async def test_the_status_at_rest(tmp_path: Path) -> None:
    """Without it whatever reads the status by the contract would miss a field."""
    async with joined(tmp_path) as house:
        await house.durable()
        status = plain(documents.status(house.rooms))
        assert status["gateway"] == "qd-sn-0042"
        assert status["school"] == "实验小学"
        assert status["version"] == __version__
        assert status["board"] == "simulated"
        assert status["bootid"] == BOOT
        assert status["clock"] == "synced"
        assert is_time(status["started"])
        assert status["uptime_s"] >= 0
        assert status["buttons"] == [
            {
                "name": "gate",
                "location": "南门",
                "line": "normal",
                "alarm": "idle",
                "last_alarm": None,
            },
            {
                "name": "office",
                "location": "教务处",
                "line": "normal",
                "alarm": "idle",
                "last_alarm": None,
            },
        ]
        assert status["link"]["state"] in {"offline", "connecting"}
        assert {"state", "broker", "since"} <= status["link"].keys()
        assert status["outbox"].keys() == {"pending", "pending_alarms", "oldest_s", "bytes"}
        assert status["latency_ms"] == {"stored": NONE, "sent": NONE, "received": NONE}
        assert status["faults"] == []
        assert status["drill"] is None
        assert "video" in status


async def test_an_empty_outbox_is_all_zeroes(tmp_path: Path) -> None:
    """Without it an idle gateway would look as if something had waited since 1970."""
    async with joined(tmp_path) as house:
        log = await house.told()
        house.outbox.received([event.id for event in log])
        assert documents.outbox(house.rooms) == {
            "pending": 0,
            "pending_alarms": 0,
            "oldest_s": 0.0,
            "bytes": 0,
        }


async def test_an_alarm_in_the_status(tmp_path: Path) -> None:
    """Without it a technician could not see what the guard's lamp shows, nor why."""
    async with joined(tmp_path) as house:
        alarm = house.press()
        status = documents.status(house.rooms)
        assert status["buttons"][0]["last_alarm"] == alarm
        assert status["buttons"][0]["alarm"] == "undelivered"
        assert status["outbox"]["pending_alarms"] == 1
        assert status["outbox"]["pending"] > 1  # the start and the release wait besides
        assert status["outbox"]["bytes"] > 300
        await house.durable()
        assert documents.buttons(house.rooms)[0]["alarm"] == "stored"
        at_ns = house.clock.reading().monotonic_ns
        house.joints.sent(alarm, at_ns)
        assert documents.buttons(house.rooms)[0]["alarm"] == "sent"
        house.joints.received([alarm], at_ns)
        assert documents.buttons(house.rooms)[0]["alarm"] == "received"
        assert house.joints.acknowledge(alarm, "王警官")
        assert documents.buttons(house.rooms)[0]["alarm"] == "acknowledged"
        assert documents.buttons(house.rooms)[1]["alarm"] == "idle"
        latency = plain(documents.status(house.rooms))["latency_ms"]
        for stage in ("stored", "sent", "received"):
            assert latency[stage]["n"] == 1
            assert 0 < latency[stage]["p50"] == latency[stage]["p99"] == latency[stage]["max"]
        assert not house.joints.acknowledge("no such alarm", "王警官")


async def test_the_oldest_waits_as_long_as_it_does(tmp_path: Path) -> None:
    """Without it an outage of a day would look like one of a second."""
    clock = MovableClock()
    async with joined(tmp_path, clock) as house:
        house.press()
        clock.offset_ns += 86_400_000_000_000
        assert documents.outbox(house.rooms)["oldest_s"] >= 86_400
        clock.offset_ns -= 2 * 86_400_000_000_000  # a clock that was set back
        assert documents.outbox(house.rooms)["oldest_s"] == 0.0


async def test_faults_in_the_status_say_where_what_and_since_when(tmp_path: Path) -> None:
    """Without it "a fault" would send a technician out without knowing what to bring."""
    async with joined(tmp_path) as house:
        house.board.levels[12] = 1  # the lid
        house.voice.fault("tamper", True, family="tamper")
        house.voice.fault("open", True, subject="button/gate", data={"location": "南门"})
        tamper, line = plain(documents.status(house.rooms))["faults"]
        assert tamper == {"subject": "gateway", "fault": "tamper", "since": tamper["since"]}
        assert (line["subject"], line["fault"], line["location"]) == ("button/gate", "open", "南门")
        assert is_time(line["since"])


async def test_a_fault_keeps_its_beginning_over_a_restart(tmp_path: Path) -> None:
    """Without it each restart would make an old fault a new one."""
    async with joined(tmp_path) as house:
        house.voice.fault("missed-edge", True, data={"pin": 17})
        before = plain(documents.status(house.rooms))["faults"]
        await house.durable()
    async with joined(tmp_path) as house:
        (after,) = plain(documents.status(house.rooms))["faults"]
        assert after["pin"] == 17
        assert after["since"][:19] == before[0]["since"][:19]
        assert after.keys() == before[0].keys()


async def test_a_drill_in_the_status(tmp_path: Path) -> None:
    """Without it nobody on site could see which button is still an exercise, and for how long."""
    async with joined(tmp_path) as house:
        house.rooms.station.start_drill(["office", "gate"], 600)
        drill = plain(documents.status(house.rooms))["drill"]
        assert drill["buttons"] == ["office", "gate"]
        assert 0 < drill["seconds_left"] <= 600
        assert is_time(drill["until"])
        house.rooms.station.stop_drill()
        assert documents.status(house.rooms)["drill"] is None


async def test_an_unset_clock_in_the_status(tmp_path: Path) -> None:
    """Without it a technician would believe the times on the screen."""
    clock = MovableClock()
    clock.set_by_server = False
    async with joined(tmp_path, clock) as house:
        assert documents.status(house.rooms)["clock"] == "unsynced"


async def test_the_birth(tmp_path: Path) -> None:
    """Without it the district would not know what to expect of this gateway."""
    async with joined(tmp_path) as house:
        house.voice.fault("open", True, subject="button/gate")
        birth = documents.birth(house.rooms)
        assert birth.online
        assert (birth.store, birth.start) == (house.opening.store, house.opening.start)
        assert (birth.bootid, birth.version) == (BOOT, __version__)
        assert (birth.buttons, birth.cameras) == (("gate", "office"), ("gate",))
        assert is_time(birth.started)
        assert [(fault["subject"], fault["fault"]) for fault in birth.faults] == [
            ("button/gate", "open")
        ]


async def test_the_heartbeat(tmp_path: Path) -> None:
    """Without it the district would see neither a slow line nor a disk that fills up."""
    async with joined(tmp_path) as house:
        beat = json.loads(await duties.heartbeat(house.rooms, machine.Looker(tmp_path)))
        assert {"link", "outbox", "latency_ms", "uptime_s", "faults", "buttons", "clock"} < set(
            beat
        )
        assert is_time(beat["time"])
        assert beat["machine"].keys() == {
            "load",
            "memory_percent",
            "rss_bytes",
            "disk_free_bytes",
            "disk_percent",
        }


@pytest.mark.parametrize("error", [OSError("I/O error"), TimeoutError()])
async def test_a_machine_that_cannot_be_looked_at_costs_no_heartbeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    """Without it a dead disk would make the gateway look dead too."""

    def fail(_: Path) -> machine.Machine:
        raise error

    monkeypatch.setattr(machine, "look", fail)
    async with joined(tmp_path) as house:
        assert (
            json.loads(await duties.heartbeat(house.rooms, machine.Looker(tmp_path)))["machine"]
            is None
        )


async def test_a_look_that_hangs_is_not_joined_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it each heartbeat over a dead disk would leave one more thread behind."""
    came_back, begun = threading.Event(), threading.Event()
    looks: list[Path] = []

    def hang(folder: Path) -> machine.Machine:
        looks.append(folder)
        begun.set()
        came_back.wait()
        raise OSError("I/O error")

    monkeypatch.setattr(machine, "look", hang)
    monkeypatch.setattr(machine, "_LOOK_S", 0.01)
    looker = machine.Looker(tmp_path)
    for _ in range(3):
        with pytest.raises(OSError):  # noqa: PT011  # TimeoutError first, then EBUSY
            await looker.look()
    assert begun.wait(LIMIT_S)
    assert len(looks) == 1
    came_back.set()


async def test_the_first_event_of_each_start_says_what_came_before(tmp_path: Path) -> None:
    """Without it the district could not tell what is missing from what never was."""
    async with joined(tmp_path) as house:
        house.press()
        first = await house.told()
    async with joined(tmp_path) as house:
        second = [event for event in await house.told() if event.start == house.rooms.start]
        assert second[0].start == first[0].start + 1
    assert first[0].type == second[0].type == events.GATEWAY_STARTED
    assert first[0].data == {"previous": None, "reason": "first"}
    assert second[0].data == {"previous": first[-1].sequence, "reason": "crash"}


async def test_a_drill_that_a_restart_ended_is_said(tmp_path: Path) -> None:
    """Without it the district would take the presses after a crash for exercises."""
    async with joined(tmp_path) as house:
        house.rooms.station.start_drill(["gate"], 600)
        await house.durable()
    async with joined(tmp_path) as house:
        assert documents.status(house.rooms)["drill"] is None
        told = [event for event in await house.told() if event.start == house.rooms.start]
        assert (told[1].type, told[1].data) == (events.DRILL_ENDED, {"reason": "restart"})
        assert told[1].mode == "drill"  # like its beginning: it is no real event
        house.press()
        raised = [event for event in await house.told() if event.type == events.ALARM_RAISED]
        assert [event.mode for event in raised] == ["real"]


async def test_a_config_that_is_broken_runs_on_its_last_good_copy_with_a_fault(
    tmp_path: Path,
) -> None:
    """Without it a typo would be a silent school, or one nobody hears about."""
    async with joined(tmp_path) as house:
        await duties.keep_config(house.service._loaded, house.voice)
        await duties.keep_config(house.service._loaded, house.voice)
        assert [e.type for e in await house.told()].count(events.CONFIG_CHANGED) == 0
    async with joined(tmp_path, text=SCHOOL.replace("pin = 13", "pin = 17")) as house:
        (fault,) = documents.status(house.rooms)["faults"]
        assert fault["fault"] == "config"
        assert "17" in fault["mistakes"][0]
        await duties.keep_config(house.service._loaded, house.voice)  # a copy is not its own copy
        assert house.rooms.station.channels.keys() == {"gate", "office"}
        await house.durable()
    async with joined(tmp_path, text=SCHOOL.replace("教务处", "教务")) as house:
        assert documents.status(house.rooms)["faults"] == []
        await duties.keep_config(house.service._loaded, house.voice)
        assert [e.type for e in await house.told()].count(events.CONFIG_CHANGED) == 1


async def test_a_copy_that_cannot_be_kept_is_not_our_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Without it a full disk at start would keep the alarm from starting, again and again."""
    async with joined(tmp_path) as house:
        (tmp_path / "state" / "config").write_text("in the way")
        await duties.keep_config(house.service._loaded, house.voice)
        assert "could not be kept" in caplog.text


async def test_only_what_is_proven_within_a_minute_is_ready(tmp_path: Path) -> None:
    """Without it the guard's lamp would say "ready" for a district that is long gone."""
    async with joined(tmp_path) as house:
        assert not house.joints.proven()
        now = house.clock.reading().monotonic_ns
        house.rooms.uplink._sender.proof.at_ns = now
        assert house.joints.proven()
        house.rooms.uplink._sender.proof.at_ns = now - 60_000_000_000
        assert not house.joints.proven()
        assert not house.joints.faulty()
        house.voice.fault("clock", True)
        assert house.joints.faulty()
