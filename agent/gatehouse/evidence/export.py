"""One zip of a bundle, with a page that anybody can open."""

import hashlib
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from gatehouse import files
from gatehouse.evidence import bundles, verify
from gatehouse.evidence.bundles import Bundle
from gatehouse.evidence.manifest import NAME, Manifest
from gatehouse.evidence.verify import UNREADABLE, Finding

PAGE: Final = "index.html"
_CHUNK: Final = 1 << 20
_RIGHTS: Final = 0o644 << 16
_FIRST: Final = (1980, 1, 1, 0, 0, 0)
"""A zip knows no time before; a clock that is not set does."""

Page = Callable[[Sequence[Finding]], str]
"""Makes the page from what was found while the files were copied."""


def write(
    bundle: Bundle,
    manifest: Manifest,
    out: Path,
    *,
    page: Page,
    made: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Finding]:
    """Write the zip whole or not at all; return what is not as the manifest says. Raises OSError.

    Each file is judged by the very bytes that go into the zip. What cannot be read is left out,
    and said: evidence that is half there is still evidence.
    """
    with (
        files.lent(out, mode=0o600, to_owner=True) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as opened,
    ):
        return _fill(_Zip(opened, bundle.alarm, made), bundle, manifest, page, progress)


class _Zip:
    """A zip whose files lie in one folder, uncompressed: pictures and films are so already."""

    def __init__(self, opened: zipfile.ZipFile, alarm: str, made: datetime) -> None:
        self._zip = opened
        self._folder = f"evidence-{alarm}"
        self._date = max(made.timetuple()[:6], _FIRST)

    def open(self, name: str, length: int) -> IO[bytes]:
        """Begin a file of about so many bytes."""
        info = zipfile.ZipInfo(f"{self._folder}/{name}", self._date)
        info.external_attr = _RIGHTS
        info.file_size = length
        return self._zip.open(info, "w", force_zip64=length > 1 << 30)

    def put(self, name: str, body: bytes) -> None:
        """Write a small file."""
        with self.open(name, len(body)) as stream:
            stream.write(body)


def _fill(
    to: _Zip, bundle: Bundle, manifest: Manifest, page: Page, progress: Callable[[int], None]
) -> list[Finding]:
    findings = []
    for item in manifest.items:
        if item.file not in bundle.files:
            findings.append(verify.absent(bundle, item))
            continue
        try:
            size, seen = _copy(to, bundle, item.file, progress)
        except OSError as exc:
            findings.append(Finding(item.file, UNREADABLE, str(exc)))
        else:
            found = verify.judged(item, size, seen)
            findings += [found] if found is not None else []
    findings += verify.unnamed(bundle, manifest)
    to.put(NAME, bundle.manifest_body)
    if bundles.RELEASED in bundle.files:
        _copy(to, bundle, bundles.RELEASED, progress)
    to.put(PAGE, page(findings).encode("utf-8", "replace"))
    return findings


def _copy(to: _Zip, bundle: Bundle, name: str, progress: Callable[[int], None]) -> tuple[int, str]:
    """Copy one file; return how many bytes it has and their SHA-256. Raises OSError."""
    sum_, size = hashlib.sha256(), 0
    with bundles.opened(bundle.folder, name) as source, to.open(name, bundle.files[name]) as sink:
        while chunk := source.read(_CHUNK):
            sink.write(chunk)
            sum_.update(chunk)
            size += len(chunk)
            progress(len(chunk))
    return size, sum_.hexdigest()
