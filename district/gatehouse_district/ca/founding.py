"""Making the authority's folder so that a power cut leaves none of it, or what `found` finishes.

All four files are made in a folder beside (``.init``), ``ca.key`` last; then each is moved to its
place, ``ca.key`` last again. So: with ``ca.key`` in its place the authority is there; with it
beside all is made and the rest is moved; with neither, nobody has got anything of it and it is
begun anew.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gatehouse import files
from gatehouse.texts import _
from gatehouse_district.errors import AuthorityError

_BESIDE: Final = ".init"
FILES: Final = ("register.db", "crl.pem", "ca.pem", "ca.key")
"""In this order they are moved."""


def found(folder: Path, make: Callable[[Path], None]) -> None:
    """Have ``make`` write the files of a new authority, ``ca.key`` last; finish what was cut.

    Raises AuthorityError where there is an authority, OSError.
    """
    beside = folder / _BESIDE
    whole = (beside / "ca.key").exists()
    if (folder / "ca.key").exists() or ((folder / "ca.pem").exists() and not whole):
        said = _("{folder} holds an authority already; a second one would shut every gateway out")
        raise AuthorityError(said.format(folder=folder))
    if not whole:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        files.hand_over(folder, folder.parent)
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(mode=0o700)
        files.hand_over(beside, folder)
        make(beside)
        files.sync(beside)
    for name in FILES:
        if (beside / name).exists():
            (beside / name).rename(folder / name)
            files.sync(folder)  # each before the next: after a power cut too ca.key comes last
    beside.rmdir()
