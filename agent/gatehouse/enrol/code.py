"""The one-time code of an enrolment: said over the telephone, typed on a gateway. Pure.

25 characters of Crockford's base32 (https://www.crockford.com/base32.html: no I, L, O, U; either
case; I and L are read as 1, O as 0) in groups of five:

- 16 say whose authority it is: 80 bits of the SHA-256 of its certificate (DER). An authority that
  fits them by chance cannot be made, so that the server is known from the code alone.
- 8 are the secret: 40 bits, for one gateway, one use, 24 hours, at a server that counts tries.
- 1 finds a slip of the tongue before it costs a try.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from gatehouse.errors import EnrolError
from gatehouse.texts import _

SECRET_BYTES: Final = 5
_AUTHORITY_BYTES: Final = 10
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RFC4648: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_WRITE: Final = str.maketrans(_RFC4648, _CROCKFORD)
_READ: Final = str.maketrans(_CROCKFORD + "ILO", _RFC4648 + "BBA")
_CHARACTERS: Final = 25
_GROUP: Final = 5


@dataclass(frozen=True, slots=True)
class Code:
    """What a code says."""

    authority: bytes
    """The first 10 bytes of the SHA-256 of the authority's certificate (DER)."""
    secret: bytes

    def __repr__(self) -> str:
        """Keep the secret out of logs."""
        return "Code(…)"

    @classmethod
    def make(cls, authority: bytes, secret: bytes) -> "Code":
        """Make one for an authority's certificate (DER) and a secret of `SECRET_BYTES`."""
        return cls(_of(authority), secret)

    def fits(self, authority: bytes) -> bool:
        """Whether this is the authority's certificate (DER) that the code speaks of."""
        return _of(authority) == self.authority

    def text(self) -> str:
        """Write it in groups, to be read aloud."""
        body = base64.b32encode(self.authority + self.secret).decode("ascii").translate(_WRITE)
        whole = body + _check(body)
        return "-".join(whole[at : at + _GROUP] for at in range(0, _CHARACTERS, _GROUP))


def read(typed: str) -> Code:
    """Read what was typed: any case, with or without spaces and hyphens. Raises EnrolError."""
    whole = re.sub(r"[\s-]", "", typed).upper()
    known = whole.isascii() and all(char in _CROCKFORD + "ILO" for char in whole)
    if not known or len(whole) != _CHARACTERS:
        raise EnrolError(_("a code has 25 letters and digits, in five groups"))
    whole = whole.translate(str.maketrans("ILO", "110"))
    body = whole[:-1]
    if _check(body) != whole[-1]:
        raise EnrolError(_("this code was misread or mistyped: compare each group again"))
    content = base64.b32decode(body.translate(_READ))
    return Code(content[:_AUTHORITY_BYTES], content[_AUTHORITY_BYTES:])


def _of(authority: bytes) -> bytes:
    return hashlib.sha256(authority).digest()[:_AUTHORITY_BYTES]


def _check(body: str) -> str:
    return _CROCKFORD[hashlib.sha256(body.encode("ascii")).digest()[0] % 32]
