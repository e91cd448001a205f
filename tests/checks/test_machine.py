"""Clock, power, memory, disk, wear, services: each fault is found, and what is well is not."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from checks.rig import FAIL, OK, SKIP, WARN, Rig, Room, assert_says, device, lines
from gatehouse.checks import clock, disk, memory, power, services
from gatehouse.checks.context import run_command
from gatehouse.checks.frame import Result

MEMORY = "MemTotal: 8000000 kB\nMemFree: 100 kB\nMemAvailable: {free} kB\n"
NOW = 1_795_000_000
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"


@pytest.mark.parametrize(
    ("free", "load", "result", "word"),
    [
        (4_000_000, "0.3", OK, "free 50 %"),
        (600_000, "0.3", WARN, "--sort -rss"),
        (300_000, "0.3", FAIL, "--sort -rss"),
        (4_000_000, "9.1", WARN, "--sort -pcpu"),
    ],
)
async def test_memory(rig: Rig, free: int, load: str, result: Result, word: str) -> None:
    """What the kernel kills first must be found before it has to."""
    rig.tree.put(
        {
            "proc/meminfo": MEMORY.format(free=free),
            "proc/loadavg": f"0.1 {load} 0.2 1/100 1234",
            "proc/stat": "cpu 1 2\ncpu0 1 2\ncpu1 1 2\ncpu2 1\ncpu3 1\nintr 5",
        }
    )
    outcome = await rig.run(memory.CHECK)
    assert_says(outcome, result, word)
    assert [f.fault for f in outcome.findings] == ([memory.FAULT] if result is FAIL else [""])


@pytest.mark.parametrize(
    ("bits", "result", "word", "fault"),
    [
        ("0", OK, "supply fine", ""),
        ("50005", FAIL, "power supply", power.UNDER_VOLTAGE),
        ("0x10000", WARN, "since the last boot", ""),
        ("4", WARN, "cool the box", ""),
    ],
)
async def test_supply(rig: Rig, bits: str, result: Result, word: str, fault: str) -> None:
    """A phone charger drops out just when the siren's relay moves."""
    rig.tree.put({THROTTLED: bits + "\n"})
    outcome = await rig.run(power.CHECK)
    assert_says(outcome, result, word)
    assert [f.fault for f in outcome.findings] == [fault]


async def test_supply_by_other_ways(rig: Rig) -> None:
    """Kernels differ in where they say it."""
    rig.tree.put({"proc/device-tree/model": "Raspberry Pi 5 Model B\0"})
    assert_says(await rig.run(power.CHECK), SKIP, "no Raspberry Pi")
    rig.programs["vcgencmd"] = "throttled=0x50001\n"
    assert_says(await rig.run(power.CHECK), FAIL, "under-voltage now")
    rig.programs.clear()
    rig.tree.put(
        {
            "sys/class/hwmon/hwmon0/name": "cpu_thermal",
            "sys/class/hwmon/hwmon1/name": "rpi_volt",
            "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1",
        }
    )
    assert_says(await rig.run(power.CHECK), FAIL, "under-voltage now")
    rig.tree.put({"sys/class/hwmon/hwmon1/in0_lcrit_alarm": "0"})
    assert_says(await rig.run(power.CHECK), OK, "supply fine")


@pytest.mark.parametrize(
    ("degrees", "result", "fault"),
    [("45123", OK, ""), ("76000", WARN, ""), ("83000", FAIL, power.OVERHEATED)],
)
async def test_heat(rig: Rig, degrees: str, result: Result, fault: str) -> None:
    """A box in the sun slows down first, and then dies young."""
    zone = "sys/class/thermal/thermal_zone"
    rig.tree.put({f"{zone}0/temp": "40000", f"{zone}1/temp": degrees, f"{zone}2/temp": "no"})
    outcome = await rig.run(power.CHECK)
    assert_says(outcome, result, f"{int(degrees) // 1000} °C")
    assert [f.fault for f in outcome.findings] == [fault]


