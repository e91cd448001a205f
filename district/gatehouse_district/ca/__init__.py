"""A small certificate authority for a district that has none (docs/decisions/0015).

The one room with `cryptography`: its own types stay in here.
"""

from gatehouse_district.ca.authority import Authority, Signed
from gatehouse_district.ca.codes import CODE_LIVES, OneTimeCode
from gatehouse_district.ca.ending import WARNED, Ending, own, soon
from gatehouse_district.ca.names import RECEIVER
from gatehouse_district.ca.profiles import Kind, Span
from gatehouse_district.ca.register import Entry
from gatehouse_district.ca.renewing import Renewal

__all__ = [
    "CODE_LIVES",
    "RECEIVER",
    "WARNED",
    "Authority",
    "Ending",
    "Entry",
    "Kind",
    "OneTimeCode",
    "Renewal",
    "Signed",
    "Span",
    "own",
    "soon",
]
