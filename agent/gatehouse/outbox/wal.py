"""Whether a WAL holds commits that SQLite no longer sees, because it was damaged before them.

SQLite reads a WAL up to the first frame that is not sound, and takes what follows for the rest of
a commit that never ended. But each commit was on the disk before the next one began: where two
more commits follow under the same salts, events are lost that were reported as stored.
(File format, section 4.1.)
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

_HEADER: Final = struct.Struct(">8I")
_FRAME: Final = struct.Struct(">IIII8x")
_BLOCK: Final = 1 << 16
_MAGIC: Final = 0x377F0682
"""The last bit tells the byte order of the checksums."""


def broken(path: Path, sound: int) -> bool:
    """Whether commits follow behind the first ``sound`` frames. Raises OSError."""
    try:
        with path.open("rb") as file:
            raw = file.read(_HEADER.size)
            if not any(raw):  # only lengthened so far, or damaged
                return any(map(any, iter(lambda: file.read(_BLOCK), b"")))
            if len(raw) < _HEADER.size:
                return False  # the first commit was never finished
            magic, _, page, _, *salts, _, _ = _HEADER.unpack(raw)
            if magic | 1 != _MAGIC | 1 or _checksum(raw[:24], magic) != raw[24:]:
                return True
            after = sum(_commits(file, page + _FRAME.size, sound, tuple(salts)))
    except FileNotFoundError:
        return False
    return after > 1


def _commits(file: BinaryIO, size: int, sound: int, salts: tuple[int, ...]) -> Iterator[bool]:
    at = _HEADER.size + sound * size
    while True:
        file.seek(at)
        head = file.read(_FRAME.size)
        if len(head) < _FRAME.size:
            return
        _, pages, *found = _FRAME.unpack(head)
        yield pages > 0 and tuple(found) == salts
        at += size


def _checksum(data: bytes, magic: int) -> bytes:
    one = two = 0
    words = struct.unpack(f"{'>' if magic & 1 else '<'}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return struct.pack(">II", one, two)
