"""One-time codes as the authority keeps them: not the code, and slow to guess from what is kept."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gatehouse.enrol.code import SECRET_BYTES
from gatehouse_district.ca.register import Kept

CODE_LIVES: Final = timedelta(hours=24)
SALT_BYTES: Final = 16
_NOBODYS: Final = Kept(bytes(SALT_BYTES), bytes(32), 0)


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    """A code to be told to one technician; it is shown once and kept nowhere."""

    gateway: str
    text: str
    ends: datetime


def digest(secret: bytes, salt: bytes) -> bytes:
    """Return what is kept: scrypt with 16 MiB, some 50 ms, as 40 bits alone are soon tried out."""
    return hashlib.scrypt(secret, salt=salt, n=2**14, r=8, p=1, dklen=32)


def right(kept: Kept | None, secret: bytes, now_s: int) -> bool:
    """Whether a secret is that of a code which still lives; as slow when there is no code."""
    known = kept or _NOBODYS
    same = hmac.compare_digest(digest(secret, known.salt), known.digest)
    same = same and len(secret) == SECRET_BYTES  # HMAC in scrypt cannot tell zeros at the end
    return same and kept is not None and now_s < kept.ends_s
