"""Where the simulated board learns how the school is wired: the agent's own configuration.

Wiring does not change because a file does: what the last good copy of the configuration names stays
wired, so that an agent that starts on that copy after a typing mistake finds healthy lines.
"""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tomli

from gatehouse import config
from gatehouse_sim.wires import CLOSED, LAST_PIN, OPEN, Wires, WiringError, healthy

CONFIG: Final = Path("/etc/gatehouse/gatehouse.toml")
LAST_GOOD: Final = Path("config/last-good.toml")
"""Under ``state_dir``."""

_RUNTIME_DIR: Final = "/run/gatehouse"
_STATE_DIR: Final = "/var/lib/gatehouse"
_SOCKET: Final = "sim.sock"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Installation:
    """What the board starts with: its wires, and the path of its socket."""

    wires: Wires
    socket: Path


def read(environ: Mapping[str, str]) -> Installation:
    """Read the wiring that the environment names (contract section 7).

    ``GATEHOUSE_CONFIG``, ``GATEHOUSE_SIM_LEVELS`` and ``GATEHOUSE_SIM_SOCKET`` are looked at, and
    ``STATE_DIRECTORY`` for a file that does not tell its ``state_dir``. A configuration that cannot
    be read leaves all contacts open. Raises WiringError for levels that cannot be understood.
    """
    path = Path(environ.get("GATEHOUSE_CONFIG") or CONFIG)
    text = _text(path)
    current = _document(text, path)
    state_dir = _said(current, text, "state_dir") or environ.get("STATE_DIRECTORY") or _STATE_DIR
    copy = Path(state_dir) / LAST_GOOD
    copy_text = _text(copy)
    last_good = _document(copy_text, copy)
    wires, older = healthy(current), healthy(last_good)
    wires = older.over(wires) if _refused(path, environ) else wires.over(older)
    runtime_dir = (
        _said(current, text, "runtime_dir") or _said(last_good, "", "runtime_dir") or _RUNTIME_DIR
    )
    socket = environ.get("GATEHOUSE_SIM_SOCKET") or Path(runtime_dir) / _SOCKET
    levels = {**wires.levels, **levels_from(environ.get("GATEHOUSE_SIM_LEVELS", ""))}
    return Installation(Wires(levels, wires.loops), Path(socket))


def _refused(path: Path, environ: Mapping[str, str]) -> bool:
    """Whether the agent starts on the last good copy because of a mistake in this file."""
    try:
        return config.read_for_alarm(path, environ).from_last_good
    except config.ConfigError:
        return False


def levels_from(said: str) -> dict[int, int]:
    """Read ``GATEHOUSE_SIM_LEVELS``, such as ``{"17": 0}``; raise WiringError if it is not that."""
    try:
        levels = {int(pin): level for pin, level in json.loads(said or "{}").items()}
    except (ValueError, AttributeError, TypeError) as exc:
        raise _levels_error(said) from exc
    for pin, level in levels.items():
        if not 0 <= pin <= LAST_PIN or type(level) is not int or level not in {OPEN, CLOSED}:
            raise _levels_error(said)
    return levels


def _levels_error(said: str) -> WiringError:
    return WiringError(
        f"GATEHOUSE_SIM_LEVELS is {said!r}: give a JSON object of GPIO numbers 0 to {LAST_PIN} and"
        ' levels 0 (closed) or 1 (open), such as {"17": 0}'
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _document(text: str, path: Path) -> Mapping[str, Any]:
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as exc:
        _log.warning("the simulated wiring passes by %s, which is not TOML: %s", path, exc)
        return {}


def _said(document: Mapping[str, Any], text: str, key: str) -> str | None:
    """Return a string of ``[gateway]``; of a file that is not TOML the first line that looks so."""
    gateway = document.get("gateway")
    value = gateway.get(key) if isinstance(gateway, dict) else None
    if isinstance(value, str) and value:
        return value
    if document:
        return None
    found = re.search(rf"^\s*{key}\s*=\s*[\"']([^\"'\n]+)[\"']", text, re.MULTILINE)
    return found.group(1) if found else None
