"""The desk's own certificate: TLS 1.2 and above, and taken up anew without a restart."""

import ssl
from pathlib import Path

from gatehouse_district.errors import DeskError


def context(cert: Path, key: Path) -> ssl.SSLContext:
    """Return what a server shows. Raises DeskError."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    load(made, cert, key)
    return made


def load(into: ssl.SSLContext, cert: Path, key: Path) -> None:
    """Have new connections get this certificate. Raises DeskError; the old one then stays."""
    try:
        spare = ssl.SSLContext(
            ssl.PROTOCOL_TLS_SERVER
        )  # half a pair must not get into the real one
        for one in (spare, into):
            one.load_cert_chain(cert, key, password=_no_password)
    except (OSError, ValueError) as exc:  # ssl.SSLError is an OSError
        reason = exc.strerror or exc.args[-1] if isinstance(exc, OSError) else exc
        raise DeskError(
            f"the desk cannot use certificate {cert} with key {key}: {reason}; are both there, "
            "readable by this user, PEM, and a pair?"
        ) from exc


def _no_password() -> str:
    """Have a key with a password refused: OpenSSL would else ask for it on the terminal."""
    raise ValueError("the key has a password; write it without one")
