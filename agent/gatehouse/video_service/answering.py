"""What the index and the disks come to, at the end of a pass."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gatehouse.config import Camera, Retention
from gatehouse.control.reports import MOST_TOLD, Told
from gatehouse.video.answers import Answer, answers, untold_gaps
from gatehouse.video.index import Index
from gatehouse.video.index_schema import Camera as Row
from gatehouse.video.retention import DAY_MS, Disk
from gatehouse.video.scan import Progress
from gatehouse.video_service.following import Followed, Place
from gatehouse.video_service.recordings_rows import CleanUp, Known, Passed, Room, duty_of, gap_told

_LATE_MS: Final = 300_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a pass is made for."""

    cameras: tuple[Camera, ...]
    retention: Retention
    received: frozenset[str] = frozenset()
    """Keys of happenings that the alarm service has."""
    forecasts: frozenset[str] = frozenset()
    """Cameras whose verdict is a forecast."""

    @property
    def gap_ms(self) -> int:
        """From which length on a hole is a gap."""
        return round(self.retention.gap_seconds * 1000)


@dataclass(frozen=True, slots=True)
class Answering:
    """Draws the answers of one pass. Raises RecordingsError when the index fails."""

    index: Index
    asked: Asked
    now_ms: int
    followed: Mapping[str, Followed]
    places: Mapping[str, Place]

    def passed(
        self,
        clean_ups: Sequence[CleanUp],
        deletions: Sequence[tuple[int, Told]],
        scanning: Progress | None,
    ) -> Passed:
        """Return all that the pass found; of what is to be told, the oldest."""
        told = sorted([*deletions, *self._gaps()], key=lambda each: each[0])
        rooms = {str(each.disk): each.room for each in self.places.values() if each.room}
        answered = self._answers(rooms)
        cleaned = {each.path for each in clean_ups}
        return Passed(
            cameras=tuple(map(self._known, answered)),
            disks=tuple(_room(path, room, answered) for path, room in rooms.items()),
            clean_ups=tuple(clean_ups),
            cleaned=all(str(each.disk) in cleaned for each in self.places.values()),
            told=tuple(happening for _at, happening in told[:MOST_TOLD]),
            scanning=scanning,
        )

    def _answers(self, rooms: Mapping[str, Disk]) -> list[Answer]:
        """Answer for all cameras; what the index knows from before the start may be old."""
        duties = [
            duty_of(each.camera, self.asked.retention, _disk_name(self.places[name]))
            for name, each in self.followed.items()
        ]
        found = answers(
            self.index,
            duties,
            rooms,
            now_ms=self.now_ms,
            gap_ms=self.asked.gap_ms,
            standing=self.asked.forecasts,
        )
        return [
            answer if self._is_sure(answer) else replace(answer, verdict="unknown")
            for answer in found
        ]

    def _is_sure(self, answer: Answer) -> bool:
        """Whether its folder was read, and for a forecast those that share its disk."""
        if not self.followed[answer.duty.camera].known:
            return False
        disk = self.places[answer.duty.camera].disk
        return answer.verdict == "short" or all(
            each.tried for name, each in self.followed.items() if self.places[name].disk == disk
        )

    def _known(self, answer: Answer) -> Known:
        name = answer.duty.camera
        place, row = self.places[name], self.index.camera(name)
        amiss = place.amiss or answer.amiss
        if row is None or amiss or not self._is_sure(answer):
            return Known(answer, amiss=None if place.awaited else amiss)
        age_ms = None if row.first_ms is None else self.now_ms - row.first_ms
        newest = self.index.run_over(row.id, self.now_ms)
        newest_ms = None if newest is None else newest.to_ms
        return Known(
            answer,
            sure=True,
            young=age_ms is not None and age_ms < answer.duty.days * DAY_MS,
            late=None if answer.duty.ours else self._is_late(row, newest_ms),
            newest_ms=newest_ms,
        )

    def _is_late(self, row: Row, newest_ms: int | None) -> bool:
        """Whether another recorder has brought nothing for too long.

        Many show a recording only when it is done: it may be as long as its recordings usually are.
        """
        since_ms = row.scanned_ms if newest_ms is None else newest_ms
        patience_ms = (row.usual_ms or 0) + max(self.asked.gap_ms, _LATE_MS)
        return since_ms is not None and self.now_ms - since_ms > patience_ms

    def _gaps(self) -> Iterator[tuple[int, Told]]:
        """Yield the gaps to be told, each with the time at which it ended."""
        for name, each in self.followed.items():
            row = self.index.camera(name) if each.known else None
            for gap in [] if row is None else untold_gaps(self.index, row, self.asked.gap_ms):
                yield gap.to_ms, gap_told(name, gap)


def _disk_name(place: Place) -> str:
    return "" if place.disk is None else str(place.disk)


def _room(path: str, room: Disk, answered: Sequence[Answer]) -> Room:
    left = next((each.days_left for each in answered if each.duty.disk == path), None)
    percent = room.free / room.total * 100 if room.total else 0.0
    return Room(path, percent, room.min_free_percent, left)