@pytest.mark.parametrize(
    ("by_server", "error_s", "rtc", "result", "words"),
    [
        (True, 0.004, str(NOW - 1), OK, ("systemd-timesyncd", "4 ms", "battery clock there")),
        (True, None, str(NOW), OK, ("systemd-timesyncd",)),
        (False, 16.0, str(NOW), FAIL, ("not set", "time server")),
        (True, 2.5, str(NOW), WARN, ("2.5 s", "time server")),
        (True, 0.004, None, WARN, ("no battery clock", "RTC")),
        (True, 0.004, "86400", WARN, ("never set", "hwclock")),
        (True, 0.004, str(NOW - 3600), WARN, ("off by 3600 s", "hwclock")),
    ],
)
async def test_clock(
    rig: Rig,
    by_server: bool,
    error_s: float | None,
    rtc: str | None,
    result: Result,
    words: tuple[str, ...],
) -> None:
    """An alarm with a wrong time is no evidence, and an unset clock judges no certificate."""
    rig.clock.by_server, rig.error_s = by_server, error_s
    rig.tree.put({"run/systemd/timesync/synchronized": ""})
    if rtc is not None:
        rig.tree.put({"sys/class/rtc/rtc0/since_epoch": rtc})
    assert_says(await rig.run(clock.CHECK), result, *words)


@pytest.mark.parametrize(
    ("room", "result", "words", "fault"),
    [
        (Room(), OK, ("50 %",), ""),
        (Room(f_bavail=400_000), WARN, ("5 %", "larger disk"), ""),
        (Room(f_bavail=100_000), FAIL, ("1 %", "larger disk"), disk.SPACE),
        (Room(f_blocks=60_000, f_bavail=40_000), FAIL, ("0.2 GB",), disk.SPACE),
        (Room(f_favail=1), FAIL, ("inodes", "du --inodes"), disk.SPACE),
        (Room(f_files=0, f_favail=0), OK, (), ""),
        (Room(f_flag=os.ST_RDONLY), FAIL, ("read-only", "dmesg"), disk.READ_ONLY),
    ],
)
async def test_room(
    rig: Rig, room: Room, result: Result, words: tuple[str, ...], fault: str
) -> None:
    """A disk that is full, or that the kernel gave up, keeps no event."""
    rig.room = room
    outcome = await rig.run(disk.CHECK, gentle=True)
    assert_says(outcome, result, *words)
    assert {f.fault for f in outcome.findings if f.fault} == ({fault} if fault else set())


async def test_a_folder_that_is_gone_is_named(rig: Rig) -> None:
    """A disk that was not mounted leaves a folder that is not there, or an empty one."""
    camera = '[[camera]]\nname = "yard"\nsource = "rtsp://h/p"\narea = "general"\n'
    rig.text += camera + 'recordings = "{root}/recordings"\n'
    assert_says(await rig.run(disk.CHECK), FAIL, "mount", "recordings")
    (rig.folder / "recordings").mkdir()
    assert_says(await rig.run(disk.CHECK), OK, "MB/s")


async def test_by_the_clock_nothing_is_written(rig: Rig) -> None:
    """Cards wear out: 4 MiB a minute are 2 TB a year."""
    before = rig.state.stat().st_mtime_ns
    assert "MB/s" not in (await rig.run(disk.CHECK, gentle=True)).figure()
    assert rig.state.stat().st_mtime_ns == before
    assert "MB/s" in (await rig.run(disk.CHECK)).figure()
    assert list(rig.state.iterdir()) == []


