"""The private mosquitto: there when it says so, gone when it should be, always on one port."""

import asyncio
import os
import select
import signal
import socket
import sys
from pathlib import Path

import pytest

from gatehouse_sim import rules as module
from gatehouse_sim.broker import Broker
from gatehouse_sim.rules import relocate, rules
from sim.paho_gateway import LIMIT_S, PahoGateway, connected

STATE = "gatehouse/v1/gw-1/state"


def state_of(pid: int) -> str:
    """Return the letter by which the kernel tells what a process does (proc(5))."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    return stat.rpartition(")")[2].split()[0]


async def retained(url: str) -> list[bytes]:
    """Return what a new client is told of the state at once."""
    gateway = PahoGateway("looker")
    try:
        await gateway.connect(url)
        await gateway.subscribe("#")
        await gateway.publish("end", b"end")
        said = []
        while (message := await gateway.next()).topic != "end":
            said.append(bytes(message.payload))
        return said
    finally:
        await gateway.close()


async def test_it_serves_when_start_returns_and_keeps_its_port(tmp_path: Path) -> None:
    """Without it tests would have to sleep after a start, or learn a new address each time."""
    async with Broker(tmp_path) as broker:
        url = broker.url
        assert await retained(url) == []
        await broker.restart()
        assert broker.url == url
        assert await retained(url) == []


async def test_its_port_is_nobody_elses_while_it_is_away(tmp_path: Path) -> None:
    """Without it another test, or the agent's own socket, could sit where the broker comes back."""
    async with Broker(tmp_path) as broker:
        await broker.kill()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", broker.port)
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", broker.port))
        await broker.start()
        assert await retained(broker.url) == []


async def test_an_orderly_stop_keeps_its_memory_and_a_kill_does_not(tmp_path: Path) -> None:
    """Without it the fact that a PUBACK is not storage could not be tested against."""
    async with Broker(tmp_path) as broker:
        async with connected(broker.url, "gw-1") as gateway:
            assert await gateway.publish(STATE, b"kept", retain=True) < 0x80
        await broker.restart()
        async with connected(broker.url, "gw-1") as gateway:
            assert await gateway.publish(STATE, b"lost", retain=True) < 0x80
        await broker.kill()
        await broker.start()
        assert await retained(broker.url) == [b"kept"]


async def test_frozen_it_answers_nothing_until_it_is_thawed(tmp_path: Path) -> None:
    """Without it the agent's deadlines could not be tested on a broker that hangs."""
    async with Broker(tmp_path) as broker, connected(broker.url, "gw-1") as gateway:
        broker.freeze()
        assert state_of(broker.pid) == "T"
        waiting = asyncio.create_task(gateway.publish(STATE, b"x"))
        _, writer = await asyncio.open_connection("127.0.0.1", broker.port)
        writer.close()
        assert not waiting.done()
        broker.thaw()
        assert await waiting < 0x80


async def test_a_frozen_one_can_be_stopped(tmp_path: Path) -> None:
    """Without it a test that fails while the broker is frozen would never end."""
    async with Broker(tmp_path) as broker:
        broker.freeze()


async def test_access_rules_can_be_taken_away_and_given_back(tmp_path: Path) -> None:
    """Without it a gateway's way out of a refusal could not be tested on one connection."""
    acl = "topic readwrite #\n"
    async with Broker(tmp_path, acl=acl) as broker, connected(broker.url, "gw-1") as gateway:
        assert await gateway.publish(STATE, b"x") < 0x80
        await broker.set_acl("topic read #\n")
        assert await gateway.publish(STATE, b"x") == 0x87
        await broker.set_acl(acl)
        assert await gateway.publish(STATE, b"x") < 0x80


async def test_extra_lines_are_heard_and_mistakes_are_told(tmp_path: Path) -> None:
    """Without it a wrong line would look like a broker that is slow to start."""
    async with Broker(tmp_path / "a", extra=["max_connections 1"]) as broker:
        assert "running" in broker.log
    with pytest.raises(ChildProcessError, match="no_such_option"):
        async with Broker(tmp_path / "b", extra=["no_such_option 1"]):
            pass


async def test_a_port_that_is_taken_is_refused_at_once(tmp_path: Path) -> None:
    """Without it a person who names a port would wait for a broker that cannot come."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        Broker(tmp_path, port=taken.getsockname()[1])


async def test_it_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    """Without it each killed test run would leave a broker behind."""
    code = (
        "import asyncio, pathlib, sys\n"
        "from gatehouse_sim.broker import Broker\n"
        "async def main():\n"
        "    broker = Broker(pathlib.Path(sys.argv[1]))\n"
        "    await broker.start()\n"
        "    print(broker.pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    pid = int(await child.stdout.readline())
    handle = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGSTOP)  # not even a frozen one stays
        child.kill()
        await child.wait()
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        assert await asyncio.to_thread(poll.poll, LIMIT_S * 1000)
    finally:
        os.close(handle)


def test_only_port_paths_and_address_are_moved(tmp_path: Path) -> None:
    """Without it what the tests run could drift from what a district installs."""
    given = (rules() / "mosquitto.conf").read_text(encoding="utf-8")
    moved = relocate(given, port=1234, place=tmp_path, tls=True)
    changed = [
        (old, new)
        for old, new in zip(given.splitlines(), moved.splitlines(), strict=True)
        if old != new
    ]
    assert changed[0] == ("listener 8883", "listener 1234 127.0.0.1")
    for old, new in changed[1:]:
        assert new == old.replace("/etc/mosquitto/gatehouse", str(tmp_path))


def test_the_plain_one_differs_only_in_who_may_come(tmp_path: Path) -> None:
    """Without it benchmarks would run with other limits than the district's."""
    given = (rules() / "mosquitto.conf").read_text(encoding="utf-8")
    secure = set(relocate(given, port=1234, place=tmp_path, tls=True).splitlines())
    plain = set(relocate(given, port=1234, place=tmp_path, tls=False).splitlines())
    assert plain - secure == {"allow_anonymous true"}
    assert {line.split()[0] for line in secure - plain} == {
        "cafile",
        "certfile",
        "keyfile",
        "tls_version",
        "require_certificate",
        "use_identity_as_username",
        "allow_anonymous",
        "acl_file",
        "crlfile",
    }


def test_a_file_that_cannot_be_moved_is_refused(tmp_path: Path) -> None:
    """Without it a changed file could start a broker on the district's own port."""
    with pytest.raises(ValueError, match="listener 8883"):
        relocate("listener 8884\n", port=1, place=tmp_path, tls=True)


def test_the_rules_are_found_in_an_installed_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the demo would run only from a checkout."""
    installed = tmp_path / "gatehouse_sim" / "district_rules"
    installed.mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(installed.parent / "rules.py"))
    with pytest.raises(FileNotFoundError):
        rules()
    (installed / "mosquitto.conf").touch()
    assert rules() == installed.resolve()
