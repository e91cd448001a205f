"""What `make test-system` has prepared: roots of Debian, and packages of this source."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nspawn.gateway import Gateway, working

SOURCE = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all of these tests, so that none runs by mistake where no container can be booted."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("nspawn")


def archive(release: str) -> Path:
    """Return the root of a release of Debian."""
    return Path(os.environ["GATEHOUSE_NSPAWN_ROOTS"]) / f"{release}.tar"


@pytest.fixture(scope="session", params=["bookworm", "trixie"])
def debian(request: pytest.FixtureRequest) -> Path:
    """Lend the root of each release that the package is for: Python 3.11 and 3.13."""
    return archive(request.param)


@pytest.fixture(scope="session")
def bookworm() -> Path:
    """Lend the root of Debian 12."""
    return archive("bookworm")


def build(to: Path, *arguments: str, name: str = "gatehouse") -> Path:
    """Build a package of this source for this machine."""
    arch = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    ).stdout.strip()
    command = [sys.executable, str(SOURCE / "deb" / "build.py"), "--package", name, "--arch", arch]
    ran = subprocess.run(
        [*command, f"--to={to}", *arguments], capture_output=True, text=True, check=True
    )
    return Path(ran.stdout.split()[-1])


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lend the package of this source."""
    return build(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lend the same with a higher version."""
    return build(tmp_path_factory.mktemp("newer"), "--suffix=+newer")


@pytest.fixture(scope="module")
def gateway(debian: Path, package: Path) -> Iterator[Gateway]:
    """Lend one gateway at work to a module's tests; each leaves it well."""
    with working(debian, package) as one:
        yield one
