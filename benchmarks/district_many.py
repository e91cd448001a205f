"""A district of many gateways: a thousand connections, their heartbeats, and a burst of alarms.

``python benchmarks/district_many.py [GATEWAYS]``; no part of ``run.py`` or CI. Each gateway is a
connection of its own to a plain mosquitto (no TLS: its handshakes are the broker's, not ours), with
a birth, heartbeats every 10 s, and one alarm in a burst of 2 s. All gateways share this one
process, whose own work is in the times to receipt.
"""

import asyncio
import contextlib
import json
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import aiomqtt
import httpx
import psutil

from figures import Spread
from gatehouse import events
from gatehouse.events import Event, Mode
from gatehouse_sim.broker import Broker
from gatehouse_sim.child import die_with_parent
from gatehouse_sim.school import short_folder

BEAT_S: Final = 10.0
BEATS: Final = 3
BURST_S: Final = 2.0
PAGES: Final = 10
_LIMIT_S: Final = 300.0
_AT_ONCE: Final = 20
_FILES: Final = 65_536


class Gateway:
    """One gateway: its connection, and how long its alarm took."""

    def __init__(self, number: int, port: int) -> None:
        self.id = f"gw-{number:05d}"
        self._topic = f"gatehouse/v1/{self.id}/"
        self._store = str(uuid4())
        self.client = aiomqtt.Client(
            "127.0.0.1", port, identifier=self.id, protocol=aiomqtt.ProtocolVersion.V5
        )
        self.took_ms = 0.0

    async def birth(self) -> None:
        """Say what it is."""
        await self.client.subscribe(self._topic + "down/#", qos=1)
        said = {
            "online": True, "store": self._store, "start": 1, "connection": 1, "bootid": "b",
            "version": "1", "started": events.rfc3339(time.time_ns()), "school": f"学校 {self.id}",
            "buttons": ["gate"], "cameras": ["gate"], "faults": [],
        }  # fmt: skip
        await self.client.publish(self._topic + "state", json.dumps(said), qos=1, retain=True)

    async def beat(self) -> None:
        """Send a heartbeat of the usual size."""
        said = {"time": events.rfc3339(time.time_ns()), "clock": "synced", "pad": "x" * 900}
        await self.client.publish(self._topic + "up/telemetry", json.dumps(said), qos=0)

    async def press(self) -> None:
        """Raise an alarm and wait for its receipt."""
        now_ns = time.time_ns()
        event = Event(
            id=events.uuid7(now_ns // 1_000_000, os.urandom(10)),
            source=f"/gatehouse/{self.id}",
            type=events.ALARM_RAISED,
            subject="button/gate",
            time=events.rfc3339(now_ns),
            store=self._store,
            sequence="00000001.0000000001",
            bootid="b",
            monotonic=str(now_ns),
            clock="synced",
            mode=Mode.REAL,
            data={"location": "南门门卫室", "held_at_start": False},
        )
        began = time.monotonic()
        await self.client.publish(self._topic + "up/alarm", events.encode(event), qos=1)
        async for message in self.client.messages:
            if event.id.encode() in bytes(message.payload):
                self.took_ms = (time.monotonic() - began) * 1000
                return


async def all_of(gateways: list[Gateway], work: Callable[[Gateway], Awaitable[None]]) -> None:
    """Have all do something, a few at a time."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(gateway: Gateway) -> None:
        async with places:
            await work(gateway)

    await asyncio.gather(*map(one, gateways))


async def spread(
    gateways: list[Gateway], over_s: float, work: Callable[[Gateway], Awaitable[None]]
) -> None:
    """Have all do something, evenly over a time."""

    async def one(number: int, gateway: Gateway) -> None:
        await asyncio.sleep(number * over_s / len(gateways))
        await work(gateway)

    await asyncio.gather(*(one(*each) for each in enumerate(gateways)))


async def page_ms(browser: httpx.AsyncClient, path: str) -> tuple[Spread, int]:
    """Load a page some times."""
    took: list[float] = []
    size = 0
    for _ in range(PAGES):
        began = time.monotonic()
        answer = await browser.get(path)
        took.append((time.monotonic() - began) * 1000)
        size = len(answer.content)
        answer.raise_for_status()
    return Spread.of(took), size


def say(what: str, found: object) -> None:
    """Print one figure."""
    sys.stdout.write(f"{what:<44} {found}\n")
    sys.stdout.flush()


def figure(each: Spread) -> str:
    """Write a spread in ms."""
    return f"p50 {each.p50:.1f}  p99 {each.p99:.1f}  max {each.max:.1f} ms (n={each.n})"


async def desk_pages(url: str, user: str, password: str, when: str) -> None:
    """Measure the desk's pages."""
    async with httpx.AsyncClient(base_url=url, timeout=_LIMIT_S) as browser:
        heads = {"origin": url.rstrip("/"), "sec-fetch-site": "same-origin"}
        form = {"name": user, "password": password}
        answer = await browser.post("/sign-in", data=form, headers=heads)
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise RuntimeError(f"the desk let nobody in: {answer.status_code}")
        for path in ("/gateways", "/"):
            found, size = await page_ms(browser, path)
            say(f"page {path} {when}", f"{figure(found)}, {size / 1000:.0f} kB")


async def measure(count: int, folder: Path) -> None:
    """Run all of it and print what was found."""
    async with Broker(folder / "broker", extra=("max_connections -1",)) as broker:
        port = int(broker.url.rpartition(":")[2])
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, str(Path(__file__).with_name("desk_server.py"))),
            *(broker.url, str(folder)),
            stdout=asyncio.subprocess.PIPE,
            preexec_fn=die_with_parent,
        )
        said = await server.stdout.readline() if server.stdout is not None else b""
        url, user, password = said.decode().split()
        process = psutil.Process(server.pid)
        say("receiver and desk, nothing connected, RSS", f"{rss_mb(process):.0f} MB")
        gateways = [Gateway(number, port) for number in range(count)]
        async with contextlib.AsyncExitStack() as stack:

            async def connect(gateway: Gateway) -> None:
                await stack.enter_async_context(gateway.client)

            began = time.monotonic()
            await all_of(gateways, connect)
            await all_of(gateways, Gateway.birth)
            say(f"{count} connected and born in", f"{time.monotonic() - began:.1f} s")
            await asyncio.sleep(2)
            await desk_pages(url, user, password, f"with {count} gateways")
            await beats(gateways, process)
            await burst(gateways, process)
            await desk_pages(url, user, password, f"with {count} open alarms")
        server.kill()
        await server.wait()


