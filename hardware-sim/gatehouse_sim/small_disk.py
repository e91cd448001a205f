"""A disk of its own for the simulated gateway, so small that it can really be filled.

It is a tmpfs over ``state_dir`` in a mount namespace of its own, which one child keeps: it outlives
every kill of the services, nobody else sees it, and it ends with the child. Programs outside of it
find ``state_dir`` empty; the services' sockets lie elsewhere.
"""

import asyncio
import contextlib
import os
import shlex
import shutil
from pathlib import Path
from typing import Final, Self

from gatehouse.threads import off_loop
from gatehouse_sim.child import die_with_parent

SIZE_MB: Final = 256
_PROGRAMS: Final = ("unshare", "nsenter", "setpriv", "mount")
_LIMIT_S: Final = 30.0


class SmallDisk:
    """Opens where the machine allows it; where not, ``why`` says what is in the way."""

    def __init__(self, folder: Path, size_mb: int = SIZE_MB) -> None:
        self._folder = folder
        self._size_mb = size_mb
        self._keeper: asyncio.subprocess.Process | None = None
        self.why = ""
        """Why there is none; empty while there is one."""

    @property
    def within(self) -> tuple[str, ...]:
        """The words before a command that make it see this disk; none where there is no disk."""
        if self._keeper is None:
            return ()
        mine = ["--user", "--preserve-credentials"] if os.geteuid() else []
        enter = ["nsenter", f"--target={self._keeper.pid}", "--mount", *mine, "--"]
        # To enter a user's own namespace makes the kernel forget who shall die with whom.
        return (*enter, "setpriv", "--pdeathsig", "KILL")

    @property
    def full(self) -> bool:
        """Whether it was filled."""
        return self._keeper is not None and self._filler.exists()

    async def __aenter__(self) -> Self:
        if lacks := [name for name in _PROGRAMS if shutil.which(name) is None]:
            self.why = f"{lacks[0]} is not installed"
            return self
        self._folder.mkdir(parents=True, exist_ok=True)
        mount = f"mount -t tmpfs -o size={self._size_mb}m none {shlex.quote(str(self._folder))}"
        own = [] if os.geteuid() == 0 else ["--map-root-user"]
        process = await asyncio.create_subprocess_exec(
            *("unshare", "--mount", *own, "sh", "-c", f"{mount} && echo ready && exec cat"),
            stdin=asyncio.subprocess.PIPE,  # that nobody writes to: cat waits for its end
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=die_with_parent,
        )
        self._keeper = process
        assert process.stdout is not None  # noqa: S101  # a pipe was asked for
        async with asyncio.timeout(_LIMIT_S):
            if await process.stdout.readline() != b"ready\n":
                _, said = await process.communicate()
                self._keeper = None
                self.why = said.decode(errors="replace").strip() or "no namespace"
        return self

    async def __aexit__(self, *_: object) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        with contextlib.suppress(ProcessLookupError):
            keeper.kill()
        await keeper.wait()

    async def fill(self) -> None:
        """Leave not one byte. Raises OSError when there is no such disk."""
        if self._keeper is None:
            raise OSError(f"the disk cannot be filled: {self.why}")
        filler = self._filler
        await off_loop(lambda: _fill(filler), name="fill", timeout_s=_LIMIT_S)

    async def free(self) -> None:
        """Give it all back."""
        filler = self._filler
        await off_loop(lambda: filler.unlink(missing_ok=True), name="free", timeout_s=_LIMIT_S)

    @property
    def _filler(self) -> Path:
        if self._keeper is None:
            return self._folder / "filler"
        inside = Path(f"/proc/{self._keeper.pid}/root") / self._folder.relative_to("/")
        return inside / "filler"


def _fill(filler: Path) -> None:
    """Write until the file system takes nothing more, in ever smaller pieces."""
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    pass
