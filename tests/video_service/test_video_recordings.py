"""The recordings as the service has them: passes beside the loop, disks that hang, reloads."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gatehouse.clock import SystemClock
from gatehouse.control.reports import GATEWAY
from gatehouse.errors import RecordingsError
from gatehouse.video.index import Index
from gatehouse.video.retention import Disk
from gatehouse.video_service import recordings_passes
from gatehouse.video_service.recordings import Pace, Recordings
from video_service.recordings_rig import HOUR, MINUTE, Box, HandClock, standing, unknown

LIMIT_S = 60.0
QUICK = Pace(every_s=0.05, hang_s=LIMIT_S, end_s=LIMIT_S)
HANGS = replace(QUICK, hang_s=2.0)  # no pass on a loaded disk takes as long


class Gate:
    """Asks for a disk's room, and hangs while it is shut."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self.asked_by: set[int] = set()
        """Threads that are in it now."""
        self.most = 0

    def shut(self) -> None:
        """Let the disk hang."""
        self._open.clear()

    def open(self) -> None:
        """Let it go on."""
        self._open.set()

    def room(self, _folder: Path, percent: float) -> Disk:
        """Answer, or hang."""
        self.asked_by.add(threading.get_ident())
        self.most = max(self.most, len(self.asked_by))
        self._open.wait(LIMIT_S)
        self.asked_by.discard(threading.get_ident())
        return Disk(10**9, 10**9, percent)


class Now(HandClock):
    """A clock whose wall time the test moves, and whose monotonic time is real."""

    def reading(self) -> Any:
        """Read it."""
        return replace(SystemClock("boot").reading(), unix_ns=self.now_ms * 1_000_000)


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Lend a disk that can hang; at the end it goes on."""
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """Make a box with a camera of three days."""
    box = Box(tmp_path, clock=Now())
    box.add(days=3)
    return box


class Followed:
    """The recordings at work, and how often they said that something changed."""

    def __init__(self, box: Box, gate: Gate, pace: Pace) -> None:
        self.changes = 0
        self.of = Recordings(
            box.cameras,
            box.retention,
            state_dir=box.folder / "state",
            clock=box.clock,
            changed=self._change,
            room=gate.room,
            pace=pace,
        )
        self._changed = asyncio.Event()

    def _change(self) -> None:
        self.changes += 1
        if self.changes > 1:  # the first is at the making
            self._changed.set()

    async def until(self, seen: Callable[[], object]) -> None:
        """Wait until something is so; it can only become so with a change."""
        async with asyncio.timeout(LIMIT_S):
            while not seen():
                await self._changed.wait()
                self._changed.clear()

    async def well(self) -> None:
        """Wait for the first answer."""
        await self.until(lambda: not unknown(self.of.rows(), GATEWAY))

    def unreadable(self) -> dict[str, Any] | None:
        """Return the fault, if it stands."""
        return standing(self.of.rows(), GATEWAY).get("recordings-unreadable")


@asynccontextmanager
async def following(box: Box, gate: Gate, pace: Pace = QUICK) -> AsyncIterator[Followed]:
    """Follow the box's cameras; at the end everything is let go."""
    followed = Followed(box, gate, pace)
    task = asyncio.create_task(followed.of.run())
    try:
        yield followed
    finally:
        gate.open()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_before_the_first_pass_nothing_is_known(box: Box, gate: Gate) -> None:
    """A start must neither end what stands nor begin anything; each camera is listed at once."""
    gate.shut()
    async with following(box, gate) as followed:
        assert unknown(followed.of.rows()) == {"shortfall", "forecast"}
        assert len(unknown(followed.of.rows(), GATEWAY)) == 3
        assert followed.of.document()["cameras"][0]["verdict"] == "unknown"
        assert followed.of.told() == ()
        gate.open()
        await followed.well()
        assert followed.of.summary()["ok"] == 1


async def test_disk_that_hangs(box: Box, gate: Gate) -> None:
    """One fault tells of it, nothing else is claimed, no second thread is begun, and it ends."""
    async with following(box, gate, HANGS) as followed:
        await followed.well()
        gate.shut()
        await followed.until(followed.unreadable)
        found = followed.unreadable()
        assert found is not None
        assert found["cameras"] == ["gate"]
        assert str(box.root("gate")) in found["text"]
        assert unknown(followed.of.rows()) == {"shortfall", "forecast"}
        assert unknown(followed.of.rows(), GATEWAY) == {"shortfall", "clean-up-refused"}
        changes = followed.changes
        followed.of.reload(box.cameras, box.retention)
        followed.of.received(["gap/gate/1-2"])
        gate.open()
        await followed.well()
        assert followed.changes == changes + 1, "it began once and ended once"
        assert followed.unreadable() is None
        assert followed.of.summary()["ok"] == 1
    assert gate.most == 1