def rss_mb(process: psutil.Process) -> float:
    """Return the memory that a process holds."""
    return float(process.memory_info().rss) / 1e6


def cpu_s(process: psutil.Process) -> float:
    """Return the CPU time that a process has used."""
    times: Any = process.cpu_times()
    return float(times.user + times.system)


async def beats(gateways: list[Gateway], process: psutil.Process) -> None:
    """Measure what heartbeats cost."""
    before, began = cpu_s(process), time.monotonic()
    for _ in range(BEATS):
        await spread(gateways, BEAT_S, Gateway.beat)
    passed = time.monotonic() - began
    share = (cpu_s(process) - before) / passed
    rate = BEATS * len(gateways) / passed
    say(f"heartbeats, {rate:.0f}/s: CPU of one core", f"{share:.0%}, RSS {rss_mb(process):.0f} MB")


async def burst(gateways: list[Gateway], process: psutil.Process) -> None:
    """Measure a burst of alarms, one of each gateway."""
    before, began = cpu_s(process), time.monotonic()
    await spread(gateways, BURST_S, Gateway.press)
    passed = time.monotonic() - began
    found = Spread.of([each.took_ms for each in gateways])
    say(f"{len(gateways)} alarms in {BURST_S:.0f} s, receipted in", f"{passed:.2f} s")
    say("stored and receipted", f"{len(gateways) / passed:.0f}/s")
    say("alarm to its receipt", figure(found))
    cpu, held = cpu_s(process) - before, rss_mb(process)
    say("receiver and desk, for the burst", f"{cpu:.2f} s of CPU, RSS {held:.0f} MB")


def main() -> None:
    """Measure with as many gateways as asked for."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_FILES, hard), hard))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000

    async def limited() -> None:
        async with asyncio.timeout(_LIMIT_S):
            await measure(count, short_folder())

    asyncio.run(limited())


if __name__ == "__main__":
    main()
