"""sd_notify: what systemd is told, and that nothing of it can hold anything up."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatehouse.systemd import Notifier
from gatehouse_sim.school import short_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """Lend a folder whose name leaves room for a socket's path."""
    root = short_folder()
    yield root
    for path in root.iterdir():
        path.unlink()
    root.rmdir()


def listener(address: str | Path) -> socket.socket:
    """Listen as systemd does."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.settimeout(20)
    sock.bind(str(address))
    return sock


def test_lines_reach_a_socket_by_its_path(folder: Path) -> None:
    """Without it systemd would wait for READY until it kills a service that is well."""
    with listener(folder / "notify") as systemd:
        Notifier({"NOTIFY_SOCKET": str(folder / "notify")}).say("READY=1", "STATUS=守望中")
        assert systemd.recv(4096).decode() == "READY=1\nSTATUS=守望中"


def test_lines_reach_an_abstract_socket() -> None:
    """Without it a service in a container, where systemd gives such an address, never is ready."""
    name = f"gatehouse-test-{os.getpid()}"
    with listener(f"\0{name}") as systemd:
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).say("WATCHDOG=1")
        assert systemd.recv(4096) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", ["", "/nowhere/notify", "@nobody-listens", "x" * 300])
def test_a_systemd_that_does_not_listen_is_no_trouble(address: str) -> None:
    """Without it the service would end where it is run by hand, or when systemd restarts."""
    Notifier({"NOTIFY_SOCKET": address} if address else {}).say("READY=1")


def test_a_full_socket_is_not_waited_for(folder: Path) -> None:
    """Without it a systemd that hangs would hang the alarm with it."""
    with listener(folder / "notify"):
        notifier = Notifier({"NOTIFY_SOCKET": str(folder / "notify")})
        for _ in range(2000):  # nobody reads: the kernel's queue is full long before
            notifier.say("WATCHDOG=1")


def test_no_file_descriptor_left_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it a process out of descriptors would end at READY instead of going on."""

    def none_left(*_: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(socket, "socket", none_left)
    Notifier({"NOTIFY_SOCKET": "@somewhere"}).say("WATCHDOG=1")


@pytest.mark.parametrize(
    ("pid", "usec", "seconds"),
    [
        ("mine", "30000000", 30.0),
        ("", "500000", 0.5),
        ("another", "30000000", None),
        ("mine", "", None),
        ("mine", "soon", None),
        ("mine", "-5", None),
        ("mine", "1.5", None),
        ("mine", "0", None),
        ("mine", str(2**64 - 1), None),
    ],
)
def test_the_watchdogs_period_is_for_this_process_alone(
    pid: str, usec: str, seconds: float | None
) -> None:
    """Without it a child would feed its parent's dog, or a period of 0 would spin for ever."""
    pids = {"mine": str(os.getpid()), "another": str(os.getpid() + 1), "": ""}
    environ = {"WATCHDOG_PID": pids[pid], "WATCHDOG_USEC": usec}
    assert Notifier({key: value for key, value in environ.items() if value}).watchdog_s == seconds


def test_the_processes_own_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it a service that was given no environment would never be ready."""
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    assert Notifier().watchdog_s == 1.0
