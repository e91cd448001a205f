"""What a gateway sends and is sent: JSON, read with its types. Pure.

Times are seconds since 1970; bytes are base64 (RFC 4648), certificates and requests PEM.
"""

from typing import Any, Final, TypeVar

import msgspec

from gatehouse.texts import _
from gatehouse_district.errors import AuthorityError

LARGEST: Final = 16 * 1024
"""Bytes of a body; a renewal of ours has 2 kB."""

M = TypeVar("M")


class ByCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks for the first certificate."""

    gateway: str
    code: bytes
    """The secret of the code, without the rest."""
    request: str

    def what(self) -> str:
        """Say it for the log, on one line and without the secret."""
        return f"code for {self.gateway[:64]!a}"


class ByCertificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks for the next certificate; signed as `gatehouse.enrol.statement` says."""

    certificate: str
    request: str
    nonce: bytes
    at: int
    signature: bytes

    def what(self) -> str:
        """Say it for the log; whose it is says what is signed or refused."""
        return "renewal"


def decode(body: bytes, kind: type[M]) -> M:
    """Read a body. Raises AuthorityError."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError) as exc:  # ValidationError is one of them
        said = "".join(
            letter for letter in str(exc)[:200] if letter.isprintable()
        )  # to the log too
        raise AuthorityError(_("the request is malformed: {reason}").format(reason=said)) from exc


def certificate(pem: bytes, authority: bytes) -> dict[str, Any]:
    """Answer with a certificate, and with the authority's own."""
    return {"certificate": pem.decode("ascii"), "authority": authority.decode("ascii")}


def refusal(reason: str, code: str) -> dict[str, Any]:
    """Answer with why not, for people, and a word for programs."""
    return {"error": reason, "code": code}
