"""The last good copy: what the alarm service starts on when somebody broke the file."""

from pathlib import Path
from typing import Final

from gatehouse import files
from gatehouse.config.mistakes import KeepError
from gatehouse.config.model import Config

_MODE: Final = 0o640


def place(state_dir: Path) -> Path:
    """Return where the copy lies."""
    return state_dir / "config" / "last-good.toml"


def keep_last_good(config: Config) -> bool:
    """Keep the text of a configuration that the alarm service runs on; call it off the loop.

    Returns whether it takes the place of another; the very first one changes nothing. After a
    power cut at any moment the old copy or the new one is there, whole. Raises KeepError when it
    cannot be written; the old copy then still stands.
    """
    copy = place(config.gateway.state_dir)
    content = config.text.encode()
    try:
        before = _kept(copy)
        if before == content:
            return False
        copy.parent.mkdir(parents=True, exist_ok=True)
        files.replace(copy, content, mode=_MODE)
        files.sync(copy.parent.parent)  # `config` itself may be new
    except OSError as exc:
        raise KeepError(
            f"cannot keep a copy of {config.path} at {copy}: {exc.strerror or exc}; "
            f"make {config.gateway.state_dir} writable for the service and give it space"
        ) from exc
    return before is not None


def _kept(copy: Path) -> bytes | None:
    try:
        return copy.read_bytes()
    except FileNotFoundError:
        return None
