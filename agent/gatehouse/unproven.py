"""What ``gatehouse setup`` could not prove: a small file beside the outbox, until it is proven.

Setup writes it while it holds the alarm service's lock, the service strikes out what it has seen.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from gatehouse import files
from gatehouse.errors import MessageError
from gatehouse.texts import N_

PRESS: Final = "press"
RESET: Final = "reset"
LAMPS: Final = "lamps"
RELAY: Final = "relay"
CONNECTION: Final = "connection"
"""What may be unproven. The service itself ends a press, a reset by key and a connection; lamps and
a relay were not proven until somebody has looked, which only setup asks."""

WORDS: Final = {
    PRESS: N_("press"),
    RESET: N_("reset key"),
    LAMPS: N_("lamps and buzzer"),
    RELAY: N_("relay"),
    CONNECTION: N_("connection"),
}

_FILE: Final = "unproven.json"
_LARGEST: Final = 256 * 1024


class Unproven(msgspec.Struct, frozen=True):
    """Something that is not proven: of ``button/gate``, what, and why, as it was told on site."""

    subject: str
    what: str
    why: str


class _File(msgspec.Struct, frozen=True):
    unproven: tuple[Unproven, ...]


def place(state_dir: Path) -> Path:
    """Return where it lies."""
    return state_dir / _FILE


def read(state_dir: Path) -> tuple[Unproven, ...]:
    """Read it; nothing is unproven where there is none. Raises OSError, MessageError."""
    path = place(state_dir)
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST)
    except FileNotFoundError:
        return ()
    try:
        return msgspec.json.decode(content, type=_File).unproven
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise MessageError(f"{path} is not what setup wrote: {exc}; run setup again") from exc


def write(state_dir: Path, items: Iterable[Unproven]) -> None:
    """Write it, or remove it where everything is proven. Raises OSError."""
    kept, path = tuple(items), place(state_dir)
    if kept:
        content = msgspec.json.format(msgspec.json.encode(_File(kept)), indent=1) + b"\n"
        files.replace(path, content, mode=0o640, to_owner=True)
    elif path.exists():
        path.unlink()
        files.sync(state_dir)
