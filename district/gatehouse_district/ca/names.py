"""Who may stand in a certificate. The broker's rules go by these names. Pure."""

import re
from ipaddress import ip_address
from typing import Final

from gatehouse.config.values import GATEWAY_ID
from gatehouse.texts import _
from gatehouse_district.errors import AuthorityError

RECEIVER: Final = "district.receiver"
"""A dot, which no gateway's id may have (config/district/acl)."""
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)


def gateway(name: str) -> str:
    """Return the name if it may be a gateway's: no topic level, no wildcard. Raises AuthorityError.

    It is said back only in ASCII: a name may hold anything.
    """
    if not re.fullmatch(GATEWAY_ID, name):
        said = _("{name} is no gateway's id: 3 to 64 of a-z, 0-9 and hyphen")
        raise AuthorityError(said.format(name=ascii(name[:80])))
    return name


def server(name: str) -> str:
    """Return the name if it is a host's name or address. Raises AuthorityError."""
    try:
        return str(ip_address(name))
    except ValueError:
        pass
    if not _HOST.fullmatch(name) or name.rpartition(".")[2].isdigit():
        said = _("{name} is neither a host's name nor an address")
        raise AuthorityError(said.format(name=ascii(name[:80])))
    return name.lower()
