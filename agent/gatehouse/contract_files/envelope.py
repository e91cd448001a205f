"""The schema of an event's envelope, CloudEvents 1.0 (contract section 4). Pure."""

from collections.abc import Mapping
from typing import Any, Final

from gatehouse.contract import EVENTS, Kind
from gatehouse.contract.data import NAME, SEQUENCE, TIME, UUID, UUID7
from gatehouse.events import Mode

Json = dict[str, Any]

_NAME: Final = NAME.strip("^$")


def subject(kinds: tuple[str, ...]) -> Json:
    """Return the schema of what an event may be about."""
    forms = [each if each == "gateway" else f"{each}/{_NAME}" for each in kinds]
    return {"type": "string", "pattern": f"^({'|'.join(forms)})$"}


def _text(description: str, **more: object) -> Json:
    return {"type": "string", **more, "description": description}


_PROPERTIES: Final[Mapping[str, Json]] = {
    "specversion": {"const": "1.0", "description": "Of CloudEvents."},
    "id": _text("UUIDv7; a district stores by it.", pattern=UUID7),
    "source": _text("/gatehouse/<gateway id>", pattern="^/gatehouse/[a-z0-9-]{3,64}$"),
    "type": {"enum": list(EVENTS), "description": "What happened."},
    "subject": {
        **subject(("button", "camera", "gateway")),
        "description": "What it is about: button/<name>, camera/<name> or gateway.",
    },
    "time": _text("When it happened, UTC; may be wrong while `clock` is unsynced.", pattern=TIME),
    "datacontenttype": {"const": "application/json", "description": "Of `data`."},
    "store": _text("UUID of the outbox: a new card has another one.", pattern=UUID),
    "sequence": _text("<start>.<count> within the store.", pattern=SEQUENCE),
    "bootid": _text("The kernel's boot id.", minLength=1, maxLength=64),
    "monotonic": _text("CLOCK_BOOTTIME in ns.", pattern="^[0-9]{1,19}$"),
    "clock": {"enum": ["synced", "unsynced"], "description": "Whether the clock has been set."},
    "mode": {
        "enum": [str(mode) for mode in Mode],
        "description": "`test`: of a walk test or self-test; `drill`: an exercise.",
    },
    "data": {"type": "object", "description": "As its type says."},
}

EVENT: Final[Json] = {
    "title": "Event",
    "description": "One durable event in its envelope, CloudEvents 1.0.",
    "type": "object",
    "required": list(_PROPERTIES),
    "properties": dict(_PROPERTIES),
}


def of_type(type_: str, kind: Kind, ref: str) -> Json:
    """Return what one type of event asks for besides the envelope."""
    return {
        "type": {"const": type_},
        "subject": subject(kind.subjects),
        "data": {"$ref": ref + kind.data.__name__},
    }
