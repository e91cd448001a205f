"""The units in a root of their own, so that systemd judges these and not the machine's."""

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parents[2] / "systemd"
UNITS = sorted(path.name for path in HERE.glob("gatehouse*.*") if path.is_file())
SERVICES = [name for name in UNITS if name.endswith(".service")]

_OTHERS = ("sysinit", "basic", "shutdown", "multi-user", "timers", "time-set", "time-sync")
"""Units of systemd's own that ours lean on."""
_PROGRAMS = (
    "opt/gatehouse/bin/gatehouse",
    "opt/gatehouse-district/bin/gatehouse-district",
    "bin/kill",
    "bin/sh",
)


def lay_out(root: Path) -> Path:
    """Lay out a root with the units, and stubs for what they name. Returns it."""
    folder = root / "usr/lib/systemd/system"
    shutil.copytree(HERE, folder)
    for name in _OTHERS:
        (folder / f"{name}.target").write_text("[Unit]\n", encoding="utf-8")
    for name in _PROGRAMS:
        program = root / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n", encoding="utf-8")
        program.chmod(0o755)
    return root


def analyze(root: Path, *arguments: str) -> tuple[int, str]:
    """Run systemd-analyze on a root; returns its exit code and everything that it said."""
    ran = subprocess.run(
        ["systemd-analyze", "--no-pager", f"--root={root}", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return ran.returncode, ran.stdout


def settings(path: Path) -> dict[str, list[str]]:
    """Return a unit's lines by key, in their order, from all its sections."""
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def table(path: Path) -> list[list[str]]:
    """Return the rows of sysusers.d, tmpfiles.d, without comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]
