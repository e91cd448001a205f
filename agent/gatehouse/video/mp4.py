"""The boxes of an MP4 file: its tracks, and the packets that its fragments list. Pure.

ISO/IEC 14496-12. Everything is read by a function like `os.pread`, so that a file of any size costs
the few bytes that are looked at.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

Read = Callable[[int, int], bytes]
"""Returns at most so many bytes from an offset."""

_MOOF_BYTES: Final = 1024 * 1024
"""A fragment's list of packets; a minute at 100 frames a second needs 100 kB."""
_PACKETS: Final = 100_000


class NoMp4Error(Exception):
    """The bytes are no MP4, or its head is not whole."""


class Box(NamedTuple):
    """One box: where it begins, where what it holds begins, and where it ends by its own word."""

    kind: bytes
    at: int
    body: int
    end: int


class Packet(NamedTuple):
    """One packet: its bytes in the file, and when it is shown, in the track's time scale."""

    at: int
    end: int
    shown: int
    gone: int


@dataclass(slots=True)
class Track:
    """What the head says of the track that is measured."""

    id: int = 0
    scale: int = 0
    video: bool = False
    duration: int = 0
    """Of a packet whose own is not given; so is ``size``."""
    size: int = 0


def times(full_box: bytes) -> int:
    """Return how far in mvhd, mdhd and tkhd hold their number: behind two times of 4 or 8 bytes."""
    return 20 if full_box[:1] == b"\1" else 12


def walk(read: Read, at: int, end: int, most: int = 1024) -> Iterator[Box]:
    """Yield the boxes that begin within a range."""
    for _ in range(most):
        head = read(at, min(16, end - at)) if at < end else b""
        if len(head) < 8:
            return
        length, kind = struct.unpack_from(">I4s", head)
        body = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", head, 8)
            body = at + 16
        elif length == 0:
            length = end - at
        if length < body - at:
            raise NoMp4Error
        yield Box(kind, at, body, at + length)
        at += length


def track_of(read: Read, boxes: list[Box]) -> Track:
    """Return the first video track, or the first of any kind."""
    tracks = [_one_track(read, box) for box in boxes if box.kind == b"trak"]
    if not tracks:
        raise NoMp4Error
    track = next((track for track in tracks if track.video), tracks[0])
    for mvex in boxes:
        if mvex.kind != b"mvex":
            continue
        for trex in walk(read, mvex.body, mvex.end):
            if trex.kind == b"trex":
                id_, _description, duration, size = struct.unpack(">4I", read(trex.body + 4, 16))
                if id_ == track.id:
                    track.duration, track.size = duration, size
    return track


def _one_track(read: Read, trak: Box) -> Track:
    track = Track()
    for box in _deep(read, trak):
        if box.kind == b"tkhd":
            body = read(box.body, 32)
            (track.id,) = struct.unpack_from(">I", body, times(body))
        elif box.kind == b"mdhd":
            body = read(box.body, 32)
            (track.scale,) = struct.unpack_from(">I", body, times(body))
        elif box.kind == b"hdlr":
            track.video = read(box.body + 8, 4) == b"vide"
    return track


def _deep(read: Read, parent: Box, levels: int = 2) -> Iterator[Box]:
    for box in walk(read, parent.body, parent.end):
        yield box
        if box.kind == b"mdia" and levels:
            yield from _deep(read, box, levels - 1)


def packets_of(read: Read, moof: Box, track: Track) -> list[Packet]:
    """Return the packets of our track that a fragment lists, in decoding order."""
    data = read(moof.at, min(moof.end - moof.at, _MOOF_BYTES))

    def within(at: int, count: int) -> bytes:
        return data[at - moof.at : at - moof.at + count]

    packets: list[Packet] = []
    for traf in walk(within, moof.body, moof.end):
        if traf.kind == b"traf":
            packets += _track_packets(within, traf, moof.at, track)
    return packets


def _track_packets(read: Read, traf: Box, moof_at: int, track: Track) -> list[Packet]:
    base, time, duration, size = moof_at, 0, track.duration, track.size
    packets: list[Packet] = []
    at = moof_at
    for box in walk(read, traf.body, traf.end):
        body = read(box.body, box.end - box.body)
        if box.kind == b"tfhd":
            flags, id_ = struct.unpack_from(">II", body)
            if id_ != track.id:
                return []
            base, duration, size = _defaults(body, flags, base, duration, size)
        elif box.kind == b"tfdt":
            (time,) = struct.unpack_from(">Q" if body[0] == 1 else ">I", body, 4)
        elif box.kind == b"trun":
            flags, _count = struct.unpack_from(">II", body)
            if flags & 1:
                at = base + int(struct.unpack_from(">i", body, 8)[0])
            for length, bytes_, later in _listed(body, duration, size):
                packets.append(Packet(at, at + bytes_, time + later, time + later + length))
                at += bytes_
                time += length
    return packets


def _defaults(body: bytes, flags: int, base: int, duration: int, size: int) -> tuple[int, int, int]:
    """Read the optional numbers of ``tfhd``, in the order in which they stand."""
    at = 8
    if flags & 0x1:
        (base,) = struct.unpack_from(">Q", body, at)
        at += 8
    at += 4 if flags & 0x2 else 0
    if flags & 0x8:
        (duration,) = struct.unpack_from(">I", body, at)
        at += 4
    if flags & 0x10:
        (size,) = struct.unpack_from(">I", body, at)
    return base, duration, size


def _listed(body: bytes, duration: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Yield duration, bytes and delay of display of each packet of a ``trun``."""
    flags, count = struct.unpack_from(">II", body)
    at = 8 + (4 if flags & 0x1 else 0) + (4 if flags & 0x4 else 0)
    for _ in range(min(count, _PACKETS)):
        own, length, later = duration, size, 0
        if flags & 0x100:
            (own,) = struct.unpack_from(">I", body, at)
            at += 4
        if flags & 0x200:
            (length,) = struct.unpack_from(">I", body, at)
            at += 4
        at += 4 if flags & 0x400 else 0
        if flags & 0x800:
            (later,) = struct.unpack_from(">i", body, at)  # version 0 is never above 2**31
            at += 4
        if not (own or length):
            return
        yield own, length, later
