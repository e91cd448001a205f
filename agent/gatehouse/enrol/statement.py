"""What a gateway signs with its present key to have a new certificate. Pure, for both sides.

The request itself is signed by the new key (PKCS 10); this statement ties it to the old one, to a
moment and to a number that is used once.
"""

import hashlib
from typing import Final

_HEAD: Final = b"gatehouse renewal 1\0"
WITHIN_S: Final = 600
"""How far the two clocks may be apart; as long a number is remembered, and twice."""
NONCE_BYTES: Final = 16


def statement(*, gateway: str, request: bytes, nonce: bytes, at_s: int) -> bytes:
    """Return the bytes to sign; ``request`` is the PEM as sent, ``at_s`` seconds since 1970."""
    parts = (gateway.encode("ascii"), hashlib.sha256(request).digest(), nonce)
    tail = b"".join(len(part).to_bytes(2, "big") + part for part in parts)
    return _HEAD + tail + at_s.to_bytes(8, "big")
