"""kill -9 in the middle of writing: what was reported as stored is there, numbers are unique."""

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gatehouse import events
from outbox.child import Child

ROUNDS = 12


def kept(path: Path) -> dict[str, str]:
    """Return the id of each number in the file, after its process was killed.

    Read from a copy: closing the file itself would tidy up what the next start has to face.
    """
    copy = path.with_name("copy") / path.name
    copy.parent.mkdir(exist_ok=True)
    for suffix in ("", "-wal"):
        if path.with_name(path.name + suffix).exists():
            shutil.copy(path.with_name(path.name + suffix), copy.with_name(copy.name + suffix))
    with closing(sqlite3.connect(copy)) as db:
        rows = db.execute("SELECT body FROM events").fetchall()
    found = [events.decode(body) for (body,) in rows]
    numbers = {f"{event.store}/{event.sequence}": event.id for event in found}
    assert len(numbers) == len(found)
    return numbers


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.campaign)])
def test_nothing_stored_is_lost_and_no_number_means_two_events(seed: int, tmp_path: Path) -> None:
    """A press that the lamp showed as stored would be gone after a power cut.

    Numbers count as used once they are made: an alarm goes over the wire beside its commit.
    """
    chance = random.Random(seed)  # noqa: S311  # repeatable, not secret
    path = tmp_path / "outbox.db"
    reported: set[str] = set()
    used: dict[str, str] = {}
    starts: list[int] = []
    stores: set[str] = set()
    last: str | None = None
    for turn in range(ROUNDS if seed == 1 else 100):
        with Child(path) as child:
            assert child.opening["previous"] == last
            assert child.opening["trouble"] == []
            starts.append(child.opening["start"])
            stores.add(child.opening["store"])
            child.tell("flood")
            child.kill_after(chance.randrange(1, 400))
        reported.update(child.stored)
        for number, event_id in child.numbers.items():
            assert used.setdefault(number, event_id) == event_id
        numbers = kept(path)
        assert reported <= set(numbers.values()), f"round {turn}"
        assert numbers.items() <= used.items()
        here = sorted(n.split("/")[1] for n in numbers if f"/{starts[-1]:08d}." in n)
        assert [int(n[9:]) for n in here] == list(range(1, len(here) + 1)), "no hole"
        last = here[-1] if here else last
    assert starts == sorted(set(starts))
    assert len(stores) == 1


def test_killed_while_opening(tmp_path: Path) -> None:
    """A start that was counted and not used is harmless; one that was used twice is not."""
    path = tmp_path / "outbox.db"
    starts = []
    for _ in range(5):
        with Child(path) as child:
            starts.append(child.opening["start"])
    assert starts == [1, 2, 3, 4, 5]
