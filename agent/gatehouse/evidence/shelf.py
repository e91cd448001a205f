"""All bundles of a gateway, ``state_dir/evidence/``: what is held, what may go, and how it goes.

Beside its manifest and what that names, a bundle's folder may have

* ``released.json``: who let go of it; without it the bundle is held, and so are its recordings;
* ``told.json``: which of its happenings the alarm service has on its disk.

A bundle goes by renaming its folder first, so that half a bundle is never taken for one. All of it
blocks, and one thread at a time uses it.
"""

import contextlib
import logging
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from gatehouse import files
from gatehouse.errors import MessageError
from gatehouse.evidence import bundle
from gatehouse.evidence.manifest import Manifest
from gatehouse.evidence.plan import WINDOW, is_ready, unix_ms

log = logging.getLogger(__name__)

RELEASED: Final = "released.json"
TOLD: Final = "told.json"
RINGS: Final = ".rings"
"""Where a camera's ring is written while clips are cut from it."""
_GONE: Final = ".gone-"
_MODE: Final = 0o640
T = TypeVar("T", bound=msgspec.Struct)
_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Release(msgspec.Struct, frozen=True):
    """Who let go of a bundle: a name, and on which way (``site``, ``district``)."""

    alarm: str
    by: str
    via: str
    at: str


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the alarm service has of a bundle."""

    ready: bool = False
    released: bool = False


_NOTHING_TOLD: Final = Told()


@dataclass(frozen=True, slots=True)
class Kept:
    """One bundle; without a manifest it is damaged, and held until a person releases it."""

    alarm: str
    manifest: Manifest | None
    sha256: str = ""
    """Of the manifest as it stands in its file."""
    bytes: int = 0
    release: Release | None = None
    told: Told = _NOTHING_TOLD
    why: str = ""
    """What is damaged."""

    @property
    def may_go(self) -> bool:
        """Whether it was released, and everybody knows."""
        told_ready = self.told.ready or self.manifest is None
        return self.release is not None and self.told.released and told_ready

    @property
    def is_ready(self) -> bool:
        """Whether nothing will be added to it."""
        return self.manifest is not None and is_ready(self.manifest)

    def span_ms(self) -> tuple[int, int]:
        """Return from when to when recordings are held for it (UTC, ms).

        A damaged one still says by its id when the alarm was (UUIDv7, RFC 9562).
        """
        if self.manifest is not None:
            return unix_ms(self.manifest.begins), unix_ms(self.manifest.ends)
        at_ms = int(self.alarm.replace("-", "")[:12], 16)
        return at_ms - round(WINDOW.before_s * 1000), at_ms + round(WINDOW.after_s * 1000)

    def holds(self, camera: str) -> bool:
        """Whether recordings of a camera are held for it; a damaged one holds all."""
        return self.release is None and (self.manifest is None or camera in self.manifest.cameras)


def is_id(text: object) -> bool:
    """Whether something is an alarm's id, and so surely no path."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


class Shelf:
    """The folder of all bundles."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, alarm: str) -> Path:
        """Return where an alarm's bundle lies. Raises MessageError for what is no id."""
        if not is_id(alarm):
            raise MessageError(f"{alarm[:100]!r} is no id of an alarm")
        return self.folder / alarm

    def read(self) -> list[Kept]:
        """Return all bundles, the oldest first. Raises OSError."""
        if not self.folder.exists():
            return []
        names = sorted(path.name for path in self.folder.iterdir() if is_id(path.name))
        found = (self.kept(name) for name in names)
        return [each for each in found if each is not None]

    def kept(self, alarm: str) -> Kept | None:
        """Return one bundle; None when there is none. Raises OSError."""
        folder = self.place(alarm)
        try:
            manifest, sha256 = bundle.read_manifest(folder)
            unix_ms(manifest.begins), unix_ms(manifest.ends)
        except (FileNotFoundError, NotADirectoryError):
            if not _is_begun(folder):
                return None
            kept = Kept(alarm, None, why="it has no manifest")
        except (MessageError, ValueError, OSError) as exc:  # held; the others are none the worse
            kept = Kept(alarm, None, why=str(exc))
        else:
            kept = Kept(alarm, manifest, sha256)
        size = _bytes(folder)
        release = _note(folder / RELEASED, Release)
        return replace(kept, bytes=size, release=release, told=_note(folder / TOLD, Told) or Told())

    def release(self, release: Release) -> None:
        """Note durably that a bundle is held no more. Raises OSError."""
        self._write(release.alarm, RELEASED, release)

    def tell(self, alarm: str, told: Told) -> None:
        """Note durably what the alarm service has. Raises OSError."""
        self._write(alarm, TOLD, told)

    def remove(self, alarm: str) -> None:
        """Take a bundle down; one that somebody took by hand is down. Raises OSError."""
        gone = self.folder / f"{_GONE}{alarm}"
        with contextlib.suppress(FileNotFoundError):
            self.place(alarm).rename(gone)
            files.sync(self.folder)
        _rid(gone)  # also when the last try came no further than this

    def sweep(self) -> None:
        """Finish what a crash left half taken down, or not begun. Raises OSError."""
        if self.folder.exists():
            for path in list(self.folder.iterdir()):
                unbegun = is_id(path.name) and path.is_dir() and not _is_begun(path)
                if unbegun or path.name.startswith(_GONE) or path.name == RINGS:
                    _rid(path)

    def _write(self, alarm: str, name: str, note: msgspec.Struct) -> None:
        files.replace(self.place(alarm) / name, msgspec.json.encode(note), mode=_MODE)


def _bytes(folder: Path) -> int:
    """Return what the files of a bundle take; one that is written meanwhile changes its name.

    A folder that cannot be read counts as nothing: it is damaged, and the others are not.
    """
    size = 0
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            with contextlib.suppress(OSError):
                size += path.lstat().st_size
    return size


def _is_begun(folder: Path) -> bool:
    """Whether there is anything of a bundle in it: not when the power went at its first file."""
    try:
        return any(not path.name.endswith(bundle.FRESH) for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # it cannot be looked into: held


def _rid(folder: Path) -> None:
    """Delete a folder; what cannot be deleted hinders nothing, and is tried at the next start."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except OSError as exc:
        log.warning("%s cannot be deleted: %s", folder, exc)


def _note(path: Path, kind: type[T]) -> T | None:
    """Read a note; a damaged one is none: a bundle stays held, a happening is told again."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError, ValueError):
        return None
