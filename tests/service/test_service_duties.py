"""The duties besides the press: each goes on, and its failure is a fault, not the end."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from gatehouse.alarm.gpio import Edge
from gatehouse.alarm.station import PROBE_PIN
from gatehouse.control.server import ControlServer
from gatehouse.errors import BoardError
from gatehouse.service import duties
from gatehouse.service.voice import Voice
from gatehouse.service.watchdog import Watchdog
from service.house import LIMIT_S, House, MovableClock, joined


class Told:
    """A voice that notes which faults it was told of."""

    def __init__(self) -> None:
        self.faults: list[tuple[str, bool, Any]] = []
        self.changed = asyncio.Event()

    def fault(self, name: str, begins: bool, *, data: Any = None) -> None:
        """Note a fault."""
        self.faults.append((name, begins, data))
        self.changed.set()


async def until(test: Callable[[], bool]) -> None:
    """Wait until something holds that wakes nobody."""
    async with asyncio.timeout(LIMIT_S):
        while not test():  # noqa: ASYNC110  # by definition
            await asyncio.sleep(0.01)


async def test_supervised_work_is_begun_again_and_its_failure_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without it a control socket that failed once would be gone until the next restart."""
    monkeypatch.setattr(duties, "_RESTART_S", (0.001, 0.004))
    voice, tries, done = Told(), 0, asyncio.Event()

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries < 5:
            raise OSError(f"failure {tries}")
        done.set()
        await asyncio.get_running_loop().create_future()

    task = asyncio.ensure_future(duties.supervised("control", work, cast("Voice", voice)))
    async with asyncio.timeout(LIMIT_S):
        await done.wait()
    assert voice.faults == [
        ("control", True, {"error": f"failure {number}"}) for number in range(1, 5)
    ]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_control_socket_is_a_fault_until_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it `gatehouse status` would fail in silence, and the lamp would say all is well."""
    monkeypatch.setattr(duties, "_RESTART_S", (0.01, 0.01))
    async with joined(tmp_path) as house:
        path = tmp_path / "run" / "control.sock"
        path.mkdir()  # in the way
        control = ControlServer(path, house.requests())
        listening = asyncio.Event()
        work = duties.supervised(
            "control", lambda: duties.answer(control, listening, house.voice), house.voice
        )
        task = asyncio.ensure_future(work)
        await until(lambda: house.rooms.faults.stands("gateway", "control"))
        assert not listening.is_set()
        path.rmdir()
        await until(listening.is_set)
        assert not house.rooms.faults.stands("gateway", "control")
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b'{"do": "status"}\n')
        assert b'"ok":true' in await reader.readline()
        writer.close()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not path.exists()


def ticking(house: House) -> asyncio.Task[None]:
    """Begin to tick."""
    return asyncio.ensure_future(duties.tick(house.rooms, house.board, house.clock, house.voice))


async def test_a_dead_edge_thread_ends_the_process(tmp_path: Path) -> None:
    """Without it a service that hears no press would go on saying that all is well."""
    async with joined(tmp_path) as house:
        house.board.living = False
        with pytest.raises(BoardError, match="restarted"):
            async with asyncio.timeout(LIMIT_S):
                await ticking(house)


async def test_a_clock_that_is_set_is_told(tmp_path: Path) -> None:
    """Without it the times of a boot without a clock could never be put right."""
    clock = MovableClock()
    clock.set_by_server = False
    async with joined(tmp_path, clock) as house:
        house.voice.fault("clock", True)
        task = ticking(house)
        looked: list[bool] = []
        fault = house.voice.fault

        def noting(name: str, begins: bool, **more: Any) -> None:
            looked.append(name == "board")
            fault(name, begins, **more)

        house.rooms.station._voice = cast("Any", house.voice)
        house.voice.fault = noting  # type: ignore[method-assign]
        await until(lambda: any(looked))  # one look with the clock unset
        assert house.rooms.faults.stands("gateway", "clock")  # as it stood before the restart
        clock.offset_ns, clock.set_by_server = 86_400_000_000_000, True
        await until(lambda: not house.rooms.faults.stands("gateway", "clock"))
        task.cancel()
        (told,) = [e for e in await house.told() if e.type == "gatehouse.clock.corrected"]
        assert told.data["bootid"] == clock.bootid
        assert abs(told.data["offset_s"] - 86_400) < 5


def test_without_a_watchdog_nobody_probes() -> None:
    """Without it a service run by hand would have a thread for nothing."""
    probes: list[Edge] = []
    dog = Watchdog(probes.append, None)
    dog.start()
    dog.stop()
    assert not any(thread.name == "watchdog" for thread in threading.enumerate())
    assert probes == []


def test_the_probe_comes_again_and_again_until_stopped() -> None:
    """Without it systemd would kill a service that is well, or never one that hangs."""
    probes: list[Edge] = []
    three = threading.Event()

    def deliver(edge: Edge) -> None:
        probes.append(edge)
        if len(probes) == 3:
            three.set()

    dog = Watchdog(deliver, 0.03)
    dog.start()
    assert three.wait(LIMIT_S)
    dog.stop()
    dog._thread.join(LIMIT_S)
    assert not dog._thread.is_alive()
    assert dog._thread.daemon
    assert {(edge.pin, edge.level) for edge in probes} == {(PROBE_PIN, 0)}
    assert [edge.at_ns for edge in probes] == sorted(edge.at_ns for edge in probes)


async def test_the_probe_goes_the_way_of_a_press_and_makes_none(tmp_path: Path) -> None:
    """Without it the dog would be fed by a timer, also when no press gets through any more."""
    said: list[tuple[str, ...]] = []
    async with joined(tmp_path) as house:
        house.joints._notifier = cast("Any", type("", (), {"say": lambda _, *x: said.append(x)})())
        now = house.clock.reading().monotonic_ns
        for _ in range(3):
            house.rooms.station.edge(Edge(PROBE_PIN, 0, now))
        assert said == [("WATCHDOG=1",)] * 3
        assert house.rooms.station.channels["gate"].last_alarm is None
        assert len(await house.told()) == 1  # the start


async def test_a_hung_disk_does_not_stop_the_probe(tmp_path: Path) -> None:
    """Without it a hung card would get the presses in memory killed."""
    said: list[tuple[str, ...]] = []
    async with joined(tmp_path) as house:
        house.joints._notifier = cast("Any", type("", (), {"say": lambda _, *x: said.append(x)})())
        await house.durable()
        house.clock.disk_goes_on.clear()
        alarm = house.press()
        assert alarm in house.outbox.pending
        house.rooms.station.edge(Edge(PROBE_PIN, 0, house.clock.reading().monotonic_ns))
        assert said == [("WATCHDOG=1",)]
        assert alarm not in house.stored
        house.clock.disk_goes_on.set()
        await house.durable()
