"""What root makes in the service's folders is handed to the service, which could not read it."""

import os
from pathlib import Path
from typing import Final

from gatehouse_district.config import Config

MAKING: Final = {"ca", "user"}
"""Commands that may make files there."""


def hand_over(config: Config) -> None:
    """Give files of root's to the owner of the folder that they are in; others do nothing here.

    Raises OSError.
    """
    if os.geteuid() != 0:
        return
    state_dir = config.district.state_dir
    authority = config.authority.dir if config.authority is not None else state_dir / "ca"
    for folder in (state_dir, authority):  # in this order: the first may hold the second
        if folder.is_dir():
            _hand_over_in(folder)


def _hand_over_in(folder: Path) -> None:
    owner = folder.stat()
    if owner.st_uid == 0:
        return
    for path in folder.iterdir():
        if path.lstat().st_uid == 0:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
