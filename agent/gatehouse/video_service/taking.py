"""Taking over a file of another recorder, so that its hash holds whatever that one does later.

A recorder may write into an old file again (many keep a ring of files of one size), so a hard link
is the last resort: the evidence would turn into other footage. It blocks.
"""

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

COPY: Final = "other"
LINK: Final = "other-linked"
"""What a manifest says of where a clip comes from."""

_FICLONE: Final = 0x40049409
"""linux/fs.h: share the blocks of a file until one of the two is written (Btrfs, XFS)."""
_CHUNK: Final = 4 << 20
_CANNOT: Final = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP}


def take(source: Path, fresh: Path, *, growing: bool, until: Callable[[], bool]) -> str:
    """Bring a recording to ``fresh``: cloned, or copied while ``until`` says so, or linked.

    Returns `COPY` or `LINK`; what still grows is never linked. Raises OSError: TimeoutError when it
    could be copied in time no more than linked.
    """
    fresh.unlink(missing_ok=True)
    try:
        with source.open("rb") as has, fresh.open("xb") as gets:
            if _cloned(has, gets) or _copied(has, gets, until):
                return COPY
        fresh.unlink()
        if growing:
            raise TimeoutError(errno.ETIMEDOUT, "copying takes too long", str(source))
        try:
            fresh.hardlink_to(source)
        except OSError as exc:
            if exc.errno not in _CANNOT:
                raise
            raise TimeoutError(errno.ETIMEDOUT, "copying takes too long", str(source)) from exc
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    return LINK


def _cloned(has: BinaryIO, gets: BinaryIO) -> bool:
    try:
        fcntl.ioctl(gets.fileno(), _FICLONE, has.fileno())
    except OSError:  # another file system, or one that cannot: then it is copied
        return False
    return True


def _copied(has: BinaryIO, gets: BinaryIO, until: Callable[[], bool]) -> bool:
    """Copy it piece by piece, each onto the disk: a commit of the outbox must not wait for all."""
    while chunk := has.read(_CHUNK):
        if not until():
            return False
        gets.write(chunk)
        gets.flush()
        os.fdatasync(gets.fileno())
    return True
