"""What a pass over the recordings found, in the words that others hear. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

from gatehouse.config import Camera, Retention
from gatehouse.control import reports
from gatehouse.control.reports import GATEWAY, Row, Standing, Told
from gatehouse.video.answers import Answer, Duty, gap_document, rfc3339
from gatehouse.video.plan import Refusal
from gatehouse.video.retention import DAY_MS, Proof, Span, Verdict
from gatehouse.video.scan import Progress

NOT_RECORDING: Final = "not-recording"
SHORTFALL, FORECAST = reports.RETENTION
_MOST_CAMERAS: Final = 64
_OURS: Final = (reports.CLEAN_UP_REFUSED, reports.UNREADABLE, SHORTFALL)
"""Faults of the gateway that are found here."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one camera's recordings."""

    answer: Answer
    sure: bool = False
    """Whether its folder was read wholly since the start, and can be read now."""
    young: bool = False
    """Whether it records for less than its duty: it can prove nothing, and lacks nothing."""
    late: bool | None = None
    """Whether nothing new has come for too long; None: not known, or not to be judged here."""
    newest_ms: int | None = None
    amiss: str | None = None
    """Why its folder cannot be read, once that is a fault."""


@dataclass(frozen=True, slots=True)
class Room:
    """One disk, and what is left on it."""

    path: str
    free_percent: float
    min_free_percent: float
    days_until_short: float | None

    def document(self) -> dict[str, Any]:
        """Return it in the words of ``gatehouse recordings``."""
        left = self.days_until_short
        return {
            "path": self.path,
            "free_percent": round(self.free_percent, 1),
            "min_free_percent": self.min_free_percent,
            "days_until_short": None if left is None else round(left, 1),
        }


@dataclass(frozen=True, slots=True)
class CleanUp:
    """What clean-up could not do on one disk."""

    path: str
    refused: tuple[Refusal, ...] = ()
    lacking: int = 0
    """Bytes that should be free, and for which nothing may go."""
    amiss: str | None = None
    """Why recordings could not be deleted."""
    cameras: tuple[str, ...] = ()
    """Whose recordings lie there."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing can be said now: a disk or the index does not answer."""

    cameras: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Passed:
    """All that one pass found."""

    cameras: tuple[Known, ...] = ()
    disks: tuple[Room, ...] = ()
    clean_ups: tuple[CleanUp, ...] = ()
    """One for each disk that answered."""
    cleaned: bool = False
    """Whether they are those of all disks."""
    told: tuple[Told, ...] = ()
    scanning: Progress | None = None
    trouble: Trouble | None = None

    def rows(self) -> tuple[Row, ...]:
        """Return what stands, one row a camera and one for the gateway."""
        if self.trouble is not None:
            return (*(_unsure(known) for known in self.cameras), _hanging(self.trouble))
        return (*(_camera(known) for known in self.cameras), _gateway(self))

    def document(self) -> dict[str, Any]:
        """Return the answer of ``gatehouse recordings``."""
        scanning = self.scanning
        return {
            "cameras": [self._answer(known).document() for known in self.cameras],
            "disks": [disk.document() for disk in self.disks],
            "scanning": None
            if scanning is None
            else {"camera": scanning.camera, "segments": scanning.segments},
        }

    def summary(self) -> dict[str, int]:
        """Return how many cameras have each verdict."""
        verdicts = Counter(self._answer(known).verdict for known in self.cameras)
        return {word: verdicts[word] for word in get_args(Verdict)}

    def retention(self) -> list[dict[str, Any]]:
        """Return how far back each camera is proven, as the heartbeat tells the district."""
        return [_proven(self._answer(known)) for known in self.cameras[:_MOST_CAMERAS]]

    def forecasts(self, before: frozenset[str]) -> frozenset[str]:
        """Return the cameras whose forecast stands; what cannot be told now stands as before."""
        return frozenset(
            known.answer.duty.camera
            for known in self.cameras
            if known.answer.verdict == "forecast"
            or (not known.sure and known.answer.duty.camera in before)
        )

    def _answer(self, known: Known) -> Answer:
        if self.trouble is None:
            return known.answer
        named = known.answer.duty.camera in self.trouble.cameras
        amiss = self.trouble.text if named else known.answer.amiss
        return replace(known.answer, verdict="unknown", amiss=amiss)

    def fit(self, cameras: Sequence[Camera], retention: Retention) -> "Passed":
        """Return the same for other cameras: of those that are new nothing is known."""
        old = {known.answer.duty: known for known in self.cameras}
        places = {duty.camera: duty.disk for duty in old}
        duties = [duty_of(cam, retention, places.get(cam.name, "")) for cam in cameras]
        known = tuple(old.get(duty, Known(unanswered(duty))) for duty in duties)
        return replace(self, cameras=known, cleaned=self.cleaned and known == self.cameras)


