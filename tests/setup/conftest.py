"""A short folder, and an environment in which the board is simulated."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatehouse import texts
from gatehouse_sim.school import short_folder


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Lend a folder; the simulated wiring is reached at ``sim.sock`` in it."""
    folder = short_folder()
    for name in [key for key in os.environ if key.startswith(("GATEHOUSE_", "LC_", "LANG"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "gatehouse_sim")
    monkeypatch.setenv("GATEHOUSE_SIM_SOCKET", str(folder / "sim.sock"))
    (folder / "etc").mkdir()
    (folder / "usb").mkdir()
    yield folder
    texts.use("en")
    shutil.rmtree(folder, ignore_errors=True)
