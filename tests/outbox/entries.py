"""Entries of the queue, and a window that drains it as the uplink does."""

from gatehouse.events import ALARM_RAISED, Importance
from gatehouse.outbox.model import Pending
from gatehouse.outbox.queue import Queue

BUTTONS = ("gate", "hall", "office")


def entry(number: int, kind: Importance = Importance.ALARM, button: str = "gate") -> Pending:
    """Return an event that waits; its number tells its age."""
    type_ = ALARM_RAISED if kind is Importance.ALARM else "gatehouse.recording.gap"
    return Pending(f"id-{number}", type_, f"button/{button}", f"{number}", kind, 100, number)


def drained(queue: Queue, window: int = 3) -> list[int]:
    """Send everything as the uplink does: a few under way, ended in turn."""
    out: dict[str, Pending] = {}
    order: list[int] = []
    while True:
        while len(out) < window and (found := queue.next_alarm(out) or queue.next_other(out)):
            out[found.id] = found
            order.append(found.unix_ns)
        if not out:
            return order
        first = next(iter(out))
        queue.done(first)
        del out[first]
