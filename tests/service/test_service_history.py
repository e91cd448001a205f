"""``history`` on the control socket: the whole log, step by step, with how alarms were answered."""

import json
from pathlib import Path
from typing import Any

import pytest

from gatehouse import events
from gatehouse.control import protocol
from gatehouse.errors import ControlError, OutboxError
from service.house import joined

ODD: list[Any] = [None, True, -1, 1.5, 10**400, "", "x", [7], [["x"]], {}]


async def test_the_log_and_how_alarms_were_answered(tmp_path: Path) -> None:
    """The inspector's page would have no times."""
    async with joined(tmp_path) as house:
        alarm = house.press()
        await house.told()
        house.outbox.received([alarm])
        assert house.joints.acknowledge(alarm, "王芳")
        later = house.press()
        await house.told()
        handler = house.requests()["history"]
        answer = await handler({"do": "history", "types": [events.ALARM_RAISED]})
        first, second = (json.loads(bytes(raw)) for raw in answer["events"])
        end = await handler({"types": [events.ALARM_RAISED], "after": answer["next"]})
        protocol.granted(answer)
    assert (first["id"], second["id"]) == (alarm, later)
    assert (first["pending"], second["pending"]) == (False, True)
    assert 0 < first["received_s"] <= first["acknowledged_s"]
    assert (first["acknowledged_by"], second["received_s"]) == ("王芳", None)
    assert end == {"events": [], "next": None}


async def test_what_is_odd_is_refused_with_words(tmp_path: Path) -> None:
    """One odd request would be an "internal error", and a defect nobody reads about."""
    async with joined(tmp_path) as house:
        await house.durable()
        handler = house.requests()["history"]
        for types in (*ODD, [events.ALARM_RAISED] * 101):
            with pytest.raises(ControlError, match="types"):
                await handler({"types": types})
        for after in (*ODD, 1 << 62):
            with pytest.raises(ControlError, match="after"):
                await handler({"types": [], "after": after})
        assert (await handler({"types": ["x" * 10_000]}))["events"] == []


async def test_a_disk_that_does_not_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report from a dying card would be an "internal error"."""
    async with joined(tmp_path) as house:
        for error in (OutboxError("the disk is gone"), TimeoutError()):

            async def fails(*_args: Any, error: Exception = error) -> None:
                raise error

            monkeypatch.setattr(house.outbox, "history", fails)
            with pytest.raises(ControlError, match="the log cannot be read now: the disk") as told:
                await house.requests()["history"]({"types": []})
            assert told.value.code == protocol.TIMEOUT
