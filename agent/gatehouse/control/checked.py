"""What ``gatehouse selftest`` tells the alarm service, which makes the event of it. Pure."""

from typing import Annotated, Any, Final, Literal

import msgspec

from gatehouse.errors import MessageError

MOST_BYTES: Final = 32_000
_BRIEF: Final = 120
"""Characters that are left of each text where all of them together would be too long."""

Result = Literal["OK", "WARN", "FAIL", "SKIP"]
_Text = Annotated[str, msgspec.Meta(max_length=8000)]


class Row(msgspec.Struct, frozen=True):
    """How one check ended."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    result: Result
    seconds: float
    figure: _Text = ""
    remedy: _Text | None = None


class Report(msgspec.Struct, frozen=True):
    """How all of them ended (contract section 5)."""

    result: Literal["OK", "WARN", "FAIL"]
    checks: Annotated[tuple[Row, ...], msgspec.Meta(max_length=64)]


def read(report: object) -> dict[str, Any]:
    """Read a report, and return it as an event carries it. Raises MessageError."""
    try:
        found = msgspec.convert(report, Report)
    except msgspec.ValidationError as exc:
        raise MessageError(f"no report of a self-test: {exc}") from exc
    said: dict[str, Any] = msgspec.to_builtins(found)
    if len(msgspec.json.encode(said)) > MOST_BYTES:
        for row in said["checks"]:
            row["figure"] = row["figure"][:_BRIEF]
            row["remedy"] = row["remedy"] and row["remedy"][:_BRIEF]
    return said
