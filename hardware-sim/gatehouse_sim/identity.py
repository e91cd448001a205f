"""The files by which one side of a TLS connection is known."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom it trusts, its own certificate and its key, in PEM."""

    ca: Path
    cert: Path
    key: Path
