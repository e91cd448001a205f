"""What of an event does not fit the contract. Pure.

A remark refuses nothing: an event with remarks is stored, receipted and shown all the same. It is
made for each event of a whole district, hence cheap: some µs.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

import msgspec

from gatehouse.contract import data
from gatehouse.contract.kinds import EVENTS, Kind
from gatehouse.events import Event

LONGEST: Final = 160
"""Characters of one remark."""
_SHOWN: Final = 48
"""Characters of a stranger's word within a remark."""


def _form(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.ASCII).fullmatch


def _is_time(said: str) -> object:
    if not _TIME(said):
        return False
    try:
        return datetime.fromisoformat(said)
    except ValueError:
        return False


_TIME: Final = _form(data.TIME)
_SUBJECT: Final = _form("(button|camera)/[a-z0-9-]{1,32}|gateway")
_ENVELOPE: Final[tuple[tuple[str, Callable[[str], object], str], ...]] = (
    ("specversion", "1.0".__eq__, "is not 1.0"),
    ("id", _form(data.UUID7), "is no UUIDv7"),
    ("source", _form("/gatehouse/[a-z0-9-]{3,64}"), "is not /gatehouse/<id>"),
    ("subject", _SUBJECT, "is not button/<name>, camera/<name> or gateway"),
    ("time", _is_time, "is not RFC 3339 UTC"),
    ("datacontenttype", "application/json".__eq__, "is not application/json"),
    ("store", _form(data.UUID), "is no UUID"),
    ("sequence", _form(data.SEQUENCE), "is not <8 digits>.<10 digits>"),
    ("bootid", _form("[!-~]{1,64}"), "is no boot id"),
    ("monotonic", _form("[0-9]{1,19}"), "is no number of ns"),
    ("clock", frozenset({"synced", "unsynced"}).__contains__, "is neither synced nor unsynced"),
)
"""What all events have: the field, its test, and what to say of one that fails."""


def remarks(event: Event) -> list[str]:
    """Return what of an event does not fit the contract's types; empty when all does.

    Each remark is at most 160 characters long, and there are at most a dozen. Never raises.
    """
    said = list(_envelope(event))
    kind = EVENTS.get(event.type)
    if kind is None:
        said.append(f"type {_short(event.type)} is not known")
    else:
        said += _kind(event, kind)
    return [each[:LONGEST] for each in said]


def _envelope(event: Event) -> Iterator[str]:
    """Look at what all events have."""
    for field, fits, what in _ENVELOPE:
        if not fits(said := getattr(event, field)):
            yield f"{field} {_short(said)} {what}"


def _kind(event: Event, kind: Kind) -> Iterator[str]:
    """Look at what this type of event is about, and at its data."""
    if event.subject.partition("/")[0] not in kind.subjects and _SUBJECT(event.subject):
        yield f"subject {_short(event.subject)} does not go with this type"
    try:
        msgspec.convert(event.data, kind.data)
    except (msgspec.ValidationError, RecursionError) as exc:
        yield f"data: {exc}"


def _short(said: str) -> str:
    return repr(said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…")
