"""What a looking child says to its parent through a pipe. Pure.

Each message is a line of JSON, ``{"say": "key", …, "payload": 57600}``, followed by that many raw
bytes: a keyframe in grey, or a picture that was asked for. A child may die in the middle of one:
what is not whole is no message.
"""

from typing import Annotated, Any, Final

import msgspec

from gatehouse.errors import MessageError
from gatehouse.video.picture import HEIGHT, WIDTH

GREY_BYTES: Final = WIDTH * HEIGHT
MOST_HEADER: Final = 4096
MOST_TEXT: Final = 500
MOST_SMALL: Final = 60_000
"""Bytes of a picture for the district (contract section 3)."""
MOST_PICTURE: Final = 8_000_000
"""Bytes of a whole one; 4K at our quality has two million."""

UNREACHABLE: Final = "unreachable"
REFUSED: Final = "refused"
STALLED: Final = "stalled"
ENDED: Final = "ended"
"""The camera closed the stream; no fault by itself, see `verdict`."""

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Amount = Annotated[float, msgspec.Meta(ge=0)]
_Size = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Opened(msgspec.Struct, frozen=True, tag_field="say", tag="opened"):
    """The stream is open, or goes on in another size."""

    width: _Size
    height: _Size
    codec: str


class Key(msgspec.Struct, frozen=True, tag_field="say", tag="key"):
    """A keyframe, 320 x 180 grey."""

    at_ns: int
    """When it came, CLOCK_MONOTONIC."""
    p_bytes: _Count
    """Bytes of the frames since the last keyframe."""
    frames: _Count
    """How many frames those were, with the last keyframe."""
    fps: _Amount
    colour: _Amount | None = None
    """Mean distance of the colour planes from grey; None when the source does not tell."""
    grey: bytes = b""


class Beat(msgspec.Struct, frozen=True, tag_field="say", tag="beat"):
    """Frames still come; said about once a second."""

    at_ns: int
    frames: _Count
    """Frames since the stream was opened."""


class Records(msgspec.Struct, frozen=True, tag_field="say", tag="records"):
    """Whether an eye that also records (a CSI camera's) writes what it sees; at every change."""

    records: bool
    text: str = ""
    """Why not."""


class Failed(msgspec.Struct, frozen=True, tag_field="say", tag="failed"):
    """The stream could not be opened, or broke off; the child ends."""

    fault: str
    text: str = ""


class Picture(msgspec.Struct, frozen=True, tag_field="say", tag="picture"):
    """A picture that was asked for, as JPEG, whole and small."""

    number: _Count
    """Of the order."""
    at_ns: int
    """When its frame came, CLOCK_MONOTONIC."""
    small_bytes: Annotated[int, msgspec.Meta(ge=1, le=MOST_SMALL)]
    jpeg: bytes = b""
    """The small one, and behind it the whole one."""

    @property
    def small(self) -> bytes:
        """The small one."""
        return self.jpeg[: self.small_bytes]

    @property
    def whole(self) -> bytes:
        """The whole one."""
        return self.jpeg[self.small_bytes :]


Message = Opened | Key | Beat | Records | Failed | Picture
_FAULTS: Final = {UNREACHABLE, REFUSED, STALLED, ENDED}
_decoder = msgspec.json.Decoder(Message)


class _Tail(msgspec.Struct):
    payload: _Count = 0


_tail = msgspec.json.Decoder(_Tail)


def encode(message: Message) -> bytes:
    """Write one message."""
    body = b""
    if isinstance(message, Key):
        body, message = message.grey, msgspec.structs.replace(message, grey=b"")
    elif isinstance(message, Picture):
        body, message = message.jpeg, msgspec.structs.replace(message, jpeg=b"")
    elif isinstance(message, Records | Failed):
        message = msgspec.structs.replace(message, text=message.text[:MOST_TEXT])
    said: dict[str, Any] = msgspec.to_builtins(message)
    said.pop("grey", None)
    said.pop("jpeg", None)
    return msgspec.json.encode(said | {"payload": len(body)}) + b"\n" + body


class Decoder:
    """Takes bytes as they come out of the pipe and gives whole messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that are whole now.

        Raises MessageError for what no child of ours says; the child is then to be killed.
        """
        self._buffer += data
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> Message | None:
        end = self._buffer.find(b"\n", 0, MOST_HEADER)
        if end < 0:
            if len(self._buffer) >= MOST_HEADER:
                raise MessageError(f"a header of more than {MOST_HEADER} bytes")
            return None
        header = bytes(self._buffer[:end])
        message, length = _read(header)
        whole = end + 1 + length
        if len(self._buffer) < whole:
            return None
        body = bytes(self._buffer[end + 1 : whole])
        del self._buffer[:whole]
        if isinstance(message, Key):
            return msgspec.structs.replace(message, grey=body)
        if isinstance(message, Picture):
            return msgspec.structs.replace(message, jpeg=body)
        return message


def _read(header: bytes) -> tuple[Message, int]:
    try:
        message: Message = _decoder.decode(header)
        length = _tail.decode(header).payload
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise MessageError(f"no message of an eye: {exc}") from exc
    if isinstance(message, Picture):
        fits = message.small_bytes < length <= MOST_PICTURE
    else:
        fits = length == (GREY_BYTES if isinstance(message, Key) else 0)
    if not fits:
        raise MessageError(f"{length} bytes follow a {type(message).__name__}")
    if isinstance(message, Failed) and message.fault not in _FAULTS:
        raise MessageError(f"an eye knows no fault {message.fault!r}")
    return message, length
