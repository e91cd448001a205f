"""What is said besides events, read and written: the types are the contract's. Pure.

Everything that comes from outside is decoded strictly; what does not fit raises MessageError and
nothing else.
"""

from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec

from gatehouse.contract.messages import Birth, Command, Offline, Receipt, Reply
from gatehouse.errors import MessageError

__all__ = [
    "Birth",
    "Command",
    "Offline",
    "Receipt",
    "Reply",
    "command",
    "encode",
    "expiry",
    "receipt",
]

COMMAND_BYTES: Final = 16 * 1024
"""A command longer than this is malformed; the longest of the contract needs some hundred."""

T = TypeVar("T")

_encoder: Final = msgspec.json.Encoder()
_receipt: Final = msgspec.json.Decoder(Receipt)
_command: Final = msgspec.json.Decoder(Command)


def encode(message: Birth | Offline | Reply) -> bytes:
    """Return the message's JSON."""
    return _encoder.encode(message)


def receipt(payload: bytes) -> list[str]:
    """Return the event ids of a receipt; raise MessageError for anything else."""
    return _decode(_receipt, payload).ids


def command(payload: bytes) -> Command:
    """Read a command; raise MessageError for anything else."""
    if len(payload) > COMMAND_BYTES:
        raise MessageError(f"a command of {len(payload)} bytes; at most {COMMAND_BYTES} are read")
    return _decode(_command, payload)


def expiry(expires: str | float) -> float:
    """Return when a command expires in Unix seconds; raise MessageError if that says no time."""
    if isinstance(expires, str):
        try:
            moment = datetime.fromisoformat(expires)
        except ValueError as exc:
            raise MessageError(f"expires {expires[:40]!r} is not RFC 3339") from exc
        if moment.tzinfo is None:
            raise MessageError(f"expires {expires[:40]!r} names no time zone")
        try:
            return (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
        except OverflowError as exc:
            raise MessageError(f"expires {expires[:40]!r} is out of range") from exc
    return float(expires)


def _decode(decoder: msgspec.json.Decoder[T], payload: bytes) -> T:
    """Decode one message; deep nesting raises RecursionError in msgspec."""
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise MessageError(f"not a message of this contract: {exc}") from exc
