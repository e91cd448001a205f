"""Publications that are no events: birth, replies, pictures. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gatehouse.uplink import frames
from gatehouse.uplink.lane import Flight

PICTURE_EXPIRY_S: Final = 3600
"""Contract section 3: the broker keeps a picture for an hour."""

_PLAIN_TAIL: Final = frames.properties(content_type="application/json")
_PICTURE_TAIL: Final = frames.properties(content_type="image/jpeg", expiry_s=PICTURE_EXPIRY_S)


@dataclass(frozen=True, slots=True)
class Word:
    """One publication as it goes over the wire; its flight's ``told`` hears the PUBACK's code."""

    head: bytes
    tail: bytes
    flight: Flight
    retain: bool = False

    @property
    def size(self) -> int:
        """Its bytes, without the few of the packet's own head."""
        return len(self.head) + len(self.tail) + len(self.flight.body)


def message(
    topic: str,
    body: bytes,
    told: Callable[[int], object],
    *,
    retain: bool = False,
    correlation: bytes | None = None,
) -> Word:
    """Return a JSON document for a topic."""
    tail = _PLAIN_TAIL
    if correlation is not None:
        tail = frames.properties(content_type="application/json", correlation=correlation)
    flight = Flight("", alarm=False, told=told)
    flight.load(body)
    return Word(frames.as_string(topic), tail, flight, retain)


def picture(topic: str, body: bytes, told: Callable[[int], object]) -> Word:
    """Return a picture for a topic.

    The window does not count its bytes (its flight has no size): it goes when nothing else is under
    way, and what comes after it may follow at once.
    """
    return Word(
        frames.as_string(topic), _PICTURE_TAIL, Flight("", alarm=False, body=body, told=told)
    )
