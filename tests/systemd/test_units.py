"""The units as systemd itself reads them: nothing to complain about, and a tight sandbox."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from gatehouse.service import ending
from systemd.units import HERE, SERVICES, UNITS, analyze, lay_out, settings, table

MOST_EXPOSED = 2.0
DISTRICT = "gatehouse-district.service"


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lend one root for all tests; nobody changes it."""
    return lay_out(tmp_path_factory.mktemp("root"))


@pytest.mark.parametrize("name", UNITS)
def test_systemd_has_nothing_to_say(root: Path, name: str) -> None:
    """Without it a misspelt key would be passed over on site: verify says so and returns 0."""
    assert analyze(root, "verify", name) == (0, "")


def test_systemd_does_speak_of_a_mistake(tmp_path: Path) -> None:
    """Without it the silence of the test above could be that of a root nobody looks into."""
    root = lay_out(tmp_path / "root")
    unit = root / "usr/lib/systemd/system" / "gatehouse-alarm.service"
    unit.write_text(unit.read_text().replace("RestartSec=", "RestartSecs="))
    assert "RestartSecs" in analyze(root, "verify", unit.name)[1]


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_locked_in(root: Path, name: str) -> None:
    """Without it a hole in a camera's library would be a hole in the gateway."""
    limit = f"--threshold={MOST_EXPOSED * 10:.0f}"
    code, said = analyze(root, "security", "--offline=true", limit, name)
    score = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert score is not None, said
    assert float(score[1]) <= MOST_EXPOSED
    assert code == 0, said


def test_the_sandbox_is_what_locks_them_in(tmp_path: Path) -> None:
    """Without it the file of the sandbox could be renamed, and every service go without."""
    root = lay_out(tmp_path / "root")
    (root / "usr/lib/systemd/system/gatehouse-.service.d/10-sandbox.conf").unlink()
    code, _ = analyze(root, "security", "--offline=true", "--threshold=20", SERVICES[0])
    assert code != 0


def conf(unit: str) -> str:
    """Return the file that makes a unit's users and folders: one for each package."""
    return "gatehouse-district.conf" if unit == DISTRICT else "gatehouse.conf"


@pytest.mark.parametrize("name", SERVICES)
def test_users_and_groups_are_made(name: str) -> None:
    """Without it a service would end with 216/GROUP or 217/USER before its first line."""
    rows = table(HERE / "sysusers.d" / conf(name))
    users = {row[1] for row in rows if row[0] == "u"}
    groups = users | {row[1] for row in rows if row[0] == "g"}
    unit = settings(HERE / name)
    assert set(unit["User"]) <= users
    assert set(unit["Group"]) <= groups
    members = {(row[1], row[2]) for row in rows if row[0] == "m"}
    assert {group for _, group in members} <= groups
    if name == DISTRICT:
        return  # a server, without wiring
    rules = (HERE / "udev" / "60-gatehouse.rules").read_text()
    for group in set(re.findall(r'GROUP="(\w+)"', rules)):
        assert (unit["User"][0], group) in members


@pytest.mark.parametrize("name", ["gatehouse-alarm.service", DISTRICT])
def test_folders_belong_to_whom_the_units_name(name: str) -> None:
    """Without it tmpfiles would, at each boot, take the folders away from the services."""
    unit = settings(HERE / name)
    rows = {row[1]: row for row in table(HERE / "tmpfiles.d" / conf(name))}
    for path, key in (("/run", "RuntimeDirectory"), ("/var/lib", "StateDirectory")):
        row = rows[f"{path}/{unit[key][0]}"]
        assert row[2:5] == [unit[f"{key}Mode"][0], unit["User"][0], unit["Group"][0]]
    open_to_all = name == DISTRICT  # where both sides are, the folder is two users'
    wanted = ["0755", "root", "root"] if open_to_all else ["0750", "root", unit["Group"][0]]
    assert rows["/etc/gatehouse"][2:5] == wanted


