"""Fixtures of the authority."""

import pytest

from gatehouse import texts


@pytest.fixture(autouse=True)
def _english() -> None:
    """Speak English, whatever another test spoke."""
    texts.use("en")
