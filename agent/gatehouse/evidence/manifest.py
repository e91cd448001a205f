"""What a bundle says of itself. Pure.

A bundle is a folder ``state_dir/evidence/<alarm id>/`` with ``manifest.json`` and the files that
it names; besides them only `shelf`'s own notes. A manifest is written anew, durably and in one
step, after each file is on disk whole: so at any moment a bundle says what it has and what it still
lacks.
"""

from typing import Annotated, Any, Final

import msgspec

from gatehouse.errors import MessageError

NAME: Final = "manifest.json"
VERSION: Final = 1

GATHERING: Final = "gathering"
READY: Final = "ready"
PICTURE: Final = "picture"
CLIP: Final = "clip"

_Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
_File = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9._-]{0,99}$")]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a bundle. Times are UTC, RFC 3339."""

    file: _File
    kind: str
    """``picture`` (JPEG) or ``clip`` (MP4)."""
    camera: str
    sha256: _Sha256
    bytes: Annotated[int, msgspec.Meta(ge=1)]
    begins: str
    """When its first frame was seen; of a picture its only one."""
    ends: str
    clock: str
    """``synced`` or ``unsynced`` at the time."""
    number: int | None = None
    """Of a picture: its number at the district (``up/picture/<alarm id>/<number>``), from 1."""
    source: str = ""
    """``eye``, ``recorder``, ``ring``, ``other`` (a copy of another recorder's file), or
    ``other-linked``: that file itself, which changes if its recorder writes into it again."""


class Lacking(msgspec.Struct, frozen=True, kw_only=True):
    """Something that should be here and is not."""

    camera: str
    kind: str
    why: str
    """A word: ``no-picture``, ``no-recording``, ``disk-full``, ``damaged``, ``not-in-time``."""
    count: int = 1
    """How many pictures; of a clip how many stretches."""
    since: str | None = None
    """Of ``no-picture``: when the camera was last seen."""
    text: str = ""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A recording outside of the bundle that clean-up leaves alone while the bundle is held."""

    camera: str
    path: str
    begins: str
    ends: str | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All that a bundle says."""

    version: int = VERSION
    alarm: str
    """Id of the ``alarm.raised`` event, and the folder's name."""
    gateway: str
    school: str
    state: str = GATHERING
    event: dict[str, Any]
    """The event itself, as it went to the district."""
    event_sha256: _Sha256
    """Of the event's exact JSON: the chain to what the district has."""
    begins: str
    """From when footage is wanted: 30 s before the press."""
    ends: str
    cameras: tuple[str, ...]
    items: tuple[Item, ...] = ()
    lacking: tuple[Lacking, ...] = ()
    held: tuple[Held, ...] = ()


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Manifest)


def write(manifest: Manifest) -> bytes:
    """Return the manifest's exact JSON, as it stands in the file and is hashed."""
    return msgspec.json.format(_encoder.encode(manifest), indent=1) + b"\n"


def read(body: bytes) -> Manifest:
    """Read a manifest. Raises MessageError for anything that is none of this version."""
    try:
        manifest = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise MessageError(f"not a manifest of evidence: {exc}") from exc
    if manifest.version != VERSION:
        raise MessageError(f"a manifest of version {manifest.version}; this knows {VERSION}")
    return manifest
