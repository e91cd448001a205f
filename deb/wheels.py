"""Which wheels travel inside the package: all that the agent needs but what Debian has itself."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYTHONS: Final = ("3.11", "3.13")
"""Debian 12's and 13's, and so Raspberry Pi OS's."""

MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
"""Debian's names of the architectures, and the wheels'."""

_GLIBC: Final = (36, 34, 28, 27, 26, 24, 17, 12, 5)
"""Minor versions of glibc 2 that a wheel may ask for; Debian 12 has 2.36."""

_OLD_NAMES: Final = ("manylinux2014", "manylinux2010", "manylinux1")

LEFT_OUT: Final[Mapping[str, tuple[str, ...]]] = {
    "numpy": PYTHONS,
    "lgpio": ("3.13",),
    "setuptools": PYTHONS,
}
"""Not in a wheel for these versions of Python.

numpy, lgpio: the package depends on the distribution's. picamera2's libraries are built for the
numpy that is there; for lgpio no wheel for 3.13 is published, and Raspberry Pi OS has it.
setuptools: colorzero names it and imports nothing of it.
"""


@dataclass(frozen=True, slots=True)
class Pin:
    """One package at the version that the tests ran with."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def pins(root: str, python: str, machine: str) -> list[Pin]:
    """Return what ``root`` (a requirement) needs on such a machine, by what is installed here.

    Raises PackageNotFoundError where something of it is not installed here.
    """
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "platform_machine": machine,
    }
    found: dict[str, Pin] = {}
    waiting = [Requirement(root)]
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if str(requirement) in seen or python in LEFT_OUT.get(name, ()):
            continue
        seen.add(str(requirement))
        found[name] = Pin(name, distribution(name).version)
        waiting += _needs(name, sorted(requirement.extras), environment)
    own = canonicalize_name(Requirement(root).name)
    return [pin for name, pin in sorted(found.items()) if name != own]


def _needs(name: str, extras: list[str], environment: Mapping[str, str]) -> Iterator[Requirement]:
    for line in distribution(name).requires or ():
        needed = Requirement(line)
        marker = needed.marker
        wanted = [{**environment, "extra": extra} for extra in ("", *extras)]
        if marker is None or any(marker.evaluate(one) for one in wanted):
            yield Requirement(f"{needed.name}[{','.join(needed.extras)}]")


def download(folder: Path, listed: list[Pin], python: str, machine: str) -> None:
    """Download wheels for that Python and machine. Raises CalledProcessError."""
    names = [f"manylinux_2_{minor}_{machine}" for minor in _GLIBC]
    names += [f"{old}_{machine}" for old in _OLD_NAMES]
    platforms = [part for name in names for part in ("--platform", name)]
    _pip(
        "download",
        *("--no-deps", "--only-binary=:all:", "--python-version", python),
        *platforms,
        *("--dest", str(folder)),
        *map(str, listed),
    )


def own_wheel(source: Path, folder: Path) -> Path:
    """Build the agent's own wheel, which is the same for all. Raises CalledProcessError."""
    _pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(source))
    (built,) = folder.glob("gatehouse_agent-*.whl")
    return built


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True)
