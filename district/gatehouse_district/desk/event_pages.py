"""Events of the gateways, page by page."""

import re
from typing import Final

from starlette.responses import Response

from gatehouse_district import event_words
from gatehouse_district.desk.visit import Doors, Visit

_PAGE: Final = 50
_TYPE: Final = re.compile(r"[a-z.-]{1,64}")
_POSITION: Final = re.compile(r"[0-9]{1,15}")


class EventPages:
    """What gateways have said."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._records = doors.parts.records

    async def all(self, visit: Visit) -> Response:
        """Show a page of events, of one gateway or of all."""
        asked = visit.request.query_params
        gateway = asked.get("gateway", "")[:200]
        type_ = asked.get("type", "")
        type_ = type_ if _TYPE.fullmatch(type_) else ""
        entries = await self._records.events(
            gateway=gateway or None,
            type_=type_ or None,
            limit=_PAGE + 1,
            before=position(asked.get("before", "")),
        )
        return self._doors.page(
            visit,
            "events.html",
            entries=entries[:_PAGE],
            more=entries[_PAGE - 1].position if len(entries) > _PAGE else None,
            gateway=gateway,
            type=type_,
            types=event_words.EVENTS,
        )


def position(text: str) -> int | None:
    """Read where a page begins; None for the newest."""
    return int(text) if _POSITION.fullmatch(text) else None
