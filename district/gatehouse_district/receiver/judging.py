"""Judging what came: what it is, what of it is odd, or why it is refused. Pure.

An event whose envelope can be read under its own gateway's name is stored, whatever its data: an
alarm with odd data is still an alarm. Everything else that does not fit is refused and counted.
"""

import re
from typing import Any, Final

import msgspec

from gatehouse import contract, events
from gatehouse.errors import GatehouseError, MessageError
from gatehouse.uplink.frames import Incoming
from gatehouse.uplink.topics import PREFIX
from gatehouse_district.receiver.heard import (
    Heartbeat,
    Photograph,
    Record,
    Refused,
    Reply,
    State,
)

PICTURE_BYTES: Final = 60_000
"""Contract section 3."""
PICTURES: Final = 99
NAME_MOST: Final = 128
"""Characters of an id, a store, a boot id; ours have 36."""

_TOPIC: Final = re.compile(re.escape(PREFIX) + r"([a-z0-9-]{3,64})/(state|up/.+)")
_PICTURE: Final = re.compile(r"up/picture/([A-Za-z0-9._-]{1,64})/([1-9][0-9]?)")
_WORDS: Final = {
    "state": "state",
    "up/telemetry": "telemetry",
    "up/reply": "reply",
    "up/selftest": "selftest",
}
_JPEG: Final = b"\xff\xd8\xff"
_ODD_MOST: Final = 500
_DIGITS_MOST: Final = 20
"""Of ``monotonic``: 2**64 ns."""
_START_MOST: Final = 99_999_999
_CONNECTION_MOST: Final = 2**53


class RefusedError(GatehouseError, ValueError):
    """A message is not taken; ``reason`` is the word that it is counted under."""

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(why)
        self.reason = reason


Heard = Record | State | Reply | Heartbeat | Photograph | Refused


def judge(
    message: Incoming, *, retained: bool, arrived_ns: int, arrived_unix_ns: int
) -> Heard | None:
    """Say what a message is; None for one that tells nothing. Never raises."""
    try:
        return _read(message, retained, arrived_ns, arrived_unix_ns)
    except RefusedError as exc:
        why = str(exc)[:_ODD_MOST]
        return Refused(exc.reason, why, message.topic, message.payload, arrived_unix_ns)


def place(topic: str) -> tuple[str, str]:
    """Return the gateway and what it says there. Raises RefusedError for a foreign topic."""
    found = _TOPIC.fullmatch(topic)
    if found is None:
        raise RefusedError("topic", f"{topic[:200]} is no topic of a gateway")
    return found[1], found[2]


def _read(message: Incoming, retained: bool, now_ns: int, unix_ns: int) -> Heard | None:
    gateway, leaf = place(message.topic)
    if leaf in {"up/alarm", "up/event"}:
        return _event(gateway, message, now_ns, unix_ns)
    if leaf.startswith("up/picture/"):
        return _picture(gateway, leaf, message.payload, unix_ns)
    word = _WORDS.get(leaf)
    if word is None:
        raise RefusedError("topic", f"{message.topic[:200]} is no topic of this contract")
    if word == "selftest" or (word == "state" and not message.payload):
        return None  # a trial of the broker's rules; a retained state that somebody took away
    body = _document(word, message.payload)
    if word == "state":
        return State(gateway, _state(body), retained, now_ns, unix_ns)
    if word == "telemetry":
        return Heartbeat(gateway, body, now_ns, unix_ns)
    return Reply(gateway, body, message.correlation, now_ns)


def _event(gateway: str, message: Incoming, now_ns: int, unix_ns: int) -> Record:
    try:
        event = events.decode(message.payload)
    except MessageError as exc:
        raise RefusedError("envelope", str(exc)) from exc
    if event.source != f"/gatehouse/{gateway}":
        raise RefusedError("source", f"{event.source[:200]} came under the name of {gateway}")
    for what, name in (("id", event.id), ("store", event.store)):
        if not 1 <= len(name) <= NAME_MOST:
            raise RefusedError("envelope", f"{what} of {len(name)} characters")
    odd = _odd(event)
    return Record(gateway, message.topic, event, message.payload, now_ns, unix_ns, odd)


def _odd(event: events.Event) -> str:
    """Return in a line what of the event does not fit, at most 500 characters."""
    try:
        said = contract.remarks(event)
    except Exception as exc:  # noqa: BLE001  # a mistake in there must not cost an alarm
        said = [f"could not be compared with the contract: {exc!r}"]
    if boot_ns(event.monotonic) is None:
        said = [*said, "monotonic is no time"]
    return "; ".join(said)[:_ODD_MOST]


def boot_ns(text: str) -> int | None:
    """Read CLOCK_BOOTTIME in ns; None if that is none."""
    plain = text.isascii() and text.isdigit() and len(text) <= _DIGITS_MOST
    return int(text) if plain else None


def _state(body: dict[str, Any]) -> dict[str, Any]:
    store, start, connection = body.get("store"), body.get("start"), body.get("connection", 0)
    if not isinstance(body.get("online"), bool):
        raise RefusedError("state", "a state that says neither online nor offline")
    if not isinstance(store, str) or not 1 <= len(store) <= NAME_MOST:
        raise RefusedError("state", "a state without the store that speaks")
    if not _within(start, _START_MOST) or not _within(connection, _CONNECTION_MOST):
        raise RefusedError("state", "a state whose start or connection is no number of ours")
    return body


def _within(number: object, most: int) -> bool:
    return type(number) is int and 0 <= number <= most


def _picture(gateway: str, leaf: str, body: bytes, unix_ns: int) -> Photograph:
    found = _PICTURE.fullmatch(leaf)
    if found is None:
        raise RefusedError("picture", f"{leaf[:200]} names no picture")
    if len(body) > PICTURE_BYTES:
        raise RefusedError("picture", f"a picture of {len(body)} bytes; at most {PICTURE_BYTES}")
    if not body.startswith(_JPEG):
        raise RefusedError("picture", "a picture that is no JPEG")
    return Photograph(gateway, found[1], int(found[2]), body, unix_ns)


def _document(reason: str, payload: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise RefusedError(reason, f"not a JSON object: {exc}") from exc
