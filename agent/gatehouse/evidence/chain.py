"""The chain from a bundle to what the district was told. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from gatehouse import events
from gatehouse.evidence.manifest import READY, Manifest

EVIDENCE_READY: Final = "gatehouse.evidence.ready"
TYPES: Final = (events.ALARM_RAISED, EVIDENCE_READY)
"""Events of the log that tell something of a bundle."""

SAME: Final = "same"
DIFFERS: Final = "differs"
NOT_IN_LOG: Final = "not-in-log"
NOT_READ: Final = "not-read"
NOT_READY: Final = "not-ready"

_ADDED: Final = frozenset({"pending", "received_s", "acknowledged_s", "acknowledged_by"})
"""What the outbox adds to an event when it is asked for its log."""

_encoder: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Chain:
    """Whether the alarm's event and the manifest are those that went to the district; words."""

    event: str
    manifest: str

    @property
    def broken(self) -> bool:
        """Whether either is another."""
        return DIFFERS in {self.event, self.manifest}


class Log:
    """Of the event log what concerns evidence, by the alarm's id."""

    def __init__(self, found: Iterable[Mapping[str, Any]]) -> None:
        self._raised: dict[str, Mapping[str, Any]] = {}
        self._ready: dict[str, str] = {}
        for event in found:
            data = event.get("data")
            if event.get("type") == events.ALARM_RAISED:
                self._raised[str(event.get("id"))] = event
            elif isinstance(data, dict):
                self._ready[str(data.get("alarm"))] = str(data.get("manifest_sha256"))

    def raised(self, alarm: str) -> Mapping[str, Any] | None:
        """Return the alarm's event."""
        return self._raised.get(alarm)

    def ready(self, alarm: str) -> str | None:
        """Return the SHA-256 of the manifest that the district was told of last."""
        return self._ready.get(alarm)


def chain(manifest: Manifest, body: bytes, log: Log | None) -> Chain:
    """Compare a manifest (and its bytes) with the log; None when that could not be read."""
    own = hashlib.sha256(_encoder.encode(manifest.event)).hexdigest() == manifest.event_sha256
    own = own and manifest.event.get("id") == manifest.alarm
    if log is None:
        return Chain(NOT_READ if own else DIFFERS, NOT_READ)
    told = log.raised(manifest.alarm)
    event = NOT_IN_LOG if told is None else SAME if _told(told) == manifest.event else DIFFERS
    return Chain(event if own else DIFFERS, _manifest(manifest, body, log))


def _told(event: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in _ADDED}


def _manifest(manifest: Manifest, body: bytes, log: Log) -> str:
    told = log.ready(manifest.alarm)
    if told is None:  # once it was told of, it was ready, whatever it says of itself now
        return NOT_IN_LOG if manifest.state == READY else NOT_READY
    return SAME if told == hashlib.sha256(body).hexdigest() else DIFFERS