async def test_end_does_not_wait_for_a_disk_that_hangs(box: Box, gate: Gate) -> None:
    """A dead disk must not hold up a restart of the service."""
    followed = Followed(box, gate, replace(HANGS, end_s=0.05))
    gate.shut()
    task = asyncio.create_task(followed.of.run())
    await followed.until(followed.unreadable)
    task.cancel()
    async with asyncio.timeout(LIMIT_S):
        with suppress(asyncio.CancelledError):
            await task
    gate.open()
    task = asyncio.create_task(
        followed.of.run()
    )  # as a supervisor does: the old pass is waited for
    await followed.well()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert gate.most == 1


async def test_gap_goes_from_the_disk_to_the_answer(box: Box, gate: Gate) -> None:
    """A happening is told until it is received, and at once no more, whatever the disk does."""
    async with following(box, gate) as followed:
        await followed.well()
        box.put(box.clock.now_ms + 2 * HOUR)
        box.clock.now_ms += 3 * HOUR
        await followed.until(followed.of.told)
        (told,) = followed.of.told()
        gate.shut()
        followed.of.received([told.key, "evidence/1"])
        assert followed.of.told() == ()
        gate.open()
        await followed.until(lambda: not followed.of._passed.told)
        assert followed.of._received == frozenset()
    again = Box(box.folder, clock=box.clock, cameras=box.cameras)
    assert again.once().told == ()
    again.passes.close()


async def test_reload_is_taken_up_at_once(box: Box, gate: Gate) -> None:
    """A camera that was added is followed without a wait, one that went has no row any more."""
    async with following(box, gate, replace(QUICK, every_s=3600.0)) as followed:
        await followed.well()
        yard = box.add("yard", days=1)
        without = replace(box.cameras[0], recordings=None)
        followed.of.reload([without, yard], replace(box.retention, general_days=1))
        assert [row.subject for row in followed.of.rows()] == ["camera/yard", GATEWAY]
        assert unknown(followed.of.rows(), "camera/yard") == {"shortfall", "forecast"}
        await followed.well()
        assert followed.of.document()["cameras"][0]["required_days"] == 1
        followed.of.reload([], box.retention)
        await followed.well()
        assert followed.of.document()["cameras"] == []


async def test_figures_alone_are_no_change(box: Box, gate: Gate) -> None:
    """A report at every pass would say nothing new ten times a minute."""
    async with following(box, gate) as followed:
        await followed.well()
        changes = followed.changes
        for minute in range(3):
            box.put(box.clock.now_ms - 2 * MINUTE, 2 * MINUTE)
            box.clock.now_ms += MINUTE
            before = followed.of._passed
            async with asyncio.timeout(LIMIT_S):
                while followed.of._passed is before:  # noqa: ASYNC110  # that no event tells is the point
                    await asyncio.sleep(0.005)
            assert followed.changes == changes, minute


async def test_index_that_fails(box: Box, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full state_dir is a fault of its own that ends by itself."""

    def fail(*_args: object) -> None:
        raise RecordingsError("cannot write to recordings.db: database or disk is full")

    monkeypatch.setattr(Index, "enter_camera", fail)
    async with following(box, gate) as followed:
        await followed.until(followed.unreadable)
        found = followed.unreadable()
        assert found is not None
        assert "disk is full" in found["text"]
        monkeypatch.undo()
        await followed.well()
        assert followed.of.summary()["ok"] == 1


async def test_mistake_of_our_own_claims_nothing(
    box: Box, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an error that nobody foresaw, old answers must not be given for ever."""
    followed = Followed(box, gate, QUICK)
    with monkeypatch.context() as patch:
        patch.setattr(recordings_passes, "finish", None)
        with pytest.raises(TypeError):
            await followed.of.run()
    assert unknown(followed.of.rows()) == {"shortfall", "forecast"}
    task = asyncio.create_task(followed.of.run())
    await followed.well()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_first_scan_goes_on_without_a_pause(
    box: Box, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first scan of a large disk must not wait ten seconds after every slice."""
    monkeypatch.setattr(recordings_passes, "_SLICE_S", 0.0)
    box.add("yard", days=3)
    async with following(box, gate, replace(QUICK, every_s=3600.0)) as followed:
        await followed.well()
        assert followed.of.summary()["ok"] == 2
        assert followed.of.document()["scanning"] is None
