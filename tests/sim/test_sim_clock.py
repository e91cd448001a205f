"""The simulated clock: it goes as the file says, and a file half written changes nothing."""

import json
import os
import time
from pathlib import Path

import pytest

from gatehouse.clock import SystemClock, open_clock
from gatehouse_sim.clock import SimulatedClock, move

YEAR_S = 31_536_000.0


def offset_s(clock: SimulatedClock) -> float:
    """Return how far a clock is from the machine's."""
    return (clock.reading().unix_ns - time.time_ns()) / 1e9


def test_without_a_file_it_is_the_machines_own_and_set(tmp_path: Path) -> None:
    """Without it every school would have to write a file before it has a clock."""
    for clock in (SimulatedClock(None), SimulatedClock(tmp_path / "none.json")):
        assert abs(offset_s(clock)) < 60
        assert clock.synced()
        assert clock.bootid == SystemClock().bootid


@pytest.mark.parametrize("moved_s", [YEAR_S, -YEAR_S, 0.5])
def test_it_is_moved_while_it_runs(tmp_path: Path, moved_s: float) -> None:
    """Without it no test could step the clock of a running agent."""
    clock = SimulatedClock(tmp_path / "clock.json")
    before = clock.reading()
    move(tmp_path / "clock.json", offset_s=moved_s)
    after = clock.reading()
    stepped = (after.unix_ns - before.unix_ns) - (after.monotonic_ns - before.monotonic_ns)
    assert abs(stepped / 1e9 - moved_s) < 60
    assert after.monotonic_ns >= before.monotonic_ns
    assert after.boottime_ns >= before.boottime_ns
    assert clock.synced()


def test_it_is_unset_and_set_again(tmp_path: Path) -> None:
    """Without it the first minutes after a boot without a clock could not be played."""
    clock = SimulatedClock(tmp_path / "clock.json")
    for synced in (False, True, False):
        move(tmp_path / "clock.json", synced=synced)
        assert clock.synced() is synced


def test_moves_within_one_tick_of_the_file_system_are_all_seen(tmp_path: Path) -> None:
    """Without it the second of two quick moves would be missed, and a test fail by chance."""
    path = tmp_path / "clock.json"
    clock = SimulatedClock(path)
    for n in range(1, 6):
        move(path, offset_s=n * YEAR_S)
        os.utime(path, ns=(1, 1))  # as if all were written within the same tick
        assert round(offset_s(clock) / YEAR_S) == n


@pytest.mark.parametrize(
    "half",
    ["", "{", '{"offset_s": 31536', "[]", "null", '{"offset_s": "x"}', '{"offset_s": 1e999}', "\0"],
)
def test_a_file_half_written_changes_nothing_and_is_read_again(tmp_path: Path, half: str) -> None:
    """Without it a file written by hand would crash the agent in the middle of a press."""
    path = tmp_path / "clock.json"
    move(path, offset_s=YEAR_S, synced=False)
    clock = SimulatedClock(path)
    assert not clock.synced()
    path.write_text(half, encoding="utf-8")
    assert round(offset_s(clock) / YEAR_S) == 1
    assert not clock.synced()
    path.write_text(json.dumps({"offset_s": 2 * YEAR_S}), encoding="utf-8")
    assert round(offset_s(clock) / YEAR_S) == 2
    assert clock.synced()
    path.unlink()
    assert round(offset_s(clock) / YEAR_S) == 2  # a file that is gone moves nothing


def test_the_agent_opens_it_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the agent would run on the machine's clock whatever a test says."""
    monkeypatch.setenv("GATEHOUSE_SIM_CLOCK", str(tmp_path / "clock.json"))
    move(tmp_path / "clock.json", offset_s=YEAR_S)
    clock = open_clock("gatehouse_sim")
    assert isinstance(clock, SimulatedClock)
    assert round(offset_s(clock) / YEAR_S) == 1
