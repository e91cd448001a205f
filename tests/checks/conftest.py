"""A gateway to be checked."""

import shutil
from collections.abc import Iterator

import pytest

from checks.rig import Rig
from gatehouse import texts
from gatehouse_sim.school import short_folder


@pytest.fixture
def rig() -> Iterator[Rig]:
    """Lend a gateway whose machine says nothing yet."""
    texts.use("en")
    root = short_folder()
    yield Rig(root)
    shutil.rmtree(root, ignore_errors=True)
