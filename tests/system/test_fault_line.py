"""The line itself: narrow and long, without names, and shared with a stranger of the same name."""

import asyncio
import re
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import SystemRandom

import pytest

from gatehouse_district.receiver.link import Link
from gatehouse_sim.school import GATEWAY, Plan, School, opened
from system.fault_steps import (
    LONG_S,
    ROOT,
    arrived,
    ended,
    in_own_mounts,
    press,
    stands,
    well,
    whole,
)
from system.slow_line import SlowLine

MBIT_S = 125_000.0
COMES_BACK_S = 0.7
"""About what another gateway waits before it connects again."""


def through(school: School, *urls: str) -> None:
    """Write the configuration with these brokers."""
    text = school.place.config.read_text(encoding="utf-8")
    section = "[district]" + text.partition("[district]")[2]
    brokers = ", ".join(f'"{url}"' for url in urls)
    school.write_config(district=re.sub(r"brokers = \[.*\]", f"brokers = [{brokers}]", section))


async def test_press_over_a_narrow_line_that_drains_a_backlog(school_root: Path) -> None:
    """At 1 Mbit/s a backlog must not stand between a press and the district for seconds."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        await school.agent.stop()
        async with SlowLine(school.broker.port, bytes_s=MBIT_S, delay_s=0.02) as line:
            through(school, school.broker.url)
            school.broker.freeze()
            await school.agent.start()
            for _ in range(150):
                await school.agent.ask({"do": "drill-start", "buttons": ["office"], "seconds": 60})
                await school.agent.ask({"do": "drill-stop"})
            await school.agent.stop()
            school.broker.thaw()
            through(school, f"mqtts://127.0.0.1:{line.port}")
            before = len(school.district.events())
            await school.agent.start()
            await school.district.wait_for(lambda d: len(d.events()) > before + 20)
            alarm = await press(school)
            pressed = len(school.district.events())
            await arrived(school.district, alarm)
            order = [record.id for record in school.district.events()]
            await well(school)
            total = len(school.district.events())
            assert total - before > 250
            assert order.index(alarm) - pressed < 60  # what was under way, and its brothers
            status = await school.agent.status()
            assert status["link"]["connection"] == 1
            await whole(school)


@contextmanager
def silent_name_server() -> Iterator[socket.socket]:
    """Open a name server that takes every question and answers none."""
    if not ROOT:
        pytest.skip("only root may listen on port 53 as a name server does")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        number = SystemRandom().randrange(1, 1 << 22)
        address = f"127.{64 + (number >> 16)}.{number >> 8 & 255}.{1 + number % 250}"
        server.bind((address, 53))
        server.setblocking(False)
        yield server


async def test_name_server_hangs(school_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At first the next broker must have the press; later the address known before will do."""
    with silent_name_server() as server:
        address = server.getsockname()[0]
        names = {"resolv.conf": f"nameserver {address}\noptions timeout:30 attempts:2\n"}
        names["hosts"] = ""
        for name, text in names.items():
            (school_root / name).write_text(text, encoding="utf-8")
        mounts = [f"mount --bind {school_root}/{name} /etc/{name}" for name in names]
        async with opened(school_root, Plan(), agent=False) as school:
            named = f"mqtts://localhost:{school.broker.port}"
            through(school, named, school.broker.url)
            in_own_mounts(monkeypatch, school_root, *mounts)
            await school.agent.start()
            first = await press(school)
            await arrived(school.district, first)
            assert (await school.agent.status())["link"]["broker"] == school.broker.url
            assert await asyncio.get_running_loop().sock_recv(server, 512)
            await school.agent.stop()
            through(school, named)
            (school_root / "hosts").write_text("127.0.0.1 localhost\n", encoding="utf-8")
            await school.agent.start()
            await well(school)
            (school_root / "hosts").write_text("", encoding="utf-8")
            await school.broker.stop()
            await school.agent.wait_for(lambda s: s["link"]["state"] != "connected")
            second = await press(school)
            await school.broker.start()
            await arrived(school.district, second)
            await well(school)
            await whole(school)


@asynccontextmanager
async def stranger(school: School) -> AsyncIterator[None]:
    """Have another client with the gateway's own id and certificate, which always comes back."""
    loop = asyncio.get_running_loop()
    files = school.authority.folder
    context = ssl.create_default_context(cafile=files / "ca.pem")
    context.load_cert_chain(files / f"{GATEWAY}.pem", files / f"{GATEWAY}.key")

    async def insist() -> None:
        while True:
            link = Link(deque(), lambda _link, _message, _retained: None)
            try:
                await link.open(school.broker.url, context, GATEWAY, clean=True, expiry_s=0)
                await asyncio.shield(link.closed)
            finally:
                link.abort()
            pause: asyncio.Future[None] = loop.create_future()
            loop.call_later(COMES_BACK_S, pause.set_result, None)
            await pause

    insisting = asyncio.create_task(insist())
    try:
        yield
        assert not insisting.done()
    finally:
        insisting.cancel()
        await asyncio.wait((insisting,))


async def test_stranger_with_our_id(school_root: Path) -> None:
    """Two gateways with one id throw each other out: a fault and a pause, but not for a press."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        async with stranger(school):
            fault = await stands(school, "duplicate-id")
            assert GATEWAY in fault["text"]
            await school.agent.wait_for(lambda s: s["link"]["state"] == "offline")
            opened_yet = (await school.agent.status())["link"]["connection"]
            alarm = await press(school)
            await arrived(school.district, alarm, timeout_s=25)  # and not after the pause of 30 s
            assert (await school.agent.status())["link"]["connection"] > opened_yet
        await well(school)
        await whole(school)


@pytest.mark.campaign
async def test_stranger_with_our_id_is_waited_out(school_root: Path) -> None:
    """Without a press the agent tries again after 30 s, and the fault ends once it is alone."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        async with stranger(school):
            await stands(school, "duplicate-id")
        await well(school, timeout_s=LONG_S)
        await ended(school, "duplicate-id", timeout_s=120)
        await whole(school)
