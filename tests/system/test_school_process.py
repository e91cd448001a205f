"""The agent as a process: systemd's protocol, SIGTERM, a second instance, a foreign board."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatehouse_sim.agent import Agent, Place
from gatehouse_sim.district import Manners
from gatehouse_sim.school import GATEWAY, School, opened
from gatehouse_sim.wires import CLOSED, OPEN
from system.seen import (
    LIMIT_S,
    OFFICE_PIN,
    PLAN,
    at_rest,
    gatehouse,
    press,
    pressed,
    set_pin,
    stage,
    told,
)


class Systemd:
    """Hears what the agent says to systemd."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.said: list[str] = []

    async def hears(self, line: str) -> None:
        """Wait until a line is said that was not waited for before."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(LIMIT_S):
            while True:
                lines = (await loop.sock_recv(self._socket, 4096)).decode().splitlines()
                self.said += lines
                if line in lines:
                    return

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()


@pytest.fixture
async def systemd(school_root: Path) -> AsyncIterator[Systemd]:
    """Listen as systemd does."""
    systemd = Systemd(school_root / "systemd.sock")
    yield systemd
    systemd.close()


async def test_systemd_is_told_of_each_step(school_root: Path, systemd: Systemd) -> None:
    """Without it systemd would restart a healthy agent, or keep a dead one."""
    async with opened(school_root, PLAN, agent=False) as school:
        await school.agent.start(
            wait=False, NOTIFY_SOCKET=str(school_root / "systemd.sock"), WATCHDOG_USEC="600000"
        )
        await systemd.hears("READY=1")
        assert any(line.startswith("STATUS=") for line in systemd.said)
        await at_rest(school)
        await systemd.hears("WATCHDOG=1")
        await systemd.hears("WATCHDOG=1")
        assert school.district.alarms() == []  # its probe is no press
        assert await school.agent.stop() == 0
        await systemd.hears("STOPPING=1")


async def test_watchdog_does_not_wait_for_the_network(school_root: Path, systemd: Systemd) -> None:
    """Without it a broker that hangs would get an agent killed that holds presses in memory."""
    async with opened(school_root, PLAN, agent=False) as school:
        await school.agent.start(
            wait=False, NOTIFY_SOCKET=str(school_root / "systemd.sock"), WATCHDOG_USEC="600000"
        )
        await systemd.hears("WATCHDOG=1")
        school.broker.freeze()
        press(school)
        for _ in range(5):
            await systemd.hears("WATCHDOG=1")
        school.broker.thaw()
        await stage(school, "received", line="normal")


async def test_press_right_before_the_end_is_stored(school: School) -> None:
    """Without it an update at the wrong moment would swallow an alarm."""
    await school.broker.stop()
    await school.agent.wait_for(lambda s: s["link"]["state"] != "connected")
    set_pin(school, OFFICE_PIN, CLOSED)  # the edge is given when this returns
    began = time.monotonic()
    assert await school.agent.stop() == 0
    assert time.monotonic() - began < 40  # generous: the aim is 2 s
    await school.agent.start(levels={OFFICE_PIN: OPEN})
    row = await stage(school, "idle", "office")  # turned back while nobody looked
    await school.broker.start()
    (alarm,) = await told(school, "alarm.raised")
    assert alarm.id == row["last_alarm"]
    assert alarm.event.start == 1
    await told(school, "alarm.released")
    await told(school, "alarm.reset")
    await at_rest(school)
    assert school.district.missing(GATEWAY) == []


async def test_press_right_before_the_end_is_heard_only_once(school: School) -> None:
    """Without it the press at the end would come again as one that was held at start."""
    school.district.manners = Manners(receipts=False)
    set_pin(school, OFFICE_PIN, CLOSED)
    assert await school.agent.stop() == 0
    school.district.manners = Manners()
    await school.agent.start(levels={OFFICE_PIN: CLOSED})
    await stage(school, "received", "office", line="active")
    await at_rest(school)
    assert len(school.district.alarms()) == 1


async def test_second_instance_gives_way(school: School) -> None:
    """Without it a second start by hand would steal the buttons from the one that watches."""
    before = await school.agent.status()
    second = Agent(Place(school.place.root))
    await second.start(wait=False)
    assert await second.wait() == 1
    assert "another one runs here already" in school.place.log.read_text(encoding="utf-8")
    after = await school.agent.status()
    assert after["link"] == before["link"]
    await pressed(school)
    assert len(await told(school, "gateway.started")) == 1


async def test_board_that_is_not_meant_is_refused(school_root: Path) -> None:
    """Without it an agent on gpiozero's mock pins would watch nothing, and look well."""
    async with opened(school_root, PLAN, agent=False) as school:
        for factory in ("mock", "native", "rpigpio", "nonsense"):
            await school.agent.start(wait=False, GPIOZERO_PIN_FACTORY=factory)
            assert await school.agent.wait() == 1
            assert factory in school.place.log.read_text(encoding="utf-8")
        assert school.district.states == []
        assert (await gatehouse(school, "status")).code == 3


async def test_edge_thread_that_dies_ends_the_process(school: School) -> None:
    """Without it an agent that hears no button would go on saying that all is well."""
    with school.wires() as wires:
        wires.request("stop-thread")
    assert await school.agent.wait() == 1
    await school.agent.start()
    started = await told(school, "gateway.started", 2)
    assert started[-1].event.data["reason"] == "crash"
    await pressed(school)


async def test_a_service_that_systemds_watchdog_ended_says_so(school: School) -> None:
    """Without it nobody could tell a hang, with where it was, from a crash."""
    os.kill(school.agent.pid, signal.SIGABRT)
    assert await school.agent.wait() == -signal.SIGABRT
    await school.agent.kill()
    await school.agent.start()
    started = (await told(school, "gateway.started", 2))[-1]
    assert started.event.data["reason"] == "watchdog"
    # the whole log: with many threads what the process was at fills more than its tail
    assert "was aborted" in school.agent.log.read_text(encoding="utf-8")
    await school.agent.kill()
    await school.agent.start()
    started = (await told(school, "gateway.started", 3))[-1]
    assert started.event.data["reason"] == "crash", "what it wrote counts once"