async def test_a_slow_card_is_found(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds up every event, and is about to die."""
    monkeypatch.setattr(disk, "_SLOW_MB_S", 1e9)
    assert_says(await rig.run(disk.CHECK), WARN, "change it")


@pytest.mark.parametrize(
    ("life", "eol", "result", "fault"),
    [
        ("0x01 0x02", "0x01", OK, ""),
        ("0x09 0x02", "0x01", WARN, ""),
        ("0x01 0x01", "0x02", WARN, ""),
        ("0x0b 0x02", "0x01", FAIL, "disk-worn"),
        ("0x01 0x01", "0x03", FAIL, "disk-worn"),
        ("nonsense", "0x01", OK, ""),
    ],
)
async def test_emmc_wear(rig: Rig, life: str, eol: str, result: Result, fault: str) -> None:
    """It tells years ahead that it will die; nobody would look."""
    block = "sys/devices/mmc_host/mmc0/block/mmcblk0"
    rig.tree.put(
        {
            f"{block}/mmcblk0p2/partition": "2",
            f"{block}/device/life_time": life,
            f"{block}/device/pre_eol_info": eol,
        }
    )
    rig.tree.link(f"sys/dev/block/{device(rig.state)}", f"{block}/mmcblk0p2")
    outcome = await rig.run(disk.CHECK, gentle=True)
    assert_says(outcome, result, *(["change mmcblk0"] if result is not OK else []))
    assert {f.fault for f in outcome.findings if f.fault} == ({fault} if fault else set())


@pytest.mark.parametrize(
    ("said", "result"),
    [
        (json.dumps({"smart_status": {"passed": True}}), OK),
        (json.dumps({"smart_status": {"passed": False}}), FAIL),
        ("{}", OK),
        ("no SMART here", OK),
        (None, OK),
    ],
)
async def test_smart(rig: Rig, said: str | None, result: Result) -> None:
    """A disk that says itself that it fails must not be asked in vain."""
    rig.tree.put({"sys/devices/pci/block/sda/size": "1"})
    rig.tree.link(f"sys/dev/block/{device(rig.state)}", "sys/devices/pci/block/sda")
    if said is not None:
        rig.programs["smartctl"] = said
    assert_says(await rig.run(disk.CHECK), result, *(["sda"] if result is FAIL else []))


def unit(name: str, **changed: str) -> str:
    """Return what systemctl shows of a unit that is well, apart from what changed."""
    shown = {"LoadState": "loaded", "UnitFileState": "enabled", "ActiveState": "active"}
    return lines([("Id", name), *{**shown, **changed}.items()])


def show(**changed: str) -> str:
    """Return what systemctl shows; the alarm service's unit is changed."""
    return "\n\n".join((unit(services.ALARM, **changed), unit(services.TIMER))) + "\n"


ARMED = {
    "run/systemd/system/x": "",
    "sys/class/watchdog/watchdog0/state": "active",
    "sys/class/watchdog/watchdog0/timeout": "15",
}


@pytest.mark.parametrize(
    ("said", "files", "result", "words"),
    [
        (show(), ARMED, OK, ("2 units", "15 s")),
        (show(LoadState="not-found"), ARMED, FAIL, ("not installed", "apt install")),
        (show(UnitFileState="disabled"), ARMED, FAIL, ("systemctl enable --now gatehouse-alarm",)),
        (
            show(ActiveState="failed"),
            ARMED,
            FAIL,
            ("does not run", "journalctl -u gatehouse-alarm"),
        ),
        (
            show(),
            {**ARMED, "sys/class/watchdog/watchdog0/state": "inactive"},
            FAIL,
            ("not armed", "RuntimeWatchdogSec"),
        ),
        (show(), {"run/systemd/system/x": ""}, OK, ("no hardware watchdog",)),
        (show(), {}, SKIP, ("systemd does not run",)),
    ],
)
async def test_services(
    rig: Rig, said: str, files: dict[str, str], result: Result, words: tuple[str, ...]
) -> None:
    """What was stopped for a repair and never started again is the commonest fault of all."""
    rig.programs["systemctl"] = said
    rig.tree.put(files)
    assert_says(await rig.run(services.CHECK), result, *words)


def started(reason: str, time: str) -> dict[str, Any]:
    """Return the event of a start."""
    return {"type": "gatehouse.gateway.started", "time": time, "data": {"reason": reason}}


@pytest.mark.parametrize(
    ("events", "result"),
    [
        ([started("crash", "2026-11-18T11:00:00.000000Z")], WARN),
        ([started("watchdog", "2026-11-18T11:00:00.000000Z")], WARN),
        ([started("crash", "2026-11-01T11:00:00.000000Z")], OK),
        ([started("command", "2026-11-18T11:00:00.000000Z"), {"type": "x"}], OK),
        ([started("crash", "some day")], OK),
    ],
)
async def test_restarts(rig: Rig, events: list[dict[str, Any]], result: Result) -> None:
    """A service is started a service again and again by systemd, and nobody notices."""
    rig.programs["systemctl"] = show()
    rig.tree.put(ARMED)
    async with rig.service({"events": {"events": events}}):
        assert_says(await rig.run(services.CHECK), result, *(["1 times"] if result is WARN else []))


def test_a_program_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    """Not every machine has vcgencmd or smartctl."""
    assert run_command([str(tmp_path / "none")]) is None
    assert run_command(["echo", "word"]) == "word\n"
    assert run_command(["true"]) is None
