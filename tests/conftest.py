"""How Hypothesis draws: the same examples in each `make test`, new ones in `make test-long`.

And where temporary files go.
"""

import os
import tempfile
from typing import Final

from hypothesis import settings

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("new", deadline=None, print_blob=True)
settings.load_profile("same")

SHORT: Final = "/tmp"  # noqa: S108  # sockets lie in folders of their own below it
LONGEST: Final = 20
"""Characters: a socket's path ends at 107 bytes, and pytest's own folders take 70."""


def pytest_configure() -> None:
    """Keep temporary folders short: no socket can be opened below a long ``TMPDIR``."""
    if len(tempfile.gettempdir()) > LONGEST and os.access(SHORT, os.W_OK):
        os.environ["TMPDIR"] = tempfile.tempdir = SHORT
