"""How long an MP4 recording really is: to the end of its last whole packet. Pure: bytes to times.

A recorder that lost its power leaves a file whose container knows no duration. What was flushed is
in fragments (a ``moof`` box lists packets, the ``mdat`` behind it holds them), so the last listed
packet whose bytes are all there is the end. It is found from the tail, with little reading: a file
that was closed well ends with an index of its fragments (``mfra``); in any other the last ``moof``
is searched backwards.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gatehouse.video.mp4 import Box, NoMp4Error, Packet, Read, packets_of, times, track_of, walk

_FIRST_CHUNK: Final = 256 * 1024
_CHUNK: Final = 2 * 1024 * 1024
_MOOF: Final = b"moof\0\0\0\x10mfhd"
_TOP_BOXES: Final = 64
_MOST_BOXES: Final = 10_000
"""Two for each fragment: a minute of keyframes alone, at 60 a second, has 7200."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How long a recording is; ``cut`` when bytes of it were lost behind that."""

    length_ms: int
    cut: bool = False


def measure(read: Read, size: int) -> Measure | None:
    """Measure a file of ``size`` bytes; None when it holds no picture that could be shown."""
    try:
        return _measure(read, size)
    except (struct.error, IndexError, ZeroDivisionError, NoMp4Error):
        return None


def _measure(read: Read, size: int) -> Measure | None:
    moov = next((box for box in walk(read, 0, size, _TOP_BOXES) if box.kind == b"moov"), None)
    if moov is None or moov.end > size:
        return None
    boxes = list(walk(read, moov.body, moov.end))
    if not any(box.kind == b"mvex" for box in boxes):
        return _plain(read, boxes)
    track = track_of(read, boxes)
    after = walk(read, moov.end, size, _TOP_BOXES)
    first = next((box for box in after if box.kind == b"moof"), None)
    if first is None or first.end > size:
        return None
    began = min((packet.shown for packet in packets_of(read, first, track)), default=0)
    cut = False
    for moof in _fragments_back(read, first.at, size):
        listed = packets_of(read, moof, track) if moof.end <= size else None
        whole = None if listed is None else _whole(read, listed, size)
        cut = cut or listed is None or whole != listed
        if whole:
            ended = max(packet.gone for packet in whole)
            return Measure(round((ended - began) * 1000 / track.scale), cut)
    return None


def _plain(read: Read, boxes: list[Box]) -> Measure | None:
    """Measure an MP4 without fragments: its head, written last, knows."""
    for box in boxes:
        if box.kind == b"mvhd":
            body = read(box.body, 32)
            scale, duration = struct.unpack_from(
                ">IQ" if body[0] == 1 else ">II", body, times(body)
            )
            return Measure(round(duration * 1000 / scale)) if duration else None
    return None


def _fragments_back(read: Read, first: int, size: int) -> Iterator[Box]:
    """Yield the fragments, the last one first; ``first`` is where the first one begins."""
    known = _by_index(read, first, size)
    if known is not None:
        yield known
        size = known.at
    end, length = size, _FIRST_CHUNK
    while end > first:
        start = max(first, end - length)
        data = read(start, min(end + len(_MOOF) - 1, size) - start)
        at = len(data)
        while (at := data.rfind(_MOOF, 0, at + len(_MOOF) - 1)) >= 0:
            (moof_size,) = struct.unpack(">I", read(start + at - 4, 4))
            yield Box(b"moof", start + at - 4, start + at + 4, start + at - 4 + moof_size)
        end, length = start, _CHUNK


def _by_index(read: Read, first: int, size: int) -> Box | None:
    """Return the last fragment of a file that ends with ``mfra``, which lists keyframes."""
    tail = read(size - 16, 16) if size > 16 else b""
    if tail[4:8] != b"mfro":
        return None
    at = size - int(struct.unpack_from(">I", tail, 12)[0])
    newest = 0
    for box in walk(read, at, size) if at > first else ():
        if box.kind == b"mfra":
            newest = max(
                (_last_listed(read, tfra) for tfra in walk(read, box.body, box.end)), default=0
            )
    last = None
    for box in walk(read, newest, at) if newest >= first else ():
        last = box if box.kind == b"moof" else last
    return last


def _last_listed(read: Read, tfra: Box) -> int:
    if tfra.kind != b"tfra":
        return 0
    version, _flags, _track_id, sizes, count = struct.unpack(">B3sIII", read(tfra.body, 16))
    numbers = 3 + (sizes >> 4 & 3) + (sizes >> 2 & 3) + (sizes & 3)
    entry = (16 if version == 1 else 8) + numbers
    if not count:
        return 0
    where = read(tfra.body + 16 + (count - 1) * entry, 16)
    return int(
        struct.unpack_from(">Q", where, 8)[0]
        if version == 1
        else struct.unpack_from(">I", where, 4)[0]
    )


def _whole(read: Read, packets: list[Packet], size: int) -> list[Packet]:
    """Return the packets whose bytes are there.

    A file system that lost power may have grown the file without writing it: a packet then begins
    with zeros, where a picture begins with its length or its start code.
    """
    whole = [packet for packet in packets if packet.at >= 0 and packet.end <= size]
    while whole and read(whole[-1].at, 4) == b"\0\0\0\0":
        whole.pop()
    return whole


def keyframes(read: Read, size: int) -> Iterator[int]:
    """Yield when the fragments of a recording begin, in ms from its own beginning.

    Of what our recorders write each fragment begins with a keyframe. Nothing is yielded of a file
    without fragments.
    """
    try:
        moov = next((box for box in walk(read, 0, size, _TOP_BOXES) if box.kind == b"moov"), None)
        if moov is None or moov.end > size:
            return
        track = track_of(read, list(walk(read, moov.body, moov.end)))
        began: int | None = None
        for box in walk(read, moov.end, size, _MOST_BOXES):
            packets = (
                packets_of(read, box, track) if box.kind == b"moof" and box.end <= size else []
            )
            if packets and packets[0].end <= size:
                began = packets[0].shown if began is None else began
                yield round((packets[0].shown - began) * 1000 / track.scale)
    except (struct.error, IndexError, ZeroDivisionError, NoMp4Error):
        return
