"""When the district last proved that it has an event, and which event asks it again. Pure."""

from collections.abc import Iterable

from gatehouse.uplink.lane import Flight


class Proof:
    """Remembers the newest event of this start that the district has: never an alarm.

    Published again under its own id it is nothing new to the district, and what comes back is the
    proof that the lamp's "ready" needs (docs/house.md, ``proven_ns``).
    """

    def __init__(self) -> None:
        self.at_ns: int | None = None
        self._start = ""
        self._out: dict[str, str] = {}
        self._newest: tuple[str, str] | None = None  # sequence, id

    def begin(self, start: int) -> None:
        """Say which start of the alarm service this is."""
        self._start = f"{start:08d}."

    def published(self, flight: Flight) -> None:
        """Note what may serve later."""
        if not flight.alarm and not flight.proof and flight.sequence.startswith(self._start):
            self._out[flight.id] = flight.sequence

    def received(self, known: Iterable[str]) -> None:
        """Note what the district has for the first time."""
        for event_id in known:
            sequence = self._out.pop(event_id, None)
            if sequence and (self._newest is None or sequence > self._newest[0]):
                self._newest = (sequence, event_id)

    def wait_s(self, now_ns: int, proof_s: float) -> float:
        """Return for how long, in s, the last proof still serves; 0 when it does not."""
        if not self.at_ns:
            return 0.0
        return max(0.0, proof_s - (now_ns - self.at_ns) / 1e9)

    @property
    def asks(self) -> str | None:
        """The id of the event that asks again."""
        return self._newest[1] if self._newest else None

    def question(self) -> Flight | None:
        """Return that event, to be published again."""
        if self._newest is None:
            return None
        return Flight(self._newest[1], alarm=False, sequence=self._newest[0], proof=True)
