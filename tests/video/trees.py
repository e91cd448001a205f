"""Trees of recordings under test, and the index that follows them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from gatehouse.video.index import Index
from gatehouse.video.layout import own_path
from gatehouse.video.retention import Span
from gatehouse.video.scan import Scanner
from gatehouse_sim.recordings import Hole, film

NOW = round(datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp() * 1000)
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
HOLES = (
    Hole(2 * DAY, 20 * MINUTE),
    Hole(30 * HOUR, 30 * SECOND),
    Hole(5 * HOUR + 20 * SECOND, 310 * SECOND),
)


@dataclass
class Followed:
    """One camera's folder, its index and the scanner between them."""

    folder: Path
    zone: tzinfo = UTC
    now_ms: int = NOW
    camera: str = "gate"
    at_s: float = 0.0
    index: Index = field(init=False)
    scanner: Scanner = field(init=False)

    def __post_init__(self) -> None:
        """Open the index beside the folder."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.index = Index(self.folder / "state" / "recordings.db")
        self.open()

    def open(self) -> None:
        """Begin as after a start of the service."""
        self.scanner = Scanner(
            self.index,
            self.camera,
            self.root,
            self.zone,
            lambda: self.now_ms * 1_000_000,
            lambda: self.at_s,
        )

    @property
    def root(self) -> Path:
        """The camera's folder."""
        return self.folder / "recordings" / self.camera

    @property
    def id(self) -> int:
        """The camera's number."""
        camera = self.index.camera(self.camera)
        assert camera is not None
        return camera.id

    def look(self, *, whole: bool = False) -> int:
        """Make one pass; returns how many segments were new."""
        return max((progress.segments for progress in self.scanner.look(whole=whole)), default=0)

    def runs(self) -> list[Span]:
        """Return the stretches, the oldest first."""
        return list(self.index.runs(self.id))[::-1]

    def names(self) -> set[str]:
        """Return the paths of all segments."""
        return {self.index.path_of(row) for row in list(self.index.segments(self.id))}

    def put(self, start_ms: int, length_ms: int = MINUTE, data: bytes | None = None) -> Path:
        """Record one segment in our own layout."""
        path = self.root / own_path(start_ms)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(film(length_ms) if data is None else data)
        return path

    def row(self, start_ms: int) -> tuple[int | None, int]:
        """Return end and flags of the segment that begins then."""
        (row,) = list(self.index.segments(self.id, start_ms, start_ms))
        return row.end_ms, row.flags


def rebuilt(followed: Followed, folder: Path) -> Followed:
    """Return the same camera as an index made anew tells of it."""
    anew = Followed(folder, followed.zone, followed.now_ms, followed.camera)
    anew.scanner.root = followed.root
    anew.look()
    while anew.scanner.check_some(1000):
        pass
    return anew


def joined(spans: Iterable[tuple[int, int]]) -> list[Span]:
    """Join stretches by the plainest means: what `merge` is held against."""
    result: list[Span] = []
    for begin, end in sorted(spans):
        if end <= begin:
            continue
        if result and begin <= result[-1].to_ms + 1000:
            result[-1] = Span(result[-1].from_ms, max(result[-1].to_ms, end))
        else:
            result.append(Span(begin, end))
    return result
