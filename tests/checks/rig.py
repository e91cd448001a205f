"""What checks are given in these tests: a made-up machine, a moved clock, services that answer."""

import os
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gatehouse import config
from gatehouse.checks.context import Context, Machine, StatVfs
from gatehouse.checks.frame import Check, Outcome, Result, carry_out
from gatehouse.clock import Reading
from gatehouse.control.server import ControlServer
from gatehouse.errors import ControlError

OK, WARN, FAIL, SKIP = Result.OK, Result.WARN, Result.FAIL, Result.SKIP

TEXT: Final = """
[gateway]
id = "qd-sn-0042"
school = "实验小学"
state_dir = "{root}/state"
runtime_dir = "{root}/run"

[[button]]
name = "gate"
location = "南门"
pin = 17
loop = 27
lamps = {{ red = 22 }}
buzzer = 23
relay = 26

[[button]]
name = "office"
location = "教务处"
pin = 13

[district]
brokers = ["mqtt://127.0.0.1:1"]
"""


@dataclass
class Clock:
    """The machine's clock, moved by a test."""

    unix_s: float = 1_795_000_000.0
    by_server: bool = True
    bootid: str = "boot"

    def reading(self) -> Reading:
        """Read all clocks."""
        now = time.monotonic_ns()
        return Reading(int(self.unix_s * 1e9), now, now)

    def synced(self) -> bool:
        """Say what the test says."""
        return self.by_server


@dataclass(frozen=True)
class Room:
    """What statvfs says of a disk; blocks of 4 KiB."""

    f_blocks: int = 8_000_000
    f_bavail: int = 4_000_000
    f_files: int = 1000
    f_favail: int = 900
    f_flag: int = 0
    f_frsize: int = 4096


class Tree:
    """A made-up root of sysfs, procfs and the rest."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def put(self, files: Mapping[str, str]) -> None:
        """Write files into it."""
        for path, text in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    def link(self, path: str, to: str) -> None:
        """Make a link, both below the root."""
        link = self.root / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(self.root / to)


@dataclass
class Rig:
    """A gateway that is checked."""

    folder: Path
    text: str = TEXT
    clock: Clock = field(default_factory=Clock)
    room: StatVfs = field(default_factory=Room)
    programs: dict[str, str] = field(default_factory=dict)
    error_s: float | None = 0.004
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("state", "run"):
            (self.folder / name).mkdir()
        self.tree = Tree(self.folder / "root")
        self.file = self.folder / "gatehouse.toml"

    @property
    def state(self) -> Path:
        """Where the outbox lies."""
        return self.folder / "state"

    def context(self, **more: Any) -> Context:
        """Make what the checks are given."""
        self.file.write_text(self.text.format(root=self.folder), encoding="utf-8")
        loaded = config.read_for_alarm(self.file, {})
        machine = Machine(
            root=self.tree.root,
            statvfs=lambda _folder: self.room,
            command=self._command,
            error_s=lambda: self.error_s,
        )
        given = {"mistakes": loaded.mistakes, "from_last_good": loaded.from_last_good}
        return Context(
            config=loaded.config,
            clock=self.clock,
            machine=machine,
            **{**given, **self.more, **more},
        )

    def _command(self, words: Sequence[str]) -> str | None:
        return self.programs.get(words[0])

    async def run(self, check: Check, **more: Any) -> Outcome:
        """Carry out one check."""
        return await carry_out(check, self.context(**more))

    @asynccontextmanager
    async def service(
        self, said: Mapping[str, Any], sock: str = "control.sock"
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """Run a service that answers what the test says; give what it was asked."""
        asked: list[dict[str, Any]] = []

        async def answer(request: dict[str, Any]) -> dict[str, Any]:
            asked.append(request)
            answered = said[request["do"]]
            if isinstance(answered, ControlError):
                raise answered
            return dict(answered)

        server = ControlServer(self.folder / "run" / sock, dict.fromkeys(said, answer))
        await server.start()
        try:
            yield asked
        finally:
            await server.close()


def told(outcome: Outcome) -> tuple[Result, str, str]:
    """Return how a check ended, what was seen, and what to do."""
    return outcome.result, outcome.figure(), outcome.remedy() or ""


def assert_says(outcome: Outcome, result: Result, *words: str) -> None:
    """Say all of it where a word is missing, or the result is another."""
    found = told(outcome)
    assert found[0] is result, found
    missing = [word for word in words if word not in found[1] + " | " + found[2]]
    assert not missing, found
    assert outcome.known or result is FAIL
    has_remedy = bool(found[2])
    assert has_remedy == (result in {WARN, FAIL}), found


def device(folder: Path) -> str:
    """Return the numbers of a folder's disk as sysfs writes them."""
    number = os.stat(folder).st_dev  # noqa: PTH116  # the number alone
    return f"{os.major(number)}:{os.minor(number)}"


def lines(pairs: Iterable[tuple[str, str]]) -> str:
    """Write a file of names and values."""
    return "\n".join(f"{name}={value}" for name, value in pairs)
