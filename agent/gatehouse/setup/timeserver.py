"""The machine's clock: what to do so that it is right, and doing it where that is allowed."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from gatehouse import files
from gatehouse.errors import GatehouseError
from gatehouse.setup.answers import Wishes
from gatehouse.setup.proofs import Proof
from gatehouse.texts import _

CLOCK: Final = "clock"
DROP_IN: Final = Path("/etc/systemd/timesyncd.conf.d/gatehouse.conf")
_UNIT: Final = "systemd-timesyncd.service"
_UNIT_DIRS: Final = ("usr/lib/systemd/system", "lib/systemd/system")


@dataclass(frozen=True, slots=True)
class Step:
    """A command, or the text of the drop-in."""

    words: tuple[str, ...] = ()
    text: str | None = None

    def shown(self) -> str:
        """Return it as one types it."""
        if self.text is None:
            return shlex.join(("sudo", *self.words))
        text = shlex.quote(self.text.replace("\n", "\\n"))  # printf makes lines of it again
        return f"printf {text} | sudo install -Dm644 /dev/stdin {DROP_IN}"


def steps(wishes: Wishes, now: str | None = None) -> Iterator[Step]:
    """Give what is to be done in order. Pure.

    ``now`` is the local time as the technician's watch has it, for a clock that is wrong: the
    server sets it again as soon as it is reached.
    """
    if wishes.time_zone is not None:
        yield Step(("timedatectl", "set-timezone", wishes.time_zone))
    if now is not None:
        yield Step(("timedatectl", "set-ntp", "false"))
        yield Step(("timedatectl", "set-time", now))
    if wishes.time_server is not None:
        yield Step(text=f"[Time]\nNTP={wishes.time_server}\n")
        yield Step(("systemctl", "try-restart", _UNIT))
    if now is not None or wishes.time_server is not None:
        yield Step(("timedatectl", "set-ntp", "true"))


class Machine(Protocol):
    """What is asked of the machine; tests hand in their own."""

    def there(self) -> bool:
        """Whether systemd-timesyncd sets this machine's clock."""

    def do(self, step: Step, limit_s: float) -> None:
        """Do one step. Raises GatehouseError or OSError with the reason."""


class System:
    """This machine, by systemd."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def there(self) -> bool:
        """Whether its unit and its tool are installed, and systemd runs."""
        units = [self._root / place / _UNIT for place in _UNIT_DIRS]
        runs = (self._root / "run/systemd/system").is_dir()
        return runs and shutil.which("timedatectl") is not None and any(u.exists() for u in units)

    def do(self, step: Step, limit_s: float) -> None:
        """Write the drop-in, or run the command. Raises OSError, GatehouseError."""
        if step.text is not None:
            place = self._root / DROP_IN.relative_to("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            files.replace(place, step.text.encode(), mode=0o644)
            return
        run(step.words, limit_s)


def run(words: Sequence[str], limit_s: float) -> None:
    """Run a command that asks nothing; raises GatehouseError with what it said."""
    program = shutil.which(words[0]) or words[0]
    try:
        done = subprocess.run(  # noqa: S603  # the words are ours, and checked
            [program, *words[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit_s,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired as exc:
        raise GatehouseError(f"{words[0]}: no end within {limit_s:g} s") from exc
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip() or f"exit code {done.returncode}"
        raise GatehouseError(f"{words[0]}: {said}")


def carry_out(wishes: Wishes, machine: Machine, limit_s: float, now: str | None) -> list[Proof]:
    """Do all steps, up to the first that fails. Whether the clock is right, the service tells."""
    for step in steps(wishes, now):
        try:
            machine.do(step, limit_s)
        except (GatehouseError, OSError) as exc:
            return [Proof(CLOCK, CLOCK, str(exc), kept=False)]
    return [Proof(CLOCK, CLOCK, kept=False)]


def refused(wishes: Wishes, machine: Machine) -> str | None:
    """Say why setup sets nothing, or None if it does."""
    if not machine.there():
        return _("systemd-timesyncd is not on this machine")
    return None if wishes.set_time else _("setup was not asked to")
