"""Reading the file: for people every mistake counts, for the alarm only those that concern it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gatehouse.config import keep
from gatehouse.config.checks import STATE_DIR, check
from gatehouse.config.document import read_document
from gatehouse.config.handed import with_handed_key
from gatehouse.config.mistakes import FILE, ConfigError, Mistake
from gatehouse.config.model import Config
from gatehouse.texts import _

_STATE_DIR: Final = re.compile(
    r"""^[ \t]*(?:gateway\.)?state_dir[ \t]*=[ \t]*(["'])([^"'\n\\]+)\1""", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the alarm service runs on, and every mistake of the file it was given."""

    config: Config
    mistakes: tuple[Mistake, ...]
    from_last_good: bool


@dataclass(frozen=True, slots=True)
class _Examined:
    """One file as far as it could be read."""

    config: Config | None
    mistakes: tuple[Mistake, ...]
    text: str = ""
    found: Mapping[str, Any] | None = None


def read(path: Path) -> Config:
    """Read and check a file; raises ConfigError with everything that is wrong in it."""
    path = path.absolute()
    examined = _examine(path, path)
    if examined.config is None or examined.mistakes:
        raise ConfigError(path, examined.mistakes)
    return examined.config


def read_for_alarm(path: Path, environ: Mapping[str, str]) -> Loaded:
    """Read what the alarm service can run on: this file, else the last good copy of it.

    Mistakes outside of what the alarm lives on are returned and cost nothing but what they stand
    in. Raises ConfigError when the file cannot be used and there is no usable copy either. Where
    copies lie is told by the file itself as far as it can be read, then by ``STATE_DIRECTORY`` in
    ``environ`` (systemd.exec(5)), then by the default. A key that systemd hands over is used.
    """
    path = path.absolute()
    examined = _examine(path, path)
    if examined.config is not None:
        config = with_handed_key(examined.config, environ)
        return Loaded(config, examined.mistakes, from_last_good=False)
    mistakes = list(examined.mistakes)
    for state_dir in _state_dirs(examined, path.parent, environ):
        copy = keep.place(state_dir)
        kept = _examine(copy, path)
        if kept.config is not None:
            config = with_handed_key(kept.config, environ)
            return Loaded(config, examined.mistakes, from_last_good=True)
        said = _("there is no usable last good copy at {copy}").format(copy=copy)
        mistakes.append(Mistake("", None, said, FILE))
    raise ConfigError(path, mistakes)


def _state_dirs(examined: _Examined, folder: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Give the places where a copy may lie; the default only where nothing else was named."""
    named = _named_state_dir(examined)
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    places = [folder / named] if named else []
    if given:
        places.append(Path(given))
    yield from dict.fromkeys(places or [STATE_DIR])


def _named_state_dir(examined: _Examined) -> str | None:
    if examined.found is not None:
        gateway = examined.found.get("gateway")
        named = gateway.get("state_dir") if isinstance(gateway, dict) else None
        return named if isinstance(named, str) and named.isprintable() else None
    match = _STATE_DIR.search(examined.text)
    return match[2] if match else None


def _examine(file: Path, original: Path) -> _Examined:
    """Read ``file``, with paths in it counted from the folder of ``original``."""
    document = read_document(file)
    if document.mistake is not None or document.found is None:
        return _Examined(None, (document.mistake,) if document.mistake else (), document.text)
    config, mistakes = check(document.found, original, document.text)
    return _Examined(config, mistakes, document.text, document.found)
