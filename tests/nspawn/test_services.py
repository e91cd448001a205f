"""The services under a real systemd, sandboxed, from the press to the district's disk."""

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

from gatehouse.clock import SystemClock
from gatehouse.events import GATEWAY_STARTED
from gatehouse.events import SELFTEST_REPORT as REPORT
from nspawn.gateway import ALARM, VIDEO, Gateway

SELFTEST = "gatehouse-selftest.service"
OF_A_CONTAINER = {"clock"}
"""What cannot be well where there is no hardware."""


def test_a_press_arrives(gateway: Gateway) -> None:
    """Without it the sandbox could keep a press from wiring, disk, key or network."""
    gateway.press()

    def received() -> bool:
        return bool(gateway.status().get("outbox", {}).get("pending_alarms") == 0)

    gateway.container.wait_for(received, "the receipt")


def host_status(gateway: Gateway, unit: str) -> dict[str, str]:
    """Return /proc/PID/status of a unit's main process."""
    text = (gateway.container.inside / "proc" / str(gateway.pid(unit)) / "status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def may_raise_limits() -> bool:
    """Whether this machine's root has CAP_SYS_RESOURCE (bit 24), and so the container's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (held,) = (int(line.split()[1], 16) for line in lines if line.startswith("CapBnd"))
    return bool(held >> 24 & 1)


def test_the_alarm_service_is_locked_in(gateway: Gateway) -> None:
    """Without it systemd could have passed over what it cannot do here, and nobody would know."""
    status = host_status(gateway, ALARM)
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["Uid"].split()[0] != "0"
    if may_raise_limits():  # a machine that is a guest itself may not
        assert int(status["VmLck"].split()[0]) > 0  # and it may lock its memory all the same


def test_the_key_is_roots_alone(gateway: Gateway) -> None:
    """Without it the key would have to be readable by the service for as long as it runs."""
    key = gateway.container.root / "etc/gatehouse/gateway.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.stat().st_uid == 0
    assert gateway.status()["link"]["state"] == "connected"  # by that very key


def test_the_certificate_is_looked_at_in_its_sandbox(gateway: Gateway) -> None:
    """Without it the sandbox could keep the renewal from its libraries, key or state folder."""
    unit = "gatehouse-renew.service"
    gateway.container.run("systemctl", "start", unit)
    assert gateway.container.show(unit, "Result") == "success"
    assert gateway.container.show(unit, "ExecMainStatus") == "0"
    said = gateway.container.run("journalctl", "--no-pager", "--unit", unit)
    assert re.search(r"a new one is due on|起续签", said), said


def test_the_clock_may_be_asked(gateway: Gateway) -> None:
    """Without it every event would be marked unsynced: the sandbox refuses adjtimex by default."""
    words = {True: "synced", False: "unsynced"}
    assert gateway.status()["clock"] == words[SystemClock().synced()]


def test_the_heartbeat_sees_the_machine(gateway: Gateway) -> None:
    """Without it a hidden /proc would leave load and memory out of every heartbeat, in silence."""
    pid = str(gateway.pid())
    spaces = [f"--target={pid}", "--mount", "--root"]
    for name in ("loadavg", "meminfo", "sys/kernel/random/boot_id"):
        assert gateway.container.run("nsenter", *spaces, "cat", f"/proc/{name}")


def test_a_killed_service_is_restarted(gateway: Gateway) -> None:
    """Without it a crash would leave the buttons dead until somebody notices."""
    restarts = int(gateway.container.show(ALARM, "NRestarts"))
    gateway.container.run("kill", "-KILL", str(gateway.pid()))
    gateway.wait_for_restart(restarts + 1)
    gateway.wait_until_connected()
    gateway.press()


def test_a_hung_service_is_restarted(gateway: Gateway) -> None:
    """Without it a process that hangs would look alive for ever."""
    restarts = int(gateway.container.show(ALARM, "NRestarts"))
    gateway.container.run("kill", "-STOP", str(gateway.pid()))
    gateway.wait_for_restart(restarts + 1)
    gateway.wait_until_connected()
    gateway.press()
    journal = gateway.container.run("journalctl", "--no-pager", f"--unit={ALARM}")
    assert "Watchdog timeout" in journal
    told = gateway.container.run("gatehouse", "events", "--json")
    started = [e for e in json.loads(told)["events"] if e["type"] == GATEWAY_STARTED]
    newest = max(started, key=lambda event: str(event["sequence"]))
    assert newest["data"]["reason"] == "watchdog"  # a stopped process cannot say so itself


def test_the_video_service_comes_back(gateway: Gateway) -> None:
    """Without it a library that crashes or hangs would leave every camera unwatched."""
    show, run = gateway.container.show, gateway.container.run
    gateway.wait_for_restart(0, VIDEO)
    assert host_status(gateway, VIDEO)["Seccomp"] == "2"
    for how, signal_name in enumerate(("-KILL", "-STOP"), int(show(VIDEO, "NRestarts")) + 1):
        run("kill", signal_name, str(gateway.pid(VIDEO)))
        gateway.wait_for_restart(how, VIDEO)


def test_a_camera_is_watched_and_recorded(gateway: Gateway) -> None:
    """Without it the sandbox could keep PyAV, numpy, ffmpeg or the recordings' folder away."""
    gateway.wait_for_restart(0, VIDEO)
    gateway.add_camera()
    run = gateway.container.run

    def verdict() -> str | None:
        said = json.loads(run("gatehouse", "cameras", "--json", check=False) or "{}")
        return next((camera["verdict"] for camera in said.get("cameras", [])), None)

    gateway.container.wait_for(lambda: verdict() == "ok", "the camera's picture to be well")
    kept = gateway.container.root / "srv/recordings/yard"
    gateway.container.wait_for(
        lambda: any(path.stat().st_size for path in kept.rglob("*.mp4")), "a recording on disk"
    )
    gateway.press()


def test_a_self_test_runs_in_its_sandbox(gateway: Gateway) -> None:
    """Without it the test of every night could be kept from sockets, disk, key or broker."""
    gateway.container.run("systemctl", "start", SELFTEST)

    def reports() -> list[dict[str, Any]]:
        said = json.loads(gateway.container.run("gatehouse", "events", "--json"))
        told = (one for one in said["events"] if one["type"] == REPORT and not one["pending"])
        return [one["data"] for one in told if not one["data"].get("trial")]

    gateway.container.wait_for(lambda: bool(reports()), "the report at the district")
    found = {check["name"]: check["result"] for check in reports()[-1]["checks"]}
    assert {name for name, result in found.items() if result == "FAIL"} <= OF_A_CONTAINER
    assert all(found[name] == "OK" for name in ("configuration", "wiring", "outbox", "broker"))


def test_video_does_not_take_the_alarms_folders_away(gateway: Gateway) -> None:
    """Without it a stop of one service would delete the sockets of the other."""
    gateway.container.run("systemctl", "stop", VIDEO)
    gateway.press()
    gateway.container.run("systemctl", "start", "--no-block", VIDEO)


def test_a_reboot_brings_it_back(gateway: Gateway) -> None:
    """Without it a power cut would be the end: nobody types systemctl start in a gatehouse."""
    gateway.container.shut_down()
    gateway.container.boot()
    gateway.open_district()
    gateway.wait_until_connected()
    gateway.press()


def test_nothing_is_left_running(gateway: Gateway) -> None:
    """Without it the tests would leave containers on the machine that they ran on."""
    leader = int(gateway.container.inside.parent.name)
    os.kill(leader, signal.SIGCONT)  # it lives
    gateway.container.shut_down()
    assert not Path(f"/proc/{leader}").exists()
