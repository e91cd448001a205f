"""What is said on the control socket: JSON objects, one a line. Pure.

A request has ``do``. An answer is ``{"ok": true, …}`` or ``{"ok": false, "error": "…", "code":
"…"}``; the codes of the socket itself are the constants below, handlers may have their own.
"""

from typing import Any, Final

import msgspec

from gatehouse.errors import MessageError

REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"
MALFORMED: Final = "malformed"
TOO_LONG: Final = "too-long"
TIMEOUT: Final = "timeout"
BUSY: Final = "busy"
INTERNAL: Final = "internal"

Message = dict[str, Any]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def write(message: Message) -> bytes:
    """Write one line. Raises TypeError, ValueError or OverflowError for what JSON cannot say."""
    return _encoder.encode(message) + b"\n"


def granted(answer: Message) -> bytes:
    """Write the answer to a request that was done; raises like `write`."""
    return write({"ok": True, **answer})


def refusal(error: str, code: str) -> bytes:
    """Write the answer to a request that was not done."""
    return write({"ok": False, "error": error, "code": code})


def read(line: bytes) -> Message:
    """Read one line; raises MessageError unless it is a JSON object."""
    try:
        found = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise MessageError(f"not JSON: {exc}") from exc
    if not isinstance(found, dict):
        raise MessageError('not a JSON object such as {"do": "status"}')
    return found
