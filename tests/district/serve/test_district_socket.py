"""What may be asked on the service's socket, and what is refused."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gatehouse.errors import ControlError
from gatehouse_district.errors import AnswerError, DistrictStoreError
from gatehouse_district.receiver.news import Bell
from gatehouse_district.serve.requests import Requests


class Answers:
    """Takes every answer but to ``gone`` and ``full``."""

    def __init__(self) -> None:
        self.given: list[tuple[str, str]] = []

    async def acknowledge(self, alarm: str, by: str) -> None:
        """Take it."""
        if alarm == "gone":
            raise AnswerError("there is no such alarm")
        if alarm == "full":
            raise DistrictStoreError("no space left")
        self.given.append((alarm, by))

    async def release_evidence(self, alarm: str, by: str) -> None:
        """Take it."""

    async def snapshot(self, gateway: str, camera: str, by: str) -> str:
        """Take it."""
        return f"{gateway}/{camera}/{by}"


async def test_an_answer() -> None:
    """Without it the answer would be in another's name."""
    answers = Answers()
    do = Requests(answers, Bell()).handlers()["acknowledge"]
    assert await do({"alarm": "a", "by": " 张 主任 "}) == {"alarm": "a"}
    assert answers.given == [("a", "张 主任")]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"alarm": "a"}, "malformed"),
        ({"alarm": 1, "by": "a"}, "malformed"),
        ({"alarm": "a", "by": " "}, "malformed"),
        ({"alarm": "a", "by": "a\nb"}, "malformed"),
        ({"alarm": "a", "by": "\x1b[2J"}, "malformed"),
        ({"alarm": "x" * 5000, "by": "a"}, "malformed"),
        ({"alarm": "gone", "by": "a"}, "refused"),
        ({"alarm": "full", "by": "a"}, "internal"),
    ],
)
async def test_what_is_no_answer(request_: dict[str, Any], code: str) -> None:
    """Without it a slip would be an answer, or a full disk look like a slip."""
    with pytest.raises(ControlError) as refused:
        await Requests(Answers(), Bell()).handlers()["acknowledge"](request_)
    assert refused.value.code == code


async def test_watching() -> None:
    """Without it a screen would ask a thousand times an hour, or show what was."""
    bell = Bell()
    changes = await Requests(Answers(), bell).handlers()["watch"]({})
    assert isinstance(changes, AsyncIterator)
    assert await anext(changes) == {"revision": 0}
    later = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    assert not later.done()
    bell.ring()
    assert await later == {"revision": 1}
