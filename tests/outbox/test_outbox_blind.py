"""A disk that hangs or fails at the start: the start goes on in memory, and catches up later."""

import inspect
from dataclasses import replace
from pathlib import Path

import pytest

from gatehouse.errors import OutboxError
from gatehouse.outbox import Outbox, Timing
from gatehouse.outbox import salvage as salvage_module
from gatehouse.outbox.store import Store
from outbox.house import QUICK, Gate, alarm, opened, other, put, scribe, until

DISK = "outbox-disk"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the outbox lies."""
    return tmp_path / "outbox.db"


def _filled(path: Path) -> list[str]:
    """Leave a file with a start, an alarm and another event that wait."""
    store = salvage_module.open_store(path, 0.0, bytes)
    name, start = store.meta("store") or "", store.begin_start()
    made = scribe(name, start)
    told = [other(made), alarm(made), other(made)]
    store.write([put(event) for event in told], 0.0)
    store.abandon()
    return [event.id for event in told]


async def test_a_disk_that_hangs_at_the_start_is_opened_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Presses of a start without a disk, and all that waited before, must reach the district."""
    old = _filled(path)
    gate = Gate(monkeypatch, salvage_module, "open_store")
    gate.shut()
    async with opened(path, timing=replace(QUICK, open_s=0.1)) as house:
        opening = house.opening
        assert 50_000_000 <= opening.start <= 99_999_999
        assert [t.fault for t in opening.trouble] == ["outbox-start", DISK]
        assert opening.previous is None
        blind = [house.other(), house.alarm(), house.alarm("hall")]
        assert set(await house.outbox.bodies([e.id for e in blind])) == {e.id for e in blind}
        house.outbox.sent(blind[1].id)
        house.outbox.received([blind[2].id])
        gate.open()
        await house.settled()
        await until(lambda: house.heard.of(DISK) == [False])
        assert house.heard.stored == [event.id for event in blind]
        pending = [entry.id for entry in house.outbox.pending]
        assert pending == [*old, blind[0].id, blind[1].id], "the older ones first"
        next_alarm = house.outbox.pending.next_alarm(())
        assert next_alarm is not None
        assert next_alarm.id == old[1]
        assert set(await house.outbox.bodies(old)) == set(old)
    async with opened(path) as after:
        assert after.opening.start == 3
        assert after.opening.previous == "00000001.0000000003"
        assert [entry.id for entry in after.opening.pending] == pending
        flags = {a.id: (a.sent, a.received) for a in after.opening.alarms}
        assert flags[blind[1].id] == (True, False)
        assert flags[blind[2].id] == (True, True)


async def test_a_disk_that_fails_at_the_start_is_opened_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error instead of a hang must end no other way."""
    old = _filled(path)
    gate = Gate(monkeypatch, salvage_module, "open_store")
    gate.error = OutboxError("the card is gone")
    async with opened(path) as house:
        assert house.opening.start >= 50_000_000
        assert house.opening.trouble[0].data == {"text": "the card is gone"}
        await until(lambda: len(gate.calls) > 3)
        assert house.heard.troubles == []
        raised = house.alarm()
        gate.error = None
        await until(lambda: house.heard.stored == [raised.id])
        assert [entry.id for entry in house.outbox.pending] == [*old, raised.id]
        await until(lambda: house.heard.of(DISK) == [False])


async def test_an_error_that_nobody_foresaw_at_the_start(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread would die without a word, and every press stay in memory for ever."""
    gate = Gate(monkeypatch, salvage_module, "open_store")
    gate.error = RuntimeError("never seen before")
    async with opened(path) as house:
        assert "never seen before" in house.opening.trouble[0].data["text"]
        raised = house.alarm()
        gate.error = None
        await until(lambda: house.heard.stored == [raised.id])


async def test_a_start_that_was_stored_is_used_though_reading_hangs(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long backlog on a slow card must not cost the start its number."""
    old = _filled(path)
    gate = Gate(monkeypatch, Store, "waiting")
    gate.shut()
    async with opened(path, timing=replace(QUICK, open_s=3.0)) as house:
        assert house.opening.start == 2
        assert house.opening.previous == "00000001.0000000003"
        assert [t.fault for t in house.opening.trouble] == [DISK]
        raised = house.alarm()
        gate.open()
        await until(lambda: house.heard.stored == [raised.id])
        assert [entry.id for entry in house.outbox.pending] == [*old, raised.id]
    async with opened(path) as after:
        assert after.opening.start == 3
        assert after.opening.previous == "00000002.0000000001"


async def test_start_is_durable_before_it_is_used(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that is used first and counted then would be used twice after a power cut."""
    seen: list[str | None] = []
    real = Store.begin_start

    def begin_start(store: Store) -> int:
        start = real(store)
        beside = Store(path)  # what a start after a power cut would find
        seen.append(beside.meta("start"))
        beside.abandon()
        return start

    monkeypatch.setattr(Store, "begin_start", begin_start)
    async with opened(path) as house:
        assert seen == [str(house.opening.start)] == ["1"]


async def test_random_starts_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two starts without a disk must not give the same number to two events."""
    gate = Gate(monkeypatch, salvage_module, "open_store")
    gate.error = OutboxError("no")
    seen = set()
    for _ in range(5):
        async with opened(tmp_path / "outbox.db") as house:
            seen.add((house.opening.store, house.opening.start))
    assert len(seen) == 5


def test_the_contract_times() -> None:
    """Contract section 4: 2 s, then a random start; issue 2: a disk that hangs."""
    assert (Timing().open_s, Timing().hang_s) == (2.0, 2.0)
    assert inspect.signature(Outbox.open).parameters["timing"].default == Timing()
