"""Times as the page shows them. Pure."""

from datetime import UTC, datetime, tzinfo
from typing import Final

from gatehouse_district.desk.strangers import cut

NONE: Final = "–"


def parsed(text: str | None) -> datetime | None:
    """Read a time (RFC 3339); None for what is none: strangers may have said it."""
    if not text or len(text) > 40:
        return None
    try:
        when = datetime.fromisoformat(text)
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def unix_ms(text: str | None) -> int | None:
    """Return a time in ms since 1970."""
    when = parsed(text)
    return None if when is None else int(when.timestamp() * 1000)


def shown(text: str | None, zone: tzinfo | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Write a time in a zone; None is the machine's own. What cannot be read stays as it is."""
    when = parsed(text)
    if when is None:
        return cut(text, 40) if text else NONE
    try:
        return when.astimezone(zone).strftime(form)
    except (ValueError, OverflowError):
        return cut(text, 40)


def of_seconds(at_s: int) -> str:
    """Return whole seconds since 1970 as RFC 3339."""
    return datetime.fromtimestamp(at_s, UTC).isoformat()
