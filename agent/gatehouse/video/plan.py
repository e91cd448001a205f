"""What clean-up deletes on one disk, and why. Pure: it is carried out by `cleanup`.

Nothing goes while ``min_free_percent`` of the disk is free. Below that goes

1. what is past its floor, the furthest past first;
2. when only recordings under their floor are left, nothing more (`Plan.lacking`), or with
   ``on_full = "oldest"`` the oldest recordings of general areas, and those of critical ones only
   when no general recording is left that could go; each counted in `Plan.losses`.

Never: what overlaps a held range (evidence), the newest recording of a camera and what is dated
after it, and what another recorder keeps. A camera that would lose over half of its recordings at
once, by number or by bytes, loses none (`Plan.refused`): a clock that jumped, or a disk filled by
something else, looks like that. Its recordings count as left: critical ones do not go in their
stead.

A recording is past its floor only when ``gap_seconds`` more have passed: so the next one, across a
hole that breaks no proof, still reaches back to the floor.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Final, Literal, NamedTuple

from gatehouse.video.retention import Disk, Span

MOST: Final = 5000
"""Deletions of one plan; the next pass goes on."""

Area = Literal["critical", "general"]
Reason = Literal["past-floor", "under-floor"]


class Piece(NamedTuple):
    """One recording that could go."""

    camera: str
    start_ms: int
    end_ms: int
    size: int
    key: tuple[int, int, str]
    """What the index calls it."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept of one camera."""

    camera: str
    area: Area
    floor_ms: int
    segments: int
    bytes: int
    newest_ms: int
    """Beginning of the newest recording that is not in the future."""
    oldest_first: Callable[[], Iterable[Piece]]
    """Its recordings in order, as often as asked; asked only as far as needed."""
    held: Sequence[Span] = ()
    ours: bool = True
    """False: another recorder writes there (``record = false``); it is never touched."""


class Deletion(NamedTuple):
    """One recording that goes."""

    piece: Piece
    reason: Reason


@dataclass(frozen=True, slots=True)
class Loss:
    """Recordings of a camera that go, or must go, under their floor."""

    camera: str
    span: Span
    segments: int
    ms: int
    """How much recorded time that is."""
    bytes: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A camera that would have lost over half of its recordings."""

    camera: str
    segments: int
    of: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes, in this order, and what must be told."""

    deletions: tuple[Deletion, ...] = ()
    refused: tuple[Refusal, ...] = ()
    losses: tuple[Loss, ...] = ()
    shortfall: bool = False
    """Whether what is past its floor does not suffice."""
    lacking: int = 0
    """Bytes that are still wanted when all of this is gone."""


def plan(
    cameras: Sequence[Keeping],
    disk: Disk,
    *,
    now_ms: int,
    gap_ms: int,
    on_full: Literal["oldest", "stop"],
    most: int = MOST,
) -> Plan:
    """Make the plan for the cameras whose recordings lie on one disk."""
    wanted = disk.wanted - disk.free
    if wanted <= 0:
        return Plan()
    refused: dict[str, Refusal] = {}
    while True:
        made = _Planning(cameras, now_ms, gap_ms, frozenset(refused), most)
        made.fill(wanted, on_full)
        over = made.over_half()
        if not over:
            return made.result(tuple(refused.values()))
        refused |= {refusal.camera: refusal for refusal in over}


@dataclass(slots=True)
class _Tally:
    """What a camera loses so far."""

    segments: int = 0
    bytes: int = 0


