"""What the tests of recordings share."""

from pathlib import Path

import pytest

from video.trees import Followed


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    """Follow an empty folder."""
    return Followed(tmp_path)
