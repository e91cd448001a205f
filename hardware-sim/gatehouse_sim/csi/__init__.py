"""A stand-in for picamera2, put on a child's PYTHONPATH where there is no Pi."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

STAND_IN: Final = Path(__file__).parent
"""The folder that holds the stand-in package, for PYTHONPATH."""

VARIABLE: Final = "LIBCAMERA_STAND_IN"
"""Names the file with its manners. An eye's child gets libcamera's own variables and few others."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How the simulated camera behaves now."""

    film: str
    """An H.264 file that it plays over and over."""
    present: bool = True
    loose: bool = False
    """The ribbon cable has slipped: no error, no frame, and nothing that waits ever returns."""


def behave(path: Path, manners: Manners) -> None:
    """Have the camera behave so from its next frame on."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(manners)), encoding="utf-8")
    fresh.replace(path)


def manners_of(environ: Mapping[str, str] = os.environ) -> Manners:
    """Read how the camera behaves now."""
    return Manners(**json.loads(Path(environ[VARIABLE]).read_text(encoding="utf-8")))