class _Planning:
    """One attempt, without the cameras that were refused before."""

    def __init__(
        self,
        cameras: Sequence[Keeping],
        now_ms: int,
        gap_ms: int,
        refused: frozenset[str],
        most: int,
    ) -> None:
        self._now_ms = now_ms
        self._gap_ms = gap_ms
        self._most = most
        self._general_refused = any(
            each.camera in refused and each.area == "general" for each in cameras
        )
        self._cameras = [each for each in cameras if each.ours and each.camera not in refused]
        self._lost = {each.camera: _Tally() for each in self._cameras}
        self._losses: dict[str, Loss] = {}
        self._deletions: list[Deletion] = []
        self._lacking = 0
        self._shortfall = False

    def fill(self, wanted: int, on_full: str) -> None:
        """Take pieces until enough bytes are freed, or none may go any more."""
        self._lacking = wanted
        furthest = merge(*map(self._past, self._cameras))
        self._take((piece for _ahead, piece in furthest), "past-floor")
        self._shortfall = self._lacking > 0
        if on_full != "oldest":
            return
        self._take(self._under("general"), "under-floor")
        if not self._general_refused:
            self._take(self._under("critical"), "under-floor")

    def over_half(self) -> list[Refusal]:
        """Return the cameras that would lose over half of what they have."""
        return [
            Refusal(each.camera, lost.segments, each.segments)
            for each in self._cameras
            if (lost := self._lost[each.camera]).segments * 2 > each.segments
            or lost.bytes * 2 > each.bytes > 0
        ]

    def result(self, refused: tuple[Refusal, ...]) -> Plan:
        """Return what was found."""
        return Plan(
            tuple(self._deletions),
            refused,
            tuple(self._losses.values()),
            self._shortfall,
            max(0, self._lacking),
        )

    def _take(self, pieces: Iterable[Piece], reason: Reason) -> None:
        for piece in pieces if self._lacking > 0 else ():
            lost = self._lost[piece.camera]
            lost.segments += 1
            lost.bytes += piece.size
            self._lacking -= piece.size
            if len(self._deletions) < self._most:
                self._deletions.append(Deletion(piece, reason))
                if reason == "under-floor":
                    self._lose(piece)
            if self._lacking <= 0:
                return

    def _lose(self, piece: Piece) -> None:
        """Count a recording that goes before its time."""
        empty = Loss(piece.camera, Span(piece.start_ms, piece.start_ms), 0, 0, 0)
        old = self._losses.get(piece.camera, empty)
        self._losses[piece.camera] = Loss(
            piece.camera,
            Span(min(old.span.from_ms, piece.start_ms), max(old.span.to_ms, piece.end_ms)),
            old.segments + 1,
            old.ms + piece.end_ms - piece.start_ms,
            old.bytes + piece.size,
        )

    def _past(self, camera: Keeping) -> Iterator[tuple[int, Piece]]:
        """Yield what is past its floor, the furthest first, each with its place in that order."""
        edge = self._now_ms - camera.floor_ms - self._gap_ms
        for piece in self._free(camera):
            if piece.start_ms > edge:
                return
            if piece.end_ms <= edge:
                yield piece.start_ms - edge, piece

    def _under(self, area: Area) -> Iterator[Piece]:
        """Yield what is not past its floor, of all cameras of such an area, the oldest first."""
        streams = [self._not_past(each) for each in self._cameras if each.area == area]
        return (piece for _start, piece in merge(*streams))

    def _not_past(self, camera: Keeping) -> Iterator[tuple[int, Piece]]:
        edge = self._now_ms - camera.floor_ms - self._gap_ms
        for piece in self._free(camera):
            if piece.end_ms > edge:
                yield piece.start_ms, piece

    def _free(self, camera: Keeping) -> Iterator[Piece]:
        """Yield what is neither the newest nor held."""
        held = sorted(camera.held)
        for piece in camera.oldest_first():
            if piece.start_ms >= camera.newest_ms:
                return
            while held and held[0].to_ms < piece.start_ms:
                held.pop(0)
            if not any(
                span.from_ms <= max(piece.end_ms, piece.start_ms) and piece.start_ms <= span.to_ms
                for span in held
            ):
                yield piece


def by_camera(deletions: Iterable[Deletion]) -> dict[str, list[Piece]]:
    """Return the recordings that go of each camera, each in its order."""
    sorted_: dict[str, list[Piece]] = {}
    for deletion in deletions:
        sorted_.setdefault(deletion.piece.camera, []).append(deletion.piece)
    return sorted_
