"""Files that are replaced whole: after a power cut the old one or the new one is there."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

BACKUP: Final = ".bak"


def replace(path: Path, content: bytes, *, mode: int, to_owner: bool = False) -> None:
    """Write a file in one step; it gets the group of its folder, and its owner if ``to_owner``.

    What root writes for a service would else be closed to it. Raises OSError; the old file then
    still stands.
    """
    put(path, content, mode=mode, to_owner=to_owner)
    sync(path.parent)


def put(path: Path, content: bytes, *, mode: int, to_owner: bool = False) -> None:
    """Do as `replace`, except that the new name is durable only after the next `sync`."""
    fresh = path.with_name(f"{path.name}.new")  # one name: at most one is ever left behind
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            if to_owner:
                hand_over(stream.fileno(), path.parent)
            elif os.geteuid() == 0:
                os.fchown(stream.fileno(), -1, path.parent.stat().st_gid)
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise


def replace_keeping(path: Path, content: bytes, *, mode: int) -> bool:
    """Replace a file, and keep the one before as ``.bak`` if it said something else.

    Returns whether there was such a one. Raises OSError.
    """
    try:
        before = path.read_bytes()
    except FileNotFoundError:
        before = content
    if before != content:
        replace(path.with_name(path.name + BACKUP), before, mode=mode)
    replace(path, content, mode=mode)
    return before != content


def sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def hand_over(what: Path | int, folder: Path) -> None:
    """Give a file, or an open one, to whom the folder belongs, if we are root: only root can.

    Raises OSError.
    """
    if os.geteuid() == 0:
        owner = folder.stat()
        if isinstance(what, int):
            os.fchown(what, owner.st_uid, owner.st_gid)
        else:  # a link in a service's folder may lead anywhere
            os.chown(what, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextlib.contextmanager
def lent(path: Path, *, mode: int, to_owner: bool = False) -> Iterator[IO[bytes]]:
    """Lend a file of unknown length, which takes its place only when it is whole.

    Raises OSError.
    """
    with tempfile.NamedTemporaryFile(
        "wb", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        spare = Path(file.name)
        try:
            yield file
            file.flush()
            if to_owner:
                hand_over(file.fileno(), path.parent)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
            spare.replace(path)
        except BaseException:
            spare.unlink(missing_ok=True)
            raise
