"""Whether a bundle is what its manifest says, byte by byte."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import msgspec

from gatehouse.evidence import bundles
from gatehouse.evidence.bundles import Bundle
from gatehouse.evidence.manifest import GATHERING, NAME, Item, Manifest
from gatehouse.evidence.shelf import TOLD, Told
from gatehouse.texts import _

MISSING: Final = "missing"
CHANGED: Final = "changed"
EXTRA: Final = "extra"
UNREADABLE: Final = "unreadable"
DAMAGED: Final = "damaged"

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as the manifest says; ``what`` is one of the words above."""

    file: str
    what: str
    text: str


def digest(stream: IO[bytes], progress: Callable[[int], None]) -> str:
    """Return the SHA-256 of what is left of a stream; ``progress`` hears of bytes. Raises OSError.

    By hand and not by ``hashlib.file_digest``, which tells of no progress.
    """
    sum_ = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        sum_.update(chunk)
        progress(len(chunk))
    return sum_.hexdigest()


def _silent(_bytes: int) -> None:
    """Hear of progress, and say nothing."""


def check(bundle: Bundle, progress: Callable[[int], None] = _silent) -> list[Finding]:
    """Return all that is not as it should be; ``progress`` hears of each part that was read."""
    if bundle.manifest is None:
        return [Finding(NAME, DAMAGED, bundle.damage)]
    named = {item.file: item for item in bundle.manifest.items}
    found = [
        finding for item in named.values() if (finding := _item(bundle, item, progress)) is not None
    ]
    return found + unnamed(bundle, bundle.manifest) + _note(bundle)


def _note(bundle: Bundle) -> list[Finding]:
    """Return a finding where the gateway's own note is damaged: any one byte of it shows."""
    if TOLD not in bundle.files:
        return []
    try:
        with bundles.opened(bundle.folder, TOLD) as stream:
            msgspec.json.decode(stream.read(_CHUNK), type=Told)
    except (OSError, msgspec.MsgspecError, ValueError):
        return [Finding(TOLD, CHANGED, _("it is not what the gateway wrote"))]
    return []


def unnamed(bundle: Bundle, manifest: Manifest) -> list[Finding]:
    """Return what lies in the folder and is not in the manifest."""
    named = {item.file for item in manifest.items} | bundles.OWN
    found = [
        Finding(name, EXTRA, _("it is no regular file"))
        for name in bundle.strange
        if name not in named
    ]
    if manifest.state == GATHERING:  # until it is ready a file is there before it is named
        return found
    return found + [
        Finding(name, EXTRA, _("the manifest does not name it"))
        for name in bundle.files
        if name not in named and not bundles.unfinished(name)
    ]


def _item(bundle: Bundle, item: Item, progress: Callable[[int], None]) -> Finding | None:
    size = bundle.files.get(item.file)
    if size is None:
        return absent(bundle, item)
    if size != item.bytes:
        progress(size)
        return judged(item, size, "")
    try:
        return judged(item, size, sha256(bundle.folder, item.file, progress))
    except OSError as exc:
        return Finding(item.file, UNREADABLE, str(exc))


def absent(bundle: Bundle, item: Item) -> Finding:
    """Say how a file is not there."""
    if item.file in bundle.strange:
        return Finding(item.file, CHANGED, _("it is no regular file any more"))
    return Finding(item.file, MISSING, _("the manifest names it, and it is not there"))


def judged(item: Item, size: int, seen: str) -> Finding | None:
    """Compare what was read with what the manifest says."""
    if size != item.bytes:
        return Finding(
            item.file, CHANGED, _("it has {n} bytes, not {all}").format(n=size, all=item.bytes)
        )
    if seen != item.sha256:
        return Finding(
            item.file,
            CHANGED,
            _("its SHA-256 is {seen}, not {told}").format(seen=seen, told=item.sha256),
        )
    return None


def sha256(folder: Path, name: str, progress: Callable[[int], None]) -> str:
    """Return the SHA-256 of one file of a bundle. Raises OSError."""
    with bundles.opened(folder, name) as stream:
        return digest(stream, progress)
