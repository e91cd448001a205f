"""The control socket's handlers: what is malformed is refused with words, and never a crash."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import pytest

from gatehouse import events
from gatehouse.control import protocol
from gatehouse.errors import ControlError
from gatehouse.service import documents
from gatehouse.service.requests import ACTS, Watchers
from service.house import LIMIT_S, joined

Lines = AsyncGenerator[dict[str, Any], None]

ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    10**400,
    -(10**400),
    1e308,
    "",
    "gate",
    "no-such-button",
    "x" * 10_000,
    "\x00\n",
    [],
    ["gate"],
    ["gate", 7],
    [["gate"]],
    {},
    {"gate": 1},
]
FIELDS = {
    "status": ("anything",),
    "events": ("limit", "pending"),
    "reset": ("button", "by", "reason"),
    "drill-start": ("buttons", "seconds"),
    "drill-stop": ("anything",),
    "blink": ("seconds", "sound"),
    "outbox-check": ("anything",),
    "selftest-report": ("report",),
    "watch": ("anything",),
    "follow": ("anything",),
}


@pytest.mark.parametrize("do", FIELDS)
async def test_whatever_is_asked_is_answered_or_refused_with_words(tmp_path: Path, do: str) -> None:
    """Without it one odd request would be an "internal error", and a defect nobody reads about."""
    async with joined(tmp_path) as house:
        handler = house.requests()[do]
        for values in itertools.product(ODD, repeat=len(FIELDS[do])):
            request = {"do": do, **dict(zip(FIELDS[do], values, strict=True))}
            with contextlib.suppress(ControlError):
                answer = await handler(request)
                if isinstance(answer, AsyncGenerator):
                    await answer.aclose()
                else:
                    json.loads(protocol.granted(answer))


async def test_what_is_logged_with_its_asker_is_asked_here(tmp_path: Path) -> None:
    """Without it a request that got another name would be done without a trace."""
    async with joined(tmp_path) as house:
        known = house.requests().keys() | {"walktest"}
    assert known >= ACTS


async def test_a_reset_needs_a_name_a_reason_and_a_button(tmp_path: Path) -> None:
    """Without it the log could not say who ended an alarm, and why."""
    async with joined(tmp_path) as house:
        reset = house.requests()["reset"]
        good = {"button": "gate", "by": " 李保安 ", "reason": "real"}
        house.press()
        wrongs: list[dict[str, Any]] = [
            {"by": ""},
            {"by": "  "},
            {"by": "x" * 101},
            {"by": 7},
            {"by": None},
            {"reason": "key"},
            {"reason": "REAL"},
            {"reason": ["real"]},
            {"button": "hall"},
            {"button": None},
            {"button": ["gate"]},
        ]
        for wrong in wrongs:
            with pytest.raises(ControlError):
                await reset({**good, **wrong})
            assert documents.buttons(house.rooms)[0]["alarm"] != "idle"
        assert (await reset(good))["alarms"] == 1
        assert (await reset(good))["alarms"] == 0
        told = [event for event in await house.told() if event.type == events.ALARM_RESET]
        assert [(event.data["by"], event.data["reason"]) for event in told] == [("李保安", "real")]


async def test_the_event_log_shows_each_events_own_json(tmp_path: Path) -> None:
    """Without it what is read on site would not be what the district was sent."""
    async with joined(tmp_path) as house:
        asked = house.requests()["events"]
        alarm = house.press()
        told = await house.told()
        house.outbox.received([told[0].id])
        house.voice.fault("mark", True)  # what the disk writes behind the receipt
        told = await house.told()
        answer = json.loads(protocol.granted(await asked({"limit": 100})))
        assert [row.pop("pending") for row in answer["events"]] == [False, True, True, True]
        assert [json.dumps(row) for row in answer["events"]] == [
            json.dumps(json.loads(events.encode(event))) for event in told
        ]
        answer = json.loads(protocol.granted(await asked({"limit": 2, "pending": True})))
        assert answer["events"][0]["type"] == events.ALARM_RELEASED
        assert answer["events"][0]["data"]["alarm"] == alarm
        answer = json.loads(protocol.granted(await asked({"pending": True})))
        assert [row["id"] for row in answer["events"]] == [event.id for event in told[1:]]


@pytest.mark.parametrize("limit", [0, -1, 100_001, "5", 1.0, True, None, [5]])
async def test_a_limit_that_is_none_is_refused(tmp_path: Path, limit: object) -> None:
    """Without it a negative limit would show the oldest instead of the newest."""
    async with joined(tmp_path) as house:
        with pytest.raises(ControlError, match="limit"):
            await house.requests()["events"]({"limit": limit})


async def test_drills_by_request(tmp_path: Path) -> None:
    """Without it a drill could last for ever, or cover a button that is not there."""
    async with joined(tmp_path) as house:
        start, stop = (house.requests()[f"drill-{word}"] for word in ("start", "stop"))
        wrongs: list[dict[str, Any]] = [
            {"buttons": ["gate"], "seconds": 1801},
            {"buttons": ["gate"], "seconds": 0},
            {"buttons": ["gate"], "seconds": "600"},
            {"buttons": ["gate", "hall"]},
            {"buttons": []},
            {"buttons": "gate"},
            {},
        ]
        for wrong in wrongs:
            with pytest.raises(ControlError):
                await start(wrong)
        assert (await stop({}))["stopped"] is False
        assert (await start({"buttons": ["gate"]}))["drill"]["buttons"] == ["gate"]
        with pytest.raises(ControlError):
            await start({"buttons": ["office"]})
        assert (await stop({}))["stopped"] is True


async def test_watchers_hear_of_every_change(tmp_path: Path) -> None:
    """Without it `status --watch` would show a school that is long another one."""
    async with joined(tmp_path) as house:
        watch = await house.requests()["watch"]({})
        follow = await house.requests()["follow"]({})
        assert (await anext(watch))["buttons"][0]["alarm"] == "idle"
        assert await anext(follow) == {"following": True}
        async with asyncio.timeout(LIMIT_S):
            alarm = house.press()
            assert (await anext(watch))["buttons"][0]["last_alarm"] == alarm
            raised, stored = await anext(follow), await anext(follow)
            assert (raised["alarm"], raised["stage"]) == (alarm, "raised")
            assert (stored["alarm"], stored["stage"]) == (alarm, "stored")
            assert stored["t"] >= raised["t"]
        await watch.aclose()
        await follow.aclose()


async def test_who_is_slow_misses_lines_and_holds_up_nobody() -> None:
    """Without it a terminal that was stopped with Ctrl-S would eat the memory of the alarm."""
    watchers = Watchers(3)
    slow, quick = (cast("Lines", watchers.follow({"n": 0})) for _ in range(2))
    assert await anext(slow) == await anext(quick) == {"n": 0}
    for n in range(1, 11):
        watchers.tell({"n": n})
        if n <= 3:
            assert await anext(quick) == {"n": n}
    await quick.aclose()
    assert [await anext(slow) for _ in range(3)] == [{"n": 1}, {"n": 2}, {"n": 3}]
    await slow.aclose()
    assert not watchers._queues
