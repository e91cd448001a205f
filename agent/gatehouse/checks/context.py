"""What checks are given: the configuration, the machine, the running services, a person."""

import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from gatehouse.clock import Clock, kernel_error_s
from gatehouse.config import Config, Mistake
from gatehouse.control import client
from gatehouse.errors import NotRunningError
from gatehouse.threads import off_loop

COMMAND_S: Final = 4.0
_ANSWER_S: Final = 8.0
_SHORT: Final = 4096
"""Bytes read of a file in sysfs or procfs."""


class StatVfs(Protocol):
    """What is read of statvfs(3)."""

    @property
    def f_frsize(self) -> int:
        """Bytes of a block."""

    @property
    def f_blocks(self) -> int:
        """How many blocks there are."""

    @property
    def f_bavail(self) -> int:
        """How many of them anybody may have."""

    @property
    def f_files(self) -> int:
        """How many inodes there are; 0 where they are not counted."""

    @property
    def f_favail(self) -> int:
        """How many of them anybody may have."""

    @property
    def f_flag(self) -> int:
        """How it is mounted."""


def run_command(words: Sequence[str]) -> str | None:
    """Run a program and return what it printed; None when it is not installed or says nothing.

    Raises TimeoutError when it hangs.
    """
    program = shutil.which(words[0])
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603  # the words are the checks' own
            [program, *words[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_S,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired as exc:
        raise TimeoutError(f"{words[0]} did not end within {COMMAND_S:g} s") from exc
    return done.stdout.decode("utf-8", "replace") or None


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine below the agent; a test hands in another root and other programs."""

    root: Path = Path("/")
    statvfs: Callable[[Path], StatVfs] = os.statvfs
    command: Callable[[Sequence[str]], str | None] = run_command
    error_s: Callable[[], float | None] = kernel_error_s
    """The largest error that the kernel admits for its wall clock."""

    def read(self, path: str | Path) -> str | None:
        """Return what stands in a small file below the root; None when it cannot be read."""
        try:
            with (self.root / path).open("rb") as file:
                return file.read(_SHORT).decode("utf-8", "replace").strip("\0 \n")
        except OSError:
            return None

    def number(self, path: str | Path, base: int = 10) -> int | None:
        """Return the number that stands in a small file; None when there is none."""
        text = self.read(path)
        try:
            return None if text is None else int(text, base)
        except ValueError:
            return None

    def find(self, pattern: str) -> list[Path]:
        """Return the paths below the root that fit, in order."""
        return sorted(self.root.glob(pattern))

    def there(self, path: str) -> bool:
        """Whether something is there."""
        return (self.root / path).exists()


class Answered(Protocol):
    """How one broker answered to a probe (uplink/probe.py)."""

    @property
    def broker(self) -> str:
        """Its URL."""

    @property
    def wrong(self) -> str | None:
        """At which step it went wrong, or None."""

    @property
    def text(self) -> str:
        """What went wrong."""

    @property
    def login_ms(self) -> float | None:
        """How long it took to be let in."""

    @property
    def judged(self) -> bool:
        """Whether it could be told that foreign topics are refused."""

    @property
    def heard(self) -> bool:
        """Whether anybody listens to what we publish there."""


Probe = Callable[[], Awaitable[Sequence[Answered]]]


@dataclass(frozen=True, slots=True)
class Context:
    """What a check may look at and ask."""

    config: Config
    clock: Clock
    mistakes: tuple[Mistake, ...] = ()
    from_last_good: bool = False
    machine: Machine = Machine()
    probe: Probe | None = None
    person: Callable[[str], bool] | None = None
    """Asks somebody who is there a question; blocks until it is answered."""
    gentle: bool = False
    """By the clock: nothing is written, as cards wear out."""

    async def ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Ask the alarm service; None when it does not run. Raises ControlError."""
        return await self._ask("control.sock", request, client.ALARM)

    async def ask_video(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Ask the video service; None when it does not run. Raises ControlError."""
        return await self._ask("video.sock", request, client.VIDEO)

    async def _ask(self, sock: str, request: dict[str, Any], unit: str) -> dict[str, Any] | None:
        path = self.config.gateway.runtime_dir / sock

        def work() -> dict[str, Any]:
            return client.ask(path, request, _ANSWER_S, unit=unit)

        try:
            return await off_loop(work, name="check-ask", timeout_s=_ANSWER_S + 1)
        except NotRunningError:
            return None
