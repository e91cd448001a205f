"""A person at a terminal of a machine: types a block of the page, answers what is asked."""

import fcntl
import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gatehouse_sim.agent import die_with_parent
from nspawn.container import Container

LIMIT_S: Final = 300.0
_END: Final = re.compile(rb"END-([0-9]+)-\r?\n")
_QUIET: Final = (
    "PS1=; PS2=; stty -echo; set -E; trap 'echo \"FAILED: $BASH_COMMAND\"' ERR; cd /root"
)
_ASKS: Final = re.compile(rb"(?:: |\xef\xbc\x9a)$")
"""How a question ends, in both languages."""


class Shell:
    """One bash, for all blocks, as a person has it open; variables stay."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._terminal, theirs = pty.openpty()
        self.transcript = ""
        self._bash = subprocess.Popen(
            container.enter("bash", "--noprofile", "--norc"),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_own_terminal,  # noqa: PLW1509  # two calls, no lock
        )
        os.close(theirs)
        self.type_(_QUIET)
        self.transcript = ""

    def type_(self, block: str, answers: Sequence[str] = ()) -> str:
        """Type a block; return what was said. Answers are typed where something is asked."""
        place = self._container.root / "root" / ".block"
        place.write_text(block + "\n", encoding="utf-8")
        began = time.monotonic()
        os.write(self._terminal, b". /root/.block; echo END-$?-\n")
        text = self._read(list(answers)).decode(errors="replace").replace("\r\n", "\n")
        text = re.sub(r"[^\n]*\r", "", text)  # progress, written over
        text = re.sub(r"(?m)^\. /root/\.block; echo END-\$\?-\n|END-[0-9]+-\n", "", text)
        typed = "".join(f"$ {line}\n" for line in block.splitlines())
        self.transcript += f"{typed}{text}({time.monotonic() - began:.1f} s)\n\n"
        return text

    def close(self) -> None:
        """Hang up."""
        os.close(self._terminal)
        self._bash.kill()
        self._bash.wait()

    def _read(self, answers: list[str]) -> bytes:
        said, seen, limit = b"", 0, time.monotonic() + LIMIT_S
        while not _END.search(said, seen):
            ready, _, _ = select.select([self._terminal], [], [], limit - time.monotonic())
            if not ready:
                raise TimeoutError(f"no end after {LIMIT_S:g} s: {said.decode(errors='replace')}")
            said += os.read(self._terminal, 65_536)
            if answers and _ASKS.search(said, seen):
                os.write(self._terminal, answers.pop(0).encode() + b"\n")
                seen = len(said)
        return said


def _own_terminal() -> None:
    """Have getpass find this terminal as /dev/tty, and nothing be left behind."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    die_with_parent()


def blocks(page: Path, kind: str) -> list[str]:
    """Return the blocks of a page that are marked so: the first words behind its fence."""
    found = re.findall(
        r"^```(sh \w+)\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return [text.rstrip("\n") for marked, text in found if kind in ("", marked.split()[1])]