@pytest.mark.parametrize("file", ["gatehouse.conf", "gatehouse-district.conf"])
def test_systemd_takes_the_tables(tmp_path: Path, file: str) -> None:
    """Without it a mistake in them would be a warning at boot, and no user."""
    (tmp_path / "etc").mkdir()
    for program, folder in (("systemd-sysusers", "sysusers.d"), ("systemd-tmpfiles", "tmpfiles.d")):
        verbs = ["--create"] if program == "systemd-tmpfiles" else []
        ran = subprocess.run(
            [program, f"--root={tmp_path}", *verbs, str(HERE / folder / file)],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert not ran.stderr.replace(said_of_users(ran.stderr), "")
    assert "/usr/sbin/nologin" in (tmp_path / "etc" / "passwd").read_text()


def said_of_users(text: str) -> str:
    """Return the lines in which sysusers tells what it makes."""
    return "".join(
        line for line in text.splitlines(keepends=True) if line.startswith(("Creating", "Adding"))
    )


def test_the_alarm_comes_first() -> None:
    """Without it a busy camera could take processor, disk or memory from a press."""
    alarm, video = (settings(HERE / f"gatehouse-{name}.service") for name in ("alarm", "video"))
    for key in ("CPUWeight", "IOWeight"):
        assert int(alarm[key][0]) > 100 > int(video[key][0])
    assert int(alarm["OOMScoreAdjust"][0]) < 0 < int(video["OOMScoreAdjust"][0])
    assert alarm["LimitMEMLOCK"] == ["infinity"]
    assert {"MemoryMax", "TasksMax", "CPUQuota"} <= video.keys()


@pytest.mark.parametrize("name", ["gatehouse-alarm.service", "gatehouse-video.service", DISTRICT])
def test_a_service_is_restarted_for_ever(name: str) -> None:
    """Without it five crashes in ten seconds would leave the buttons dead until a visit."""
    unit = settings(HERE / name)
    assert unit["Restart"] == ["always"]
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert unit["Type"] == ["notify"]
    assert unit["WatchdogSec"]
    if name != DISTRICT:  # which shares its folder with nobody
        assert unit["RuntimeDirectoryPreserve"] == ["yes"]  # or the other one's sockets go with it


def test_how_the_service_ended_is_left_to_its_next_start(tmp_path: Path) -> None:
    """Without it a process that was stopped and killed by the watchdog would pass for a crash."""
    (line,) = settings(HERE / "gatehouse-alarm.service")["ExecStopPost"]
    assert line.startswith("-"), "a file that cannot be written is no reason to fail"
    command = shlex.split(line.removeprefix("-").replace("$$", "$"))  # as systemd reads it
    for result in ("watchdog", "exit-code"):  # hung, and then a start that came too early
        said = {"SERVICE_RESULT": result, "RUNTIME_DIRECTORY": str(tmp_path)}
        subprocess.run(command, env=said, timeout=60, check=True)
    with ending.watched(tmp_path) as hung:
        assert hung
    subprocess.run(command, env=said, timeout=60, check=True)
    with ending.watched(tmp_path) as hung:
        assert not hung


def test_the_time_servers_state_may_be_asked() -> None:
    """Without it every event would be marked unsynced: ProtectClock and @privileged refuse it."""
    sandbox = settings(HERE / "gatehouse-.service.d" / "10-sandbox.conf")
    lines = sandbox["SystemCallFilter"]
    assert lines.index("adjtimex clock_adjtime") > lines.index("~@privileged @resources")
    assert "ProtectClock" not in sandbox


def test_no_unit_filters_calls_before_the_sandbox_does() -> None:
    """Without it a call allowed in a unit would be refused again: drop-ins are read after it."""
    for name in SERVICES:
        assert "SystemCallFilter" not in settings(HERE / name)


def test_devices_are_reachable() -> None:
    """Without it the service would be safe from everything, and blind and deaf."""
    for name, devices in {
        "alarm": {"char-gpiochip rw"},
        "video": {"char-video4linux rw", "char-media rw", "char-dma_heap rw"},
    }.items():
        unit = settings(HERE / f"gatehouse-{name}.service")
        assert devices <= set(unit["DeviceAllow"])
    assert "PrivateDevices" not in settings(HERE / "gatehouse-.service.d" / "10-sandbox.conf")
    rules = (HERE / "udev" / "60-gatehouse.rules").read_text()
    assert re.search(r'KERNEL=="gpiochip\*", GROUP="gpio"', rules)
