"""What the video service tells the alarm service, in words that both speak. Pure.

A report says what stands now, not what changed: one that is lost costs nothing, and either service
may be restarted at any time. For each subject of its rows, a fault of the vocabulary

* that is in ``stands`` stands,
* that is in ``unknown`` cannot be told now (no picture yet, a disk that hangs): what stood, stands,
* that is in neither does not stand.

A camera without a row is no longer watched. What happens only once (a gap, a deletion) is told with
a key that never means two happenings, again and again until the answer has that key: then it is an
event on the disk of the alarm service.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Final

import msgspec

from gatehouse.errors import MessageError

GATEWAY: Final = "gateway"

CAMERA: Final = (
    "unreachable",
    "refused",
    "stalled",
    "frozen",
    "dark",
    "covered",
    "blurred",
    "moved",
    "low-resolution",
    "clock-off",
    "not-recording",
)
"""Faults of a camera (contract section 4)."""
RETENTION: Final = ("shortfall", "forecast")
"""Faults of a camera's recordings (``retention.shortfall``, ``retention.forecast``)."""
RETENTION_ROWS: Final = "retention"
"""Key of a report's status: one row a camera, for the heartbeat."""
CAMERAS_LOST: Final = "cameras-lost"
CLEAN_UP_REFUSED: Final = "clean-up-refused"
UNREADABLE: Final = "recordings-unreadable"
VIDEO_CONFIG: Final = "video-config"
EVIDENCE_FULL: Final = "evidence-full"
"""There is no room for the evidence of the next alarm: held bundles never go."""
EVIDENCE_FAILED: Final = "evidence-failed"
"""Evidence cannot be read or written."""
GATEWAYS: Final = (
    CAMERAS_LOST,
    CLEAN_UP_REFUSED,
    UNREADABLE,
    VIDEO_CONFIG,
    EVIDENCE_FULL,
    EVIDENCE_FAILED,
)
"""Faults of the gateway that the video service finds."""

OF_CAMERA: Final = frozenset({*CAMERA, *RETENTION})
OF_GATEWAY: Final = frozenset({*GATEWAYS, "shortfall"})
"""On the gateway itself a shortfall is a disk's: clean-up finds nothing that may go."""

GAP: Final = "gatehouse.recording.gap"
DELETED: Final = "gatehouse.recording.deleted"
"""Recordings went under their floor, since the disk was full (``on_full = "oldest"``)."""
EVIDENCE_READY: Final = "gatehouse.evidence.ready"
EVIDENCE_RELEASED: Final = "gatehouse.evidence.released"
HAPPENINGS: Final = frozenset({GAP, DELETED, EVIDENCE_READY, EVIDENCE_RELEASED})

MOST_BYTES: Final = 60_000
"""Of one report: the control socket takes 64 KiB a line."""
MOST_TOLD: Final = 50
MOST_ROWS: Final = 65
"""64 cameras and the gateway."""

_CAMERA: Final = re.compile(r"camera/[a-z0-9-]{1,32}")
_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Key = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Standing(msgspec.Struct, frozen=True):
    """One fault that stands."""

    fault: _Word
    data: dict[str, Any] = {}


class Row(msgspec.Struct, frozen=True):
    """What is known of one subject: ``camera/<name>`` or ``gateway``."""

    subject: _Word
    stands: tuple[Standing, ...] = ()
    unknown: tuple[_Word, ...] = ()


class Told(msgspec.Struct, frozen=True):
    """What happened once."""

    key: _Key
    type: _Word
    subject: _Word
    data: dict[str, Any] = {}


class Report(msgspec.Struct, frozen=True):
    """All that the video service has to say."""

    rows: Annotated[tuple[Row, ...], msgspec.Meta(max_length=MOST_ROWS)]
    told: Annotated[tuple[Told, ...], msgspec.Meta(max_length=MOST_TOLD)] = ()
    status: dict[str, Any] = {}
    """What ``gatehouse status`` shows as ``video``, and besides the rows of retention."""


def vocabulary(subject: str) -> frozenset[str]:
    """Return the faults that the video service may tell of a subject; none for a stranger's."""
    if subject == GATEWAY:
        return OF_GATEWAY
    return OF_CAMERA if _CAMERA.fullmatch(subject) else frozenset()


def family(subject: str, fault: str) -> str:
    """Return the family of events that a fault belongs to."""
    if fault in RETENTION:
        return "retention"
    return "gateway" if subject == GATEWAY else "camera"


def nothing_known(subject: str) -> Row:
    """Return the row of a subject of which nothing is known yet."""
    return Row(subject, (), tuple(sorted(vocabulary(subject))))


def merged(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Join what several parts say of the same subjects, in the order of their first words."""
    stands: dict[str, dict[str, Standing]] = {}
    unknown: dict[str, set[str]] = {}
    for row in rows:
        stands.setdefault(row.subject, {}).update({each.fault: each for each in row.stands})
        unknown.setdefault(row.subject, set()).update(row.unknown)
    return tuple(
        Row(subject, tuple(found.values()), tuple(sorted(unknown[subject] - found.keys())))
        for subject, found in stands.items()
    )


def read(request: dict[str, Any]) -> Report:
    """Read a report out of a request. Raises MessageError, also for words that nobody speaks."""
    try:
        report = msgspec.convert(request.get("report"), Report)
    except msgspec.ValidationError as exc:
        raise MessageError(f"no report of the video service: {exc}") from exc
    for row in report.rows:
        if not (known := vocabulary(row.subject)):
            raise MessageError(f"{row.subject!r} is neither a camera nor the gateway")
        said = {*(each.fault for each in row.stands), *row.unknown}
        if strange := said - known:
            raise MessageError(f"{row.subject!r} cannot have {', '.join(sorted(strange)[:5])!r}")
    for each in report.told:
        if each.type not in HAPPENINGS or not vocabulary(each.subject):
            raise MessageError(f"{each.type!r} at {each.subject!r} is nothing to be told")
    return report


def request(report: Report) -> dict[str, Any]:
    """Return the request that carries a report; without details where they would be too long."""
    for brief in (report, _brief(report)):
        said: dict[str, Any] = msgspec.to_builtins(brief)
        if len(msgspec.json.encode(said)) <= MOST_BYTES:
            break
    return {"do": "video", "report": said}


def _brief(report: Report) -> Report:
    rows = tuple(
        Row(row.subject, tuple(Standing(each.fault) for each in row.stands), row.unknown)
        for row in report.rows
    )
    return Report(rows, report.told[:5], report.status)
