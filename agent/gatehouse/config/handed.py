"""Files that systemd reads as root and hands over: ``LoadCredential=``, systemd.exec(5)."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from gatehouse.config.model import Config

_LARGEST: Final = 64 * 1024
_PEM: Final = b"-----BEGIN "


def with_handed_key(config: Config, environ: Mapping[str, str]) -> Config:
    """Return the configuration with the key that systemd hands over in place of the file named.

    It is known by the file's name, in ``CREDENTIALS_DIRECTORY`` of ``environ``; so the file itself
    may be readable by root alone. What is no PEM stands for a file that was missing. The folder is
    in memory: reading it waits for no disk. Never raises.
    """
    folder, key = environ.get("CREDENTIALS_DIRECTORY", ""), config.district.key
    if not folder or key is None:
        return config
    handed = Path(folder) / key.name
    try:
        with handed.open("rb") as stream:
            usable = _PEM in stream.read(_LARGEST)
    except (OSError, ValueError):  # not handed over; ValueError: a NUL in the path
        return config
    if not usable:
        return config
    return replace(config, district=replace(config.district, key=handed, named_key=key))
