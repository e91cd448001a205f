"""Reading bundles as they lie on the disk. Follows no link; damage is said, never hidden."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import msgspec

from gatehouse.errors import GatehouseError, MessageError
from gatehouse.evidence import manifest as manifests
from gatehouse.evidence.manifest import PICTURE, Item, Manifest
from gatehouse.evidence.shelf import TOLD, Release
from gatehouse.texts import _

RELEASED: Final = "released.json"
OWN: Final = frozenset({manifests.NAME, RELEASED, TOLD})
"""Files that no manifest names: they come after it."""

_WRITING: Final = ".new"
"""What ends the name of a file that is being written."""

_MOST_BYTES: Final = 4 * 1024 * 1024
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class UnknownBundleError(GatehouseError, LookupError):
    """There is no bundle of this name, or more than one."""


@dataclass(frozen=True, slots=True)
class Released:
    """Who let a bundle go, where (``site`` or ``district``), and when (UTC, RFC 3339)."""

    by: str
    via: str
    time: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """One folder and what it says; without a manifest ``damage`` says why."""

    folder: Path
    alarm: str
    manifest: Manifest | None = None
    manifest_body: bytes = b""
    damage: str = ""
    released: Released | None = None
    files: dict[str, int] = field(default_factory=dict)
    """Bytes of each regular file."""
    strange: tuple[str, ...] = ()
    """Names of what is no regular file: folders, links, pipes."""

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(self.files.values())


def names(root: Path) -> list[str]:
    """Return the ids of all bundles, oldest alarm first. Raises OSError; none without a folder."""
    try:
        with os.scandir(root) as entries:
            found = [e.name for e in entries if e.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return sorted(name for name in found if _ID.fullmatch(name))


def find(root: Path, given: str) -> str:
    """Return the id of the bundle that begins or ends so. Raises UnknownBundleError, OSError."""
    found = [name for name in names(root) if given and name.startswith(given)]
    found = found or [name for name in names(root) if given and name.endswith(given)]
    if not found:
        said = _("no evidence of the alarm {alarm} in {folder}")
        raise UnknownBundleError(said.format(alarm=given, folder=root))
    if len(found) > 1:
        said = _("{alarm} may be {n} alarms: {ids}; type more of it")
        listed = _(", ").join(found[:5])
        raise UnknownBundleError(said.format(alarm=given, n=len(found), ids=listed))
    return found[0]


def read(root: Path, alarm: str) -> Bundle:
    """Read one bundle, without its pictures and recordings. Raises OSError."""
    folder = root / alarm
    files: dict[str, int] = {}
    strange = []
    with _opened(folder) as handle, os.scandir(handle) as entries:
        for entry in entries:
            seen = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(seen.st_mode):
                files[entry.name] = seen.st_size
            else:
                strange.append(entry.name)
    found, body, damage = _manifest(folder, alarm)
    return Bundle(
        folder=folder,
        alarm=alarm,
        manifest=found,
        manifest_body=body,
        damage=damage,
        released=_released(folder) if RELEASED in files else None,
        files=dict(sorted(files.items())),
        strange=tuple(sorted(strange)),
    )


def unfinished(name: str) -> bool:
    """Whether a file is still being written, or was when the power went."""
    return name.endswith(_WRITING)


def pictures(manifest: Manifest) -> list[Item]:
    """Return the pictures in their order of time; of a whole and its small copy only the whole."""
    whole = {item.file for item in manifest.items if not _small(item.file)}
    shown = [
        item
        for item in manifest.items
        if item.kind == PICTURE and not (_small(item.file) and _whole_of(item.file) in whole)
    ]
    return sorted(shown, key=lambda item: (item.begins, item.camera))


def clips(manifest: Manifest) -> list[Item]:
    """Return the recordings, by camera and time."""
    found = [item for item in manifest.items if item.kind != PICTURE]
    return sorted(found, key=lambda item: (item.camera, item.begins))


@contextmanager
def opened(folder: Path, name: str) -> Iterator[IO[bytes]]:
    """Open one file of a bundle. Raises OSError, also for a link or what is no regular file."""
    with _opened(folder) as handle:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = os.open(name, flags, dir_fd=handle)
    with os.fdopen(file, "rb") as stream:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(f"{folder / name} is no regular file")
        yield stream


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)


def _manifest(folder: Path, alarm: str) -> tuple[Manifest | None, bytes, str]:
    """Return the manifest and its bytes, or what is wrong with it."""
    body = b""
    try:
        with opened(folder, manifests.NAME) as stream:
            body = stream.read(_MOST_BYTES)
        found = manifests.read(body)
    except FileNotFoundError:
        return None, body, f"there is no {manifests.NAME}"
    except (MessageError, OSError) as exc:
        return None, body, str(exc)
    if found.alarm != alarm:
        return None, body, f"its manifest is that of the alarm {found.alarm}"
    return found, body, ""


def _released(folder: Path) -> Released | None:
    """Read who let it go; what cannot be read is no release, as for the service (`shelf`)."""
    try:
        with opened(folder, RELEASED) as stream:
            note = msgspec.json.decode(stream.read(_MOST_BYTES), type=Release)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return Released(note.by, note.via, note.at)


def _small(name: str) -> bool:
    return name.endswith(".small.jpg")


def _whole_of(name: str) -> str:
    return name.removesuffix(".small.jpg") + ".jpg"
