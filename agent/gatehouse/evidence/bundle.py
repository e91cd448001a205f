"""One bundle on the disk: written so that a crash at any moment leaves what its manifest says.

1. A file is written beside its place (``<name>.new``), synced, and renamed.
2. The folder is synced, and only then the manifest names the file; it is replaced whole.

A file that no manifest names is none: it goes when the bundle is taken up again. All of it blocks.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from gatehouse import files
from gatehouse.errors import MessageError
from gatehouse.evidence import manifest as manifests
from gatehouse.evidence.manifest import Manifest

FRESH: Final = ".new"
_MODE: Final = 0o640
_CHUNK: Final = 1 << 20


def begin(folder: Path, manifest: Manifest) -> None:
    """Make a bundle's folder with its first manifest. Raises OSError."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    write_manifest(folder, manifest)
    files.sync(folder.parent)


def add(folder: Path, contents: Mapping[str, bytes], manifest: Manifest) -> None:
    """Add files to a bundle, and the manifest that names them. Raises OSError; then none is in."""
    try:
        for name, content in contents.items():
            files.put(folder / name, content, mode=_MODE)
        files.sync(folder)
        write_manifest(folder, manifest)
    except OSError:
        for name in contents:
            with contextlib.suppress(OSError):
                (folder / name).unlink()
        raise


def settle(fresh: Path, target: Path) -> tuple[str, int]:
    """Bring a file that others wrote durably to its place; returns its SHA-256 and bytes.

    Raises OSError. The manifest must name it next.
    """
    with fresh.open("rb") as stream:
        os.fsync(stream.fileno())
        sha256, size = _hash(stream)
    fresh.replace(target)
    files.sync(target.parent)
    return sha256, size


def sha256_of(content: bytes) -> str:
    """Return what the manifest says of a file with this content."""
    return hashlib.sha256(content).hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest. Raises OSError; the old one then still stands."""
    files.replace(folder / manifests.NAME, manifests.write(manifest), mode=_MODE)


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """Read the manifest, and its file's SHA-256. Raises MessageError for a damaged one, OSError."""
    body = (folder / manifests.NAME).read_bytes()
    manifest = manifests.read(body)
    if manifest.alarm != folder.name:
        raise MessageError(f"the manifest in {folder} is of another alarm, {manifest.alarm}")
    return manifest, sha256_of(body)


def tidy(folder: Path, manifest: Manifest, kept: Iterable[str]) -> None:
    """Remove what a crash left behind: files that no manifest names. Raises OSError."""
    named = {manifests.NAME, *(each.file for each in manifest.items), *kept}
    for path in folder.iterdir():
        if path.name not in named and not path.is_dir():
            path.unlink()


def _hash(stream: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size
