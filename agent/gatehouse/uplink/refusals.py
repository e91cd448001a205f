"""What a broker's refusals mean: which fault, on what it stands, and when it ends."""

from collections.abc import Callable
from typing import Any, Final

from gatehouse.uplink.lane import Flight
from gatehouse.uplink.troubles import Troubles

NO_SUBSCRIBER: Final = 0x10
NO_ROOM_FOR_IT: Final = 0x95

_OF_THE_EVENT: Final = frozenset({NO_ROOM_FOR_IT, 0x99})  # its own size or content: others may go
_OF_THE_TOPIC: Final = frozenset({NO_SUBSCRIBER, 0x87, 0x97})  # nobody there, no right, no quota


def alone(code: int) -> bool:
    """Whether a refusal is of one publication's own size or content."""
    return code in _OF_THE_EVENT


def of_topic(code: int) -> bool:
    """Whether a refusal is of all that would go to the topic."""
    return code in _OF_THE_TOPIC


class Refusals:
    """Begins and ends the faults ``no-subscriber`` and ``publish-refused``."""

    def __init__(self, troubles: Troubles, reason_text: Callable[[int], str]) -> None:
        self._troubles = troubles
        self._reason_text = reason_text

    def taken(self, topic: str, flight: Flight) -> None:
        """Note that the broker took an event."""
        for fault in ("no-subscriber", "publish-refused"):
            self._troubles.end(fault, on=topic)
        self.over(flight.id)

    def over(self, event_id: str) -> None:
        """Note that an event need not be taken any more."""
        self._troubles.end("publish-refused", on=event_id)

    def refused(self, topic: str, flight: Flight, code: int) -> None:
        """Note that it did not take one."""
        fault = "no-subscriber" if code == NO_SUBSCRIBER else "publish-refused"
        other = "publish-refused" if fault == "no-subscriber" else "no-subscriber"
        on = flight.id if alone(code) else topic
        self._troubles.end(other, on=on)
        self._troubles.begin(fault, self._told_of(topic, code), on=on)

    def of_word(self, topic: str, code: int) -> bool:
        """Note the answer to a publication that is no event; return whether it was refused.

        Nobody need be subscribed to ``state``, ``up/reply`` or pictures: 0x10 is no fault there.
        """
        if code < 0x80:
            self._troubles.end("publish-refused", on=topic)
            return False
        self._troubles.begin("publish-refused", self._told_of(topic, code), on=topic)
        return True

    def _told_of(self, topic: str, code: int) -> dict[str, Any]:
        return {"topic": topic, "code": f"0x{code:02x}", "text": self._reason_text(code)}
