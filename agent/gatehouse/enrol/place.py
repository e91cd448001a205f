"""Where keys and certificates lie, and how they get there whole.

A certificate that is asked for by file waits with its key in `<key>.asked`. Putting it in its place
takes two renames; the pair before is kept as `.old` first, and `config.pairs` uses that one while
the two do not fit. What the gateway renews by itself is one file and one rename; it waits as
`<name>.waiting` until it has connected.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gatehouse import files
from gatehouse.config.pairs import OLD
from gatehouse.enrol import papers
from gatehouse.errors import EnrolError
from gatehouse.texts import _

_SECRET: Final = 0o600
_OPEN: Final = 0o644
ASKED: Final = ".asked"
WAITING: Final = ".waiting"
LARGEST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """The configured files; the key is handed to the owner of ``state_dir``, who is the service."""

    gateway: str
    ca: Path
    cert: Path
    key: Path
    state_dir: Path

    @property
    def asked(self) -> Path:
        """The key of a request that was not answered yet."""
        return self.key.with_name(self.key.name + ASKED)

    def keep_asked(self, key: bytes) -> None:
        """Keep the key of a request; one of an earlier request is gone. Raises EnrolError."""
        self._write(self.asked, key, _SECRET)

    def asked_key(self) -> bytes:
        """Return the key of the last request, or the one in use. Raises EnrolError."""
        return read(self.asked if self.asked.exists() else self.key)

    def install(self, cert: bytes, key: bytes, ca: bytes) -> None:
        """Put all three in their places; at each moment a pair that fits is there.

        Raises EnrolError; then what was in use is in use.
        """
        if self._fits():  # else an earlier try was cut off, and the kept pair is the one in use
            self._write(_old(self.key), read(self.key), _SECRET)
            self._write(_old(self.cert), read(self.cert), _OPEN)
        self._write(self.ca, ca, _OPEN)
        self._write(self.key, key, _SECRET)
        self._write(self.cert, cert, _OPEN)
        self.asked.unlink(missing_ok=True)

    def _fits(self) -> bool:
        try:
            return papers.belong(read(self.cert), read(self.key))
        except EnrolError:
            return False

    def _write(self, path: Path, content: bytes, mode: int) -> None:
        write(path, content, mode=mode)
        if mode == _SECRET:
            try:
                if self.state_dir.exists():
                    files.hand_over(path, self.state_dir)
            except OSError as exc:
                raise _unwritten(path, exc) from exc


def keep_waiting(own: Path, both: bytes) -> Path:
    """Keep a renewed pair beside the place where it will be; returns where. Raises EnrolError."""
    waiting = own.with_name(own.name + WAITING)
    try:
        own.parent.mkdir(mode=0o700, exist_ok=True)
        if own.parent.stat().st_uid == os.geteuid():
            files.hand_over(own.parent, own.parent.parent)
    except OSError as exc:
        raise _unwritten(own, exc) from exc
    write(waiting, both, mode=_SECRET)
    return waiting


def promote(own: Path, waiting: Path) -> None:
    """Let a renewed pair be the one in use, in one step; what it follows is gone with it.

    Raises EnrolError; then what was in use is in use.
    """
    try:
        waiting.replace(own)
        files.sync(own.parent)
        for other in own.parent.glob("*.pem*"):
            if other != own:  # follows a certificate that is not configured any more
                other.unlink()
    except OSError as exc:
        raise _unwritten(own, exc) from exc


def discard(waiting: Path) -> None:
    """Throw away a renewed pair that no broker takes. Raises EnrolError."""
    try:
        waiting.unlink(missing_ok=True)
    except OSError as exc:
        raise _unwritten(waiting, exc) from exc


def read(path: Path) -> bytes:
    """Read a small file. Raises EnrolError."""
    try:
        with path.open("rb") as stream:
            return stream.read(LARGEST)
    except OSError as exc:
        said = _("{path} cannot be read: {reason}")
        raise EnrolError(said.format(path=path, reason=exc.strerror or exc)) from exc


def write(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file in one step. Raises EnrolError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.replace(path, content, mode=mode, to_owner=True)
    except OSError as exc:
        raise _unwritten(path, exc) from exc


def _unwritten(path: Path, exc: OSError) -> EnrolError:
    said = _("{path} cannot be written: {reason}")
    return EnrolError(said.format(path=path, reason=exc.strerror or exc))


def _old(path: Path) -> Path:
    return path.with_name(path.name + OLD)
