"""Fixtures of the district's port."""

import pytest

from gatehouse import texts


@pytest.fixture(autouse=True)
def _english() -> None:
    """Speak English, whatever another test spoke."""
    texts.use("en")
