"""A Debian machine of our own: systemd-nspawn boots a root that apt has made (make test-system)."""

import contextlib
import os
import pty
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from gatehouse_sim.agent import die_with_parent

_LIMIT_S: Final = 60.0
_LOOK_S: Final = 0.1
_INSIDE: Final = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}


class Container:
    """One machine without a network; booted, used from outside, and taken down."""

    def __init__(self, root: Path) -> None:
        """Take a root that is unpacked already; it is changed like a machine's disk."""
        self.root = root
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self._console = root.parent / "console.log"

    def boot(self) -> None:
        """Boot it; returns when systemd has started everything. Raises TimeoutError."""
        ours, theirs = pty.openpty()  # systemd wants a terminal for its console
        command = ["systemd-nspawn", "--quiet", f"--directory={self.root}", "--machine=gatehouse"]
        options = ["--register=no", "--keep-unit", "--private-network", "--boot"]
        options += ["--capability=CAP_SYS_RESOURCE"]  # as on a machine: limits may be raised
        self._nspawn = subprocess.Popen(
            [*command, *options],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509  # one prctl, no lock
        )
        os.close(theirs)
        threading.Thread(target=self._listen, args=(ours,), daemon=True).start()
        self.wait_for(self._find_leader, "a first process")
        self.wait_for((self.inside / "run/systemd/private").exists, "systemd")
        self.run("systemctl", "is-system-running", "--wait", check=False)

    def shut_down(self) -> None:
        """Take it down in order, by force if it will not."""
        nspawn, self._nspawn = self._nspawn, None
        if nspawn is None:
            return
        nspawn.send_signal(signal.SIGTERM)  # nspawn asks the systemd inside to power off
        try:
            nspawn.wait(_LIMIT_S)
        except subprocess.TimeoutExpired:
            nspawn.kill()
            nspawn.wait()

    @property
    def inside(self) -> Path:
        """Its files as the processes in it see them, /run included."""
        return Path(f"/proc/{self._leader}/root")

    def enter(self, *command: str) -> list[str]:
        """Return the command line that runs something in it."""
        spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd"]
        environment = [f"{key}={value}" for key, value in _INSIDE.items()]
        entered = ["nsenter", f"--target={self._leader}", *spaces]
        return [*entered, "env", "-i", *environment, *command]

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command in it and return what it said; told in full if it fails."""
        ran = subprocess.run(
            self.enter(*command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=5 * _LIMIT_S,
            check=False,
        )
        if check:
            assert ran.returncode == 0, f"{command}: {ran.returncode}\n{ran.stdout}\n{self.journal}"
        return ran.stdout.strip()

    def show(self, unit: str, name: str) -> str:
        """Return a property of a unit."""
        return self.run("systemctl", "show", f"--property={name}", "--value", unit)

    @property
    def journal(self) -> str:
        """The last lines of the journal."""
        return self.run("journalctl", "--no-pager", "--lines=60", check=False)

    def wait_for(self, test: Callable[[], object], what: str) -> None:
        """Wait until a test passes; nothing wakes us from in there. Raises TimeoutError."""
        limit = time.monotonic() + _LIMIT_S
        while not test():
            if time.monotonic() > limit or self._nspawn is None or self._nspawn.poll() is not None:
                console = self._console.read_text(encoding="utf-8", errors="replace")[-3000:]
                journal = self.journal if self._leader else ""
                raise TimeoutError(f"waited in vain for {what}\n{console}\n{journal}")
            time.sleep(_LOOK_S)

    def _find_leader(self) -> bool:
        """Find the process that is number 1 in there."""
        if self._nspawn is None:
            return False
        pid = self._nspawn.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{child}/status").read_text()
                line = next(line for line in status.splitlines() if line.startswith("NSpid:"))
                if line.split()[-1] == "1" and (Path(f"/proc/{child}/root/run/systemd")).is_dir():
                    self._leader = int(child)
                    return True
        return False

    def _listen(self, terminal: int) -> None:
        """Keep what the console says; a full terminal would halt the boot."""
        with contextlib.suppress(OSError), self._console.open("ab", buffering=0) as log:
            while said := os.read(terminal, 4096):
                log.write(said)
        os.close(terminal)


@contextlib.contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """Lend a root unpacked from an archive of mmdebstrap's, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="gh-nspawn-", dir="/var/tmp"))  # a disk
    try:
        root = folder / "root"
        root.mkdir()
        subprocess.run(["tar", "-C", str(root), "-xf", str(archive)], check=True)
        yield root
    finally:
        shutil.rmtree(folder, ignore_errors=True)
