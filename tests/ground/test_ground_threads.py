"""Work beside the loop: it comes back, fails, or is left behind, and never holds the loop up."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from gatehouse.threads import off_loop

LIMIT_S = 60.0


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Lend a gate before which work hangs; it is opened at the end."""
    gate = threading.Event()
    yield gate
    gate.set()


async def test_work_is_done_in_another_thread_and_its_result_comes_back() -> None:
    """Without it every read of the disk would hold up a press."""
    where = await off_loop(threading.current_thread, name="elsewhere", timeout_s=LIMIT_S)
    assert where.name == "elsewhere"
    assert where.daemon
    assert where is not threading.current_thread()


async def test_an_error_is_the_callers() -> None:
    """Without it a failed write would look like one that was done."""

    def fail() -> None:
        raise PermissionError("read-only")

    with pytest.raises(PermissionError, match="read-only"):
        await off_loop(fail, name="fails", timeout_s=LIMIT_S)


async def test_work_that_hangs_is_left_behind(gate: threading.Event) -> None:
    """Without it a dead disk would hang whoever asked it."""
    with pytest.raises(TimeoutError):
        await off_loop(gate.wait, name="hangs", timeout_s=0.01)


async def test_a_late_result_or_error_is_thrown_away(
    gate: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    """Without it a disk that comes back would raise into whatever runs by then."""

    def fail() -> None:
        gate.wait()
        raise OSError("too late")

    for work in (gate.wait, fail):
        with pytest.raises(TimeoutError):
            await off_loop(work, name="late", timeout_s=0.01)
    late = [thread for thread in threading.enumerate() if thread.name == "late"]
    gate.set()
    for thread in late:
        thread.join(LIMIT_S)
    await off_loop(lambda: None, name="after", timeout_s=LIMIT_S)  # what they posted is taken
    assert caplog.records == []


async def test_a_task_that_is_cancelled_waits_no_more(gate: threading.Event) -> None:
    """Without it an orderly stop would wait for a dead disk."""
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def hang() -> None:
        loop.call_soon_threadsafe(begun.set)
        gate.wait()

    task = asyncio.ensure_future(off_loop(hang, name="hangs", timeout_s=LIMIT_S))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_work_outlives_its_loop(gate: threading.Event) -> None:
    """Without it a thread that comes back after the end would die with a traceback."""

    async def leave() -> None:
        with pytest.raises(TimeoutError):
            await off_loop(gate.wait, name="outlives", timeout_s=0.01)

    asyncio.run(leave())
    (thread,) = [each for each in threading.enumerate() if each.name == "outlives"]
    gate.set()
    thread.join(LIMIT_S)  # pytest makes an exception in a thread an error
    assert not thread.is_alive()


async def test_no_thread_left_is_an_oserror(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it a machine out of threads would end the service: those who ask expect OSError."""

    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none_left)
    with pytest.raises(OSError, match="no thread for probe"):
        await off_loop(lambda: 1, name="probe", timeout_s=LIMIT_S)
