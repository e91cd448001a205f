"""Fixtures of enrolment."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatehouse import texts
from gatehouse_sim.school import short_folder


@pytest.fixture(autouse=True)
def _english() -> None:
    """Speak English, whatever another test spoke."""
    texts.use("en")


@pytest.fixture
def school_root() -> Iterator[Path]:
    """Lend a short folder for one school (socket paths end at 107 bytes); remove it afterwards."""
    root = short_folder()
    yield root
    shutil.rmtree(root, ignore_errors=True)
