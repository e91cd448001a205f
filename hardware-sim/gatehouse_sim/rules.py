"""The district's own rules for its broker: where they lie, and moving them to a private place."""

import re
from pathlib import Path
from typing import Final

_PLACE: Final = "/etc/mosquitto/gatehouse/"
_LISTENER: Final = re.compile(r"^listener 8883$", re.MULTILINE)
_REVOKED: Final = re.compile(r"^crlfile .*\n", re.MULTILINE)
_GUARDS: Final = re.compile(
    r"^(cafile|certfile|keyfile|tls_version|require_certificate|use_identity_as_username"
    r"|crlfile|allow_anonymous|acl_file) .*\n",
    re.MULTILINE,
)


def rules() -> Path:
    """Return the folder of the district's rules: in the wheel, or in the source checkout.

    Raises FileNotFoundError.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "district_rules", here.parents[1] / "config" / "district"):
        if (folder / "mosquitto.conf").is_file():
            return folder
    raise FileNotFoundError(f"no district_rules beside {here} and no config/district above it")


def relocate(given: str, *, port: int, place: Path, tls: bool, revoked: bool = True) -> str:
    """Return the district's configuration for this port and folder, on loopback only. Pure.

    Without ``tls`` the lines that say who may come in are left out, and all others stay; without
    ``revoked`` it asks for no list of revocations. Raises ValueError when the file no longer says
    what is to be moved.
    """
    moved, listeners = _LISTENER.subn(f"listener {port} 127.0.0.1", given)
    if listeners != 1 or _PLACE not in given:
        raise ValueError(f"mosquitto.conf must have one 'listener 8883' and its files in {_PLACE}")
    if not tls:
        moved = _GUARDS.sub("", moved) + "allow_anonymous true\n"
    if not revoked:
        moved = _REVOKED.sub("", moved)
    return moved.replace(_PLACE, f"{place}/")
