"""What each camera's recordings come to: the answer of ``gatehouse recordings`` (contract 5)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from gatehouse.video.index_reader import Reader
from gatehouse.video.index_schema import Camera
from gatehouse.video.plan import Area
from gatehouse.video.retention import (
    DAY_MS,
    Disk,
    Proof,
    Span,
    Stock,
    Verdict,
    days_until_short,
    prove,
    verdict,
)

_LEAST_MS: Final = 600_000
"""A rate is told when a camera has recorded for so long."""
_LATE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Duty:
    """What is asked of one camera; ``disk`` names the one on which its recordings lie."""

    camera: str
    area: Area
    days: int
    disk: str
    ours: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of one camera's recordings."""

    duty: Duty
    proof: Proof
    bytes_per_day: int | None
    days_left: float | None
    verdict: Verdict
    segments: int = 0
    unknown_names: int = 0
    amiss: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the answer in the words of the contract."""
        proof, left = self.proof, self.days_left
        return {
            "name": self.duty.camera,
            "area": self.duty.area,
            "required_days": self.duty.days,
            "proven_days": round(proof.proven_ms / DAY_MS, 3),
            "oldest_unbroken": None if proof.oldest_ms is None else rfc3339(proof.oldest_ms),
            "gaps": [gap_document(gap) for gap in proof.gaps],
            "gap_minutes": round(proof.gap_ms / 60_000, 1),
            "short_gaps": [
                {"day": rfc3339(day)[:10], "seconds": round(missing / 1000, 1)}
                for day, missing in proof.short
            ],
            "bytes_per_day": self.bytes_per_day,
            "days_until_short": None if left is None else round(left, 1),
            "verdict": self.verdict,
            "segments": self.segments,
            "unknown_names": self.unknown_names,
            "amiss": self.amiss,
        }


def answers(
    reader: Reader,
    duties: Sequence[Duty],
    disks: Mapping[str, Disk],
    *,
    now_ms: int,
    gap_ms: int,
    standing: Collection[str] = (),
) -> list[Answer]:
    """Answer for all cameras at one moment; ``standing``: whose verdict was a forecast before."""
    with reader.at_one_moment():
        known = {duty.camera: reader.camera(duty.camera) for duty in duties}
        stocks = {
            duty.camera: _stock(reader, duty, camera, now_ms)
            for duty in duties
            if (camera := known[duty.camera]) is not None
        }
        left: dict[str, float | None] = {}
        for name, disk in disks.items():
            there = [duty.camera for duty in duties if duty.disk == name]
            left[name] = days_until_short([stocks[c] for c in there if c in stocks], disk, now_ms)
        return [
            _answer(
                reader, duty, known[duty.camera], stocks.get(duty.camera), left.get(duty.disk),
                now_ms=now_ms, gap_ms=gap_ms, standing=duty.camera in standing,
            )
            for duty in duties
        ]  # fmt: skip


def untold_gaps(reader: Reader, camera: Camera, gap_ms: int) -> list[Span]:
    """Return the gaps that have ended and were not told yet, the oldest first.

    Those that the first scan found are not told: they are of the time before we watched, or were
    told by an index that is lost.
    """
    if camera.scanned_ms is None:
        return []
    found: list[Span] = []
    later: Span | None = None
    for run in reader.runs(camera.id):
        if later is not None:
            gap = Span(run.to_ms, later.from_ms)
            if gap.to_ms <= camera.scanned_ms:
                break
            if gap.ms > gap_ms and not reader.is_told(camera.id, gap):
                found.append(gap)
        later = run
    return found[::-1]


def rfc3339(unix_ms: int) -> str:
    """Return a time as the contract writes it."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="seconds")[:19] + "Z"


def gap_document(gap: Span) -> dict[str, Any]:
    """Return a gap in the words of the contract."""
    return {
        "from": rfc3339(gap.from_ms),
        "to": rfc3339(gap.to_ms),
        "seconds": round(gap.ms / 1000, 1),
    }


def _stock(reader: Reader, duty: Duty, camera: Camera, now_ms: int) -> Stock:
    by_day = [(day, size) for day, _segments, size in reader.days(camera.id)]
    rate = _rate(reader, camera, now_ms) or 0
    return Stock(duty.days * DAY_MS, by_day, rate, duty.ours)


def _rate(reader: Reader, camera: Camera, now_ms: int) -> int | None:
    """Return bytes a day by the last 24 hours, or by less in a camera that is younger."""
    since = max(now_ms - DAY_MS, camera.first_ms or now_ms)
    if now_ms - since < _LEAST_MS:
        return None
    return reader.bytes_between(camera.id, since, now_ms) * DAY_MS // (now_ms - since)


def _answer(
    reader: Reader,
    duty: Duty,
    camera: Camera | None,
    stock: Stock | None,
    left: float | None,
    *,
    now_ms: int,
    gap_ms: int,
    standing: bool,
) -> Answer:
    duty_ms = duty.days * DAY_MS
    if camera is None or stock is None:
        return Answer(duty, Proof(0, None, (), 0, ()), None, None, "unknown")
    edge_ms = now_ms if duty.ours else _shown_until(reader, camera, now_ms, gap_ms)
    proof = prove(reader.runs(camera.id), now_ms=edge_ms, gap_ms=gap_ms, duty_ms=duty_ms)
    judged = verdict(
        proof,
        duty_ms=duty_ms,
        age_ms=None if camera.first_ms is None else now_ms - camera.first_ms,
        days_left=left,
        standing=standing,
    )
    if camera.scanned_ms is None or camera.amiss is not None:
        judged = "unknown"
    return Answer(
        duty,
        proof,
        _rate(reader, camera, now_ms),
        left,
        judged,
        reader.totals(camera.id)[0],
        reader.unknown(camera.id),
        camera.amiss,
    )


def _shown_until(reader: Reader, camera: Camera, now_ms: int, gap_ms: int) -> int:
    """Return up to when another recorder can have shown what it has.

    Many give a recording its name only when it is done: until then the last one reaches up to now,
    and no gap has been seen until it is late by one.
    """
    newest = reader.run_over(camera.id, now_ms)
    if newest is None:
        return now_ms
    late = now_ms - newest.to_ms
    patience = (camera.usual_ms or 0) + max(gap_ms, _LATE_MS)
    return newest.to_ms if 0 < late <= patience else now_ms
