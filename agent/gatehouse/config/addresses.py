"""Where brokers and cameras are: the URLs that may stand in the file. Messages never repeat one."""

import re
import socket
from typing import Final

from gatehouse.config.model import Broker
from gatehouse.config.values import WrongError, typed
from gatehouse.texts import _

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*\.?")
_URL: Final = re.compile(
    r"(?P<scheme>[a-z0-9]+)://(?P<user>[^/?#]*@)?"
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\[\]/:?#@\s]+))(?::(?P<port>[0-9]{1,9}))?(?P<rest>\S*)"
)
_SECRET: Final = re.compile(r"(?:password|passwd|pwd)=[^&/]", re.IGNORECASE)


def broker(value: object) -> Broker:
    """Accept ``mqtts://host[:port]``, and ``mqtt://`` to this machine itself."""
    found = typed(value, str)
    match = _URL.fullmatch(found)
    if not match or match["scheme"] not in _PORTS or match["rest"] not in {"", "/"}:
        raise WrongError(_("must be mqtts://host:port (mqtt:// only to this machine itself)"))
    if match["user"]:
        raise WrongError(_("must not hold user or password: the gateway shows its certificate"))
    host, port = _host_and_port(match)
    tls = match["scheme"] == "mqtts"
    if not tls and not _is_loopback(host):
        raise WrongError(_("mqtt:// is not encrypted, hence only for loopback; use mqtts://"))
    return Broker(found, host, port or _PORTS[match["scheme"]], tls)


def https(value: object) -> str:
    """Accept ``https://host[:port]``, also to this machine itself: a certificate comes that way."""
    match = _URL.fullmatch(typed(value, str))
    if not match or match["scheme"] != "https" or match["rest"] not in {"", "/"}:
        raise WrongError(_("must be https://host:port"))
    if match["user"]:
        raise WrongError(_("must not hold user or password: the gateway shows its certificate"))
    _host_and_port(match)
    return match[0].removesuffix("/")


def source(value: object) -> str:
    """Accept ``rtsp://host/path`` without credentials, or ``picamera2:N``."""
    found = typed(value, str)
    if re.fullmatch(r"picamera2:[0-9]", found):
        return found
    match = _URL.fullmatch(found)
    if match and (match["user"] or "@" in match["rest"] or _SECRET.search(match["rest"])):
        raise WrongError(
            _("must not hold user or password: write user:password to a file, named in credential")
        )
    if not match or match["scheme"] != "rtsp" or match["rest"][:1] not in {"", "/"}:
        raise WrongError(_("must be rtsp://host/path or picamera2:N (N from 0 to 9)"))
    _host_and_port(match)
    return found


def _host_and_port(match: re.Match[str]) -> tuple[str, int | None]:
    """Check both; the port is None where the URL names none."""
    host = match["six"] or match["host"]
    if match["six"]:
        good = bool(_packed(socket.AF_INET6, host))
    else:
        good = bool(_packed(socket.AF_INET, host)) or _is_name(host)
    if not good:
        raise WrongError(_("has a host that is neither a name nor an address"))
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 1 <= port <= 65535:
        raise WrongError(_("has a port outside 1 to 65535"))
    return host, port


def _is_name(host: str) -> bool:
    """Whether it may be a host's name (RFC 1123); one that ends in digits would be an address."""
    return bool(_HOST.fullmatch(host)) and not host.rstrip(".").rpartition(".")[2].isdigit()


def _is_loopback(host: str) -> bool:
    """Whether it is this machine: localhost, 127.0.0.0/8 (RFC 1122) or ::1 (RFC 4291)."""
    four, six = _packed(socket.AF_INET, host), _packed(socket.AF_INET6, host)
    return host.lower() == "localhost" or four[:1] == b"\x7f" or six == bytes(15) + b"\x01"


def _packed(family: socket.AddressFamily, host: str) -> bytes:
    try:
        return socket.inet_pton(family, host)
    except OSError:
        return b""
