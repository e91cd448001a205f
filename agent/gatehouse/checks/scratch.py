"""A file of our own on a disk that is to be tried: nothing else of it is touched."""

import contextlib
import os
from pathlib import Path
from typing import Final, Self

_MODE: Final = 0o600


class Scratch:
    """One file that is gone at the end, also when the disk fails in between."""

    def __init__(self, folder: Path, name: str) -> None:
        """Prepare ``selftest.<name>``: one name, so that a kill leaves at most one behind."""
        self.path = folder / f"selftest.{name}"

    def __enter__(self) -> Self:
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def write(self, content: bytes) -> None:
        """Write it, to the disk itself. Raises OSError."""
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> bytes:
        """Read it back, from the disk where the kernel can be asked to forget. Raises OSError."""
        with self.path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            return file.read()
