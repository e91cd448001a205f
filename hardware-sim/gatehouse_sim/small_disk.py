"""A disk of its own for the simulated gateway, so small that it can really be filled.

It is a tmpfs in a mount namespace of its own, which one child keeps: it outlives every kill of the
services, and ends with the child. ``state_dir`` is a link through that child's root (proc(5)), so
that ``gatehouse evidence`` in a second terminal, which is in no namespace, finds it too.
"""

import asyncio
import contextlib
import os
import shlex
import shutil
from pathlib import Path
from typing import Final, Self

from gatehouse_sim.child import die_with_parent

SIZE_MB: Final = 512
"""Room for the outbox and the evidence of some alarms; it is the machine's memory that is used."""
_PROGRAMS: Final = ("unshare", "nsenter", "setpriv", "mount")
_LIMIT_S: Final = 60.0
_TRIES: Final = 50
"""Somebody may write between the look at what is used and the cut."""


class SmallDisk:
    """Opens where the machine allows it; where not, ``why`` says what is in the way."""

    def __init__(self, folder: Path, size_mb: int = SIZE_MB) -> None:
        self._folder = folder
        self._disk = folder.with_name(folder.name + ".disk")
        self._size_mb = size_mb
        self._keeper: asyncio.subprocess.Process | None = None
        self._full = False
        self.why = ""
        """Why there is none; empty while there is one."""

    @property
    def within(self) -> tuple[str, ...]:
        """The words before a command that make it see this disk; none where there is no disk."""
        # To enter a user's own namespace makes the kernel forget who shall die with whom.
        return (*self._enter, "setpriv", "--pdeathsig", "KILL") if self._enter else ()

    @property
    def full(self) -> bool:
        """Whether it was filled."""
        return self._full

    async def __aenter__(self) -> Self:
        if lacks := [name for name in _PROGRAMS if shutil.which(name) is None]:
            self.why = f"{lacks[0]} is not installed"
            return self
        self._disk.mkdir(parents=True, exist_ok=True)
        mount = f"mount -t tmpfs -o size={self._size_mb}m none {shlex.quote(str(self._disk))}"
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
        self._folder.symlink_to(self._inside(process.pid))
        return self

    async def __aexit__(self, *_: object) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        self._folder.unlink()
        with contextlib.suppress(ProcessLookupError):
            keeper.kill()
        await keeper.wait()

    async def fill(self) -> None:
        """Leave not one block. Raises OSError when there is no such disk, or it cannot be done.

        What nobody uses is taken away from it, so that the machine's memory is not filled too.
        """
        if self._keeper is None:
            raise OSError(f"the disk cannot be filled: {self.why}")
        inside = self._inside(self._keeper.pid)
        for left in reversed(range(_TRIES)):
            now = os.statvfs(inside)
            used = (now.f_blocks - now.f_bfree) * now.f_frsize
            try:
                await self._resize(f"{max(used // 1024, 4)}k")
            except OSError:  # somebody wrote meanwhile
                if not left:
                    raise
            else:
                self._full = True
                return

    async def free(self) -> None:
        """Give it all back. Raises OSError when there is no such disk."""
        await self._resize(f"{self._size_mb}m")
        self._full = False

    async def _resize(self, size: str) -> None:
        # the options that it has now name owners by numbers which the namespace does not know
        process = await asyncio.create_subprocess_exec(
            *(*self._enter, "mount", "--options-mode=ignore"),
            *("-o", f"remount,size={size}", str(self._disk)),
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=die_with_parent,
        )
        async with asyncio.timeout(_LIMIT_S):
            _, said = await process.communicate()
        if process.returncode:
            raise OSError(f"the disk cannot be made {size} large: {said.decode(errors='replace')}")

    def _inside(self, keeper: int) -> Path:
        return Path(f"/proc/{keeper}/root") / self._disk.relative_to("/")

    @property
    def _enter(self) -> tuple[str, ...]:
        """The words before a command that let it into the namespace."""
        if self._keeper is None:
            return ()
        mine = ("--user", "--preserve-credentials") if os.geteuid() else ()
        return ("nsenter", f"--target={self._keeper.pid}", "--mount", *mine, "--")
