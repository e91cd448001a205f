"""Pictures on a disk."""

from pathlib import Path
from typing import Final

_JPEG: Final = b"\xff\xd8\xff\xe0"


def picture(folder: Path, name: str = "gate-1.jpg", size: int = 20_000) -> str:
    """Write a picture into a bundle; return its path."""
    file = folder / "bundle" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_JPEG + bytes(size - len(_JPEG)))
    return str(file)
