"""The service as a process, with a broker of its own: start, answer, stop, kill."""

import asyncio
import json
import shutil
import signal
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from district.cli.conftest import ALARM, SCHOOL, event
from district.serve.running import LIMIT_S, Running, district
from gatehouse.errors import ControlError
from gatehouse_sim.authority import Authority
from gatehouse_sim.broker import Broker
from sim.paho_gateway import PahoGateway, connected

NOBODY = 0x10
"""PUBACK: no subscriber."""
RAISED = event(
    SCHOOL, 1, "alarm.raised", "button/gate", data={"location": "南门", "held_at_start": False}
) | {"id": ALARM}


@pytest.fixture
async def one() -> AsyncIterator[Running]:
    """Lend a district that was not started."""
    async with district() as running:
        yield running


async def pressed(gateway: PahoGateway) -> None:
    """Press, as soon as the district listens; returns when it has the alarm on disk."""
    topic = f"gatehouse/v1/{SCHOOL}/up/alarm"
    async with asyncio.timeout(LIMIT_S):
        while await gateway.publish(topic, json.dumps(RAISED)) == NOBODY:
            pass  # each try is an answer of the broker's
    assert await gateway.receipted(1) == [ALARM]


async def test_from_a_press_to_the_answer(one: Running, tmp_path: Path) -> None:
    """Without it everything could be right by itself, and no alarm be answered."""
    async with Broker(tmp_path / "broker") as broker:
        one.configure(broker.url)
        await one.start()
        watching = one.watch()
        async with connected(broker.url, SCHOOL) as gateway, asyncio.timeout(LIMIT_S):
            await pressed(gateway)
            while not (found := await anext(watching)):
                pass  # woken by the change, not by a clock
            assert (found[0]["id"], found[0]["stage"]) == (ALARM, "received")
            code, said = await one.typed("acknowledge", ALARM[-8:], "--by", "张主任")
            assert code == 0, said
            command = json.loads((await gateway.next()).payload)
            assert [command[key] for key in ("command", "alarm", "by")] == [
                "acknowledge",
                ALARM,
                "张主任",
            ]
            with pytest.raises(ControlError):
                await one.ask({"do": "acknowledge", "alarm": ALARM, "by": "another"})
            while found[0]["stage"] == "received":
                found = await anext(watching)
            assert found[0]["acknowledged_by"] == "张主任"
        await watching.aclose()
        assert await one.end() == 0
    assert "ERROR" not in one.log
    assert "CRITICAL" not in one.log


async def test_what_was_receipted_outlives_a_kill(one: Running, tmp_path: Path) -> None:
    """Without it a power cut would take what the gateway has been told is safe."""
    async with Broker(tmp_path / "broker") as broker:
        one.configure(broker.url)
        await one.start()
        second = one.begin()
        async with connected(broker.url, SCHOOL) as gateway:
            await pressed(gateway)
        assert await asyncio.to_thread(second.wait, LIMIT_S) == 1
        assert "another one runs here already" in one.log
        await one.end(signal.SIGKILL)
        await one.start()  # neither lock nor socket of the killed one is in the way
        await one.ask({"do": "acknowledge", "alarm": ALARM, "by": "a"})
        assert await one.end() == 0


async def test_the_receiver_does_not_die_of_desk_or_broker(one: Running, tmp_path: Path) -> None:
    """Without it a web page's lost certificate, or a late broker, would leave a district deaf."""
    authority = Authority.make(tmp_path, datetime.now(UTC))
    pair = authority.server(["localhost"], file="desk")
    broker = Broker(tmp_path / "broker")
    one.configure(broker.url, desk='cert = "desk.pem"\nkey = "desk.key"')
    await one.start(WATCHDOG_USEC="600000")
    await one.until_logged("the desk does not work")
    async with broker, connected(broker.url, SCHOOL) as gateway:
        await pressed(gateway)
        for file in (pair.cert, pair.key):
            shutil.copy(file, one.root / file.name)
        await one.until_logged("the desk works again")
        context = ssl.create_default_context(cafile=authority.ca)
        _, writer = await asyncio.open_connection("localhost", one.port, ssl=context)
        writer.close()
        assert one.process is not None
        (one.root / "desk.pem").write_text("nonsense")
        one.process.send_signal(signal.SIGHUP)
        await one.until_logged("the old certificate stays")
        assert await one.end() == 0
    assert one.log.count("does not work") == 1
    assert one.log.count("cannot reach") == 1


BROKER = '[broker]\nurl = "mqtt://127.0.0.1:1"\n'
FILES = 'ca = "a"\ncert = "b"\nkey = "c"\n'
HERE = '[district]\nname = "a"\nruntime_dir = "r"\n'


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (f'{HERE}{BROKER}[desk]\nlisten = "0.0.0.0:8443"\n', 2, "plain HTTP"),
        (
            HERE + 'state_dir = "s"\n[broker]\nurl = "mqtts://localhost:1"\n' + FILES,
            1,
            "[broker]",
        ),
    ],
    ids=["plain http", "no certificate"],
)
async def test_what_it_does_not_start_with(one: Running, text: str, code: int, said: str) -> None:
    """Without it a mistake would be a service that looks alive, or a traceback."""
    one.file.write_text(text, encoding="utf-8")
    process = one.begin()
    assert await asyncio.to_thread(process.wait, LIMIT_S) == code
    assert said in one.log
    assert "Traceback" not in one.log
