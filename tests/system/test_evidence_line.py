"""Pictures on their way: never before an alarm, on the narrowest of lines; and on command."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gatehouse.control.server import ControlServer
from gatehouse.errors import ControlError
from gatehouse.threads import off_loop
from gatehouse.uplink.picture_file import MOST_BYTES
from gatehouse_sim.school import GATEWAY, Plan, School, opened
from system.ear import TOPICS, ear
from system.fault_steps import LONG_S, arrived, press, well
from system.slow_line import SlowLine

MBIT_S = 125_000.0
JPEG = b"\xff\xd8\xff\xe0"
COMMAND = "0b3c9d52-4f1e-4a57-9b1d-2f6e8a7c1d00"


def pictures(school: School, count: int) -> list[str]:
    """Write so many of the largest pictures into a bundle; return their paths."""
    folder = school.place.state_dir / "evidence" / "bundle"
    folder.mkdir(parents=True)
    body = JPEG + bytes(MOST_BYTES - len(JPEG))
    paths = [folder / f"{number:02d}-gate.small.jpg" for number in range(1, count + 1)]
    for path in paths:
        path.write_bytes(body)
    return [str(path) for path in paths]


async def queue(school: School, paths: list[str]) -> None:
    """Have pictures sent, as the video service does."""
    for number, path in enumerate(paths, 1):
        await school.agent.ask({"do": "picture", "alarm": "a", "number": number, "path": path})


async def test_an_alarm_waits_for_one_picture_at_most(school_root: Path) -> None:
    """Without it 40 pictures of an alarm would stand before the next press for half a minute."""
    async with (
        opened(school_root, Plan(tls=False), agent=False) as school,
        ear(school) as heard,
        SlowLine(school.broker.port, bytes_s=MBIT_S, delay_s=0.02) as line,
    ):
        text = school.place.config.read_text(encoding="utf-8")
        slow = f'brokers = ["mqtt://127.0.0.1:{line.port}"]'
        text = re.sub(r"brokers = \[.*\]", slow, text)
        school.place.config.write_text(text, encoding="utf-8")
        await school.agent.start()
        await well(school)
        await queue(school, pictures(school, 40))
        for _ in range(2):
            line.full.clear()
            async with asyncio.timeout(LONG_S):
                await line.full.wait()  # a picture is on the line this very moment
            before = len(heard.pictures())
            alarm = await press(school)
            place = await heard.alarm(alarm)
            assert (
                sum(each.startswith(TOPICS.pictures) for each in heard.heard[:place]) <= before + 1
            )
            await arrived(school.district, alarm)
        status = await school.agent.status()
        assert status["pictures"]["dropped"] == 0
        assert status["pictures"]["queued"] > 30
        assert status["link"]["connection"] == 1
        sent = heard.pictures()
        assert sent == [f"a/{number}" for number in range(1, len(sent) + 1)]


def _sent(count: int, status: dict[str, Any]) -> bool:
    return bool(status["pictures"]["sent"] == count)


@pytest.mark.campaign
@pytest.mark.parametrize(("bytes_s", "most"), [(12_500.0, 14_000), (4_000.0, 8000)])
async def test_on_a_narrow_line_the_next_pictures_are_small(
    school_root: Path, bytes_s: float, most: int
) -> None:
    """Without it each picture held a press up for five seconds, or cost the connection."""
    async with (
        opened(school_root, Plan(tls=False), agent=False) as school,
        ear(school) as heard,
        SlowLine(school.broker.port, bytes_s=bytes_s, delay_s=0.02) as line,
    ):
        text = school.place.config.read_text(encoding="utf-8")
        slow = f'brokers = ["mqtt://127.0.0.1:{line.port}"]'
        school.place.config.write_text(re.sub(r"brokers = \[.*\]", slow, text), encoding="utf-8")
        await school.agent.start()
        await well(school)
        sizes = [30_000]
        for number, path in enumerate(pictures(school, 6), 1):
            await off_loop(partial(os.truncate, path, sizes[-1]), name="cut", timeout_s=10)
            asked = {"do": "picture", "alarm": "a", "number": number, "path": path}
            await school.agent.ask(asked)
            await heard.until(number)
            await school.agent.wait_for(partial(_sent, number))
            asked["number"] = 1  # sent already: only what the line bears is asked
            sizes.append((await school.agent.ask(asked))["most_bytes"])
        assert max(sizes[1:]) <= most, sizes
        status = await school.agent.status()
        assert (status["pictures"]["dropped"], status["link"]["connection"]) == (0, 1)


@asynccontextmanager
async def video_service(school: School, asked: list[dict[str, Any]]) -> AsyncIterator[None]:
    """Run a stand-in for the video service: it has a picture of the gate, and one alarm's."""
    folder = school.place.state_dir / "evidence" / "snapshots"
    folder.mkdir(parents=True)
    path = folder / "gate.jpg"
    path.write_bytes(JPEG + b"gate")

    async def snapshot(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return {"camera": "gate", "path": str(path), "taken": "2026-11-26T05:22:11.000000Z"}

    async def release(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        if request["alarm"] != COMMAND:
            raise ControlError("no evidence of that alarm")
        return {"alarm": request["alarm"], "already": False}

    handlers = {"snapshot": snapshot, "evidence-release": release}
    server = ControlServer(school.place.runtime_dir / "video.sock", handlers)
    await server.start()
    yield
    await server.close()


CAMERA = """[[camera]]
name = "gate"
area = "general"
source = "rtsp://127.0.0.1:9/gate"
"""


async def test_commands_reach_the_video_service(school_root: Path) -> None:
    """Without it an officer could neither see the gate now nor let evidence go."""
    plan = Plan(tls=False, more=CAMERA)
    async with opened(school_root, plan) as school, ear(school) as heard:
        await well(school)
        gone = await school.district.ask(GATEWAY, {"command": "snapshot", "camera": "gate"})
        assert gone.body["reason"] == "the video service does not answer"
        asked: list[dict[str, Any]] = []
        async with video_service(school, asked):
            say = {"command": "release-evidence", "alarm": COMMAND, "by": "王"}
            assert (await school.district.ask(GATEWAY, say)).body["ok"]
            reply = await school.district.ask(GATEWAY, {**say, "alarm": "x"})
            assert reply.body["reason"] == "the video service refused: no evidence of that alarm"
            said = {"command": "snapshot", "camera": "gate", "id": COMMAND}
            assert (await school.district.ask(GATEWAY, said)).body["ok"]
            await heard.until(1)
        assert asked == [
            *(
                {"do": "evidence-release", "alarm": alarm, "by": "王", "via": "district"}
                for alarm in (COMMAND, "x")
            ),
            {"do": "snapshot", "camera": "gate"},
        ]
        assert heard.pictures() == [f"{COMMAND}/1"]
        status = await school.agent.wait_for(lambda s: s["pictures"]["sent"] == 1)
        assert status["pictures"] == {"queued": 0, "sent": 1, "dropped": 0}
