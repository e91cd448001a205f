"""Drives `program.py` from another process, line by line."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

from gatehouse_sim.agent import die_with_parent

HERE = Path(__file__).parent


def environment() -> dict[str, str]:
    """Return what a child needs to import the tests' own folders."""
    return {**os.environ, "PYTHONPATH": str(HERE.parent)}


class Child:
    """One process with an outbox; ``stored`` and ``numbers`` are what it has reported."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "program.py"), str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            preexec_fn=die_with_parent,  # noqa: PLW1509  # it makes one system call
        )
        self.stored: list[str] = []
        self.numbers: dict[str, str] = {}
        self.opening = self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.kill()

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        """Have something done; returns the answer."""
        self.tell(do, **more)
        return self._answer()

    def tell(self, do: str, **more: Any) -> None:
        """Have something done, without an answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **more}).encode() + b"\n")
        self._process.stdin.flush()

    def kill_after(self, stored: int) -> None:
        """Kill -9 the process once it has reported so many, in the middle of its work."""
        while len(self.stored) < stored:
            assert self._line() is None
        self.kill()

    def kill(self) -> None:
        """Kill -9 the process, and hear what it still had said."""
        self._process.send_signal(signal.SIGKILL)
        while self._process.stdout is not None and not self._process.stdout.closed:
            if not self._read():
                self._process.stdout.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> dict[str, Any]:
        while (answer := self._line()) is None:
            pass
        return answer

    def _line(self) -> dict[str, Any] | None:
        line = self._read()
        if not line:
            raise AssertionError("the process with the outbox ended")
        return self._hear(line)

    def _read(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line.endswith(b"\n"):
            self._hear(line)
            return line
        return b""

    def _hear(self, line: bytes) -> dict[str, Any] | None:
        kind, _, rest = line.decode().strip().partition(" ")
        if kind == "A":
            answer: dict[str, Any] = json.loads(rest)
            return answer
        if kind == "S" and rest not in self.stored[-1:]:
            self.stored.append(rest)
        if kind == "N":
            number, event_id = rest.split(" ")
            assert self.numbers.setdefault(number, event_id) == event_id
        return None


class Filler:
    """Whoever fills the disk: takes every byte that can be had, as soon as it can."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "somebody-elses-file"
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT)
        self._stop = threading.Event()
        self.take()
        self._thread = threading.Thread(target=self._greedy, daemon=True)
        self._thread.start()

    def take(self) -> None:
        """Write until there is no room for a byte."""
        for size in (1 << 20, 4096, 512, 1):
            try:
                while True:
                    os.write(self._fd, bytes(size))
                    os.fsync(self._fd)
            except OSError:
                continue

    def _greedy(self) -> None:
        while not self._stop.wait(0.01):
            self.take()

    def leave(self) -> None:
        """Give it all back."""
        self._stop.set()
        self._thread.join()
        os.close(self._fd)
        self._path.unlink()