def duty_of(camera: Camera, retention: Retention, disk: str) -> Duty:
    """Return what is asked of a camera; ``disk`` is empty when its disk is not known."""
    critical = camera.area == "critical"
    days = retention.critical_days if critical else retention.general_days
    return Duty(camera.name, camera.area, days, disk, camera.record)


def unanswered(duty: Duty) -> Answer:
    """Return the answer for a camera of whose recordings nothing is known."""
    return Answer(duty, Proof(0, None, (), 0, ()), None, None, "unknown")


def _proven(answer: Answer) -> dict[str, Any]:
    """Return one camera's row; days to the quarter of an hour, so that it changes seldom."""
    days = round(answer.proof.proven_ms / DAY_MS, 2)
    return {
        "camera": answer.duty.camera,
        "area": answer.duty.area,
        "required_days": answer.duty.days,
        "proven_days": None if answer.verdict == "unknown" else days,
        "verdict": answer.verdict,
    }


def gap_told(camera: str, gap: Span) -> Told:
    """Return the happening of a gap that has ended."""
    key = f"gap/{camera}/{gap.from_ms}-{gap.to_ms}"
    return Told(key, reports.GAP, f"camera/{camera}", gap_document(gap))


def gap_of(key: str) -> tuple[str, Span] | None:
    """Return the camera and the gap that a key means; None for the key of another happening."""
    kind, _, rest = key.partition("/")
    camera, _, span = rest.partition("/")
    from_ms, _, to_ms = span.partition("-")
    if kind != "gap" or not (from_ms.isdecimal() and to_ms.isdecimal()):
        return None
    return camera, Span(int(from_ms), int(to_ms))


def _camera(known: Known) -> Row:
    answer = known.answer
    stands: list[Standing] = []
    unknown: list[str] = []
    if answer.verdict == "short":
        days = {"required_days": answer.duty.days}
        proven = {"proven_days": round(answer.proof.proven_ms / DAY_MS, 3)}
        stands.append(Standing(SHORTFALL, {**days, **proven}))
    elif answer.verdict == "forecast":
        left = {"days_until_short": round(answer.days_left or 0.0, 1)}
        stands.append(Standing(FORECAST, left))
    elif answer.verdict == "unknown" and not (known.sure and known.young):
        unknown += reports.RETENTION
    if not answer.duty.ours and known.late is None:
        unknown.append(NOT_RECORDING)
    elif not answer.duty.ours and known.late:
        stands.append(Standing(NOT_RECORDING, {"text": _since(known.newest_ms)}))
    return Row(_subject(known), tuple(stands), tuple(unknown))


def _since(newest_ms: int | None) -> str:
    if newest_ms is None:
        return "its folder has no recording"
    return f"nothing new since {rfc3339(newest_ms)}"


def _unsure(known: Known) -> Row:
    ours = known.answer.duty.ours
    return Row(_subject(known), (), (*reports.RETENTION, *(() if ours else (NOT_RECORDING,))))


def _subject(known: Known) -> str:
    return f"camera/{known.answer.duty.camera}"


def _gateway(passed: Passed) -> Row:
    stands = [*_clean_up(passed.clean_ups), *_unreadable(passed)]
    told, unknown = {each.fault for each in stands}, set()
    if not passed.cleaned:
        unknown |= {reports.CLEAN_UP_REFUSED, SHORTFALL}
    if not all(known.sure for known in passed.cameras):
        unknown.add(reports.UNREADABLE)
    return Row(GATEWAY, tuple(stands), tuple(sorted(unknown - told)))


def _clean_up(clean_ups: Sequence[CleanUp]) -> list[Standing]:
    stands = []
    refused = [
        {"camera": each.camera, "segments": each.segments, "of": each.of}
        for disk in clean_ups
        for each in disk.refused
    ]
    if refused:
        stands.append(Standing(reports.CLEAN_UP_REFUSED, {"cameras": refused}))
    full = [
        {"path": disk.path, "lacking_bytes": disk.lacking} for disk in clean_ups if disk.lacking
    ]
    if full:
        stands.append(Standing(SHORTFALL, {"disks": full}))
    return stands


def _unreadable(passed: Passed) -> list[Standing]:
    found: list[tuple[str, tuple[str, ...]]] = [
        (known.amiss, (known.answer.duty.camera,)) for known in passed.cameras if known.amiss
    ]
    found += [(disk.amiss, disk.cameras) for disk in passed.clean_ups if disk.amiss]
    if not found:
        return []
    names = list(dict.fromkeys(name for _text, names in found for name in names))
    return [Standing(reports.UNREADABLE, {"cameras": names, "text": found[0][0]})]


def _hanging(trouble: Trouble) -> Row:
    data = {"cameras": list(trouble.cameras), "text": trouble.text}
    unknown = tuple(fault for fault in _OURS if fault != reports.UNREADABLE)
    return Row(GATEWAY, (Standing(reports.UNREADABLE, data),), unknown)
