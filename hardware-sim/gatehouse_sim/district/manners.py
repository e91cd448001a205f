"""How a district treats those who tell it something."""

from dataclasses import dataclass
from typing import Final

MALFORMED: Final = (
    b"",
    b"{",
    b"null",
    b"[]",
    b"\xff\xfe\x00",
    b'{"ids": null}',
    b'{"ids": 7}',
    b'{"ids": [7]}',
    b'{"id": ["x"]}',
    b"[" * 5000,
)
"""Receipts that are none."""


@dataclass(frozen=True, slots=True)
class Manners:
    """What happens to receipts; events are stored whatever it says.

    ``delay_s`` is in seconds after the commit, ``copies`` how often each receipt is sent,
    ``unknown`` how many ids that nobody has ever seen each receipt names besides; with
    ``malformed`` each receipt follows everything in MALFORMED.
    """

    receipts: bool = True
    delay_s: float = 0.0
    copies: int = 1
    unknown: int = 0
    malformed: bool = False
