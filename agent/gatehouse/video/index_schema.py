"""What lies in the index of recordings: its tables, and their rows as others see them.

It holds nothing that is not on the disk, but for what was told (`told`) and when each camera's
recordings first began; without it, or damaged, it is made anew by a scan. What must hold:

* `segment` has a row for each file that a name calls a recording; ``end_ms`` is null until the file
  itself was measured, and is then taken to be the next one's beginning, where that is near;
* `run` is what merging the segments of a camera gives, and `day` what adding them up gives, except
  within the camera's ``dirty`` range, which the next settling brings in order;
* rows change together with the dirty range, in one transaction.
"""

from enum import IntFlag
from typing import Final, NamedTuple

VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE camera (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    root TEXT NOT NULL,
    scanned_ms INTEGER,
    first_ms INTEGER,
    usual_ms INTEGER,
    longest_ms INTEGER NOT NULL DEFAULT 0,
    dirty_from INTEGER,
    dirty_to INTEGER,
    amiss TEXT
);
CREATE TABLE folder (
    id INTEGER PRIMARY KEY,
    camera INTEGER NOT NULL,
    path TEXT NOT NULL,
    mtime_ns INTEGER NOT NULL DEFAULT -1,
    unknown INTEGER NOT NULL DEFAULT 0,
    UNIQUE (camera, path)
);
CREATE INDEX folder_by_change ON folder (camera, mtime_ns);
CREATE TABLE segment (
    camera INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    folder INTEGER NOT NULL,
    name TEXT NOT NULL,
    end_ms INTEGER,
    size INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    PRIMARY KEY (camera, start_ms, folder, name)
) WITHOUT ROWID;
CREATE INDEX segment_by_name ON segment (folder, name);
CREATE INDEX segment_open ON segment (camera) WHERE flags & 16;
CREATE TABLE run (
    camera INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
    PRIMARY KEY (camera, from_ms)
) WITHOUT ROWID;
CREATE TABLE day (
    camera INTEGER NOT NULL, day_ms INTEGER NOT NULL,
    segments INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (camera, day_ms)
) WITHOUT ROWID;
CREATE TABLE intent (
    camera INTEGER NOT NULL, start_ms INTEGER NOT NULL, folder INTEGER NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (camera, start_ms, folder, name)
) WITHOUT ROWID;
CREATE TABLE told (
    camera INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
    PRIMARY KEY (camera, from_ms, to_ms)
) WITHOUT ROWID;
"""


class Flag(IntFlag):
    """What is known of a segment besides its times."""

    EMPTY = 1
    """It has no byte."""
    DAMAGED = 2
    """No picture in it can be shown."""
    CUT = 4
    """Bytes were lost behind its last whole packet."""
    TIME = 8
    """Its name's time and the file's own do not agree: a clock stepped, or it was copied."""
    OPEN = 16
    """It was being written when it was looked at last. (The index above knows the number.)"""


class Segment(NamedTuple):
    """One recording, by its place in a camera's folder."""

    start_ms: int
    folder: int
    name: str
    end_ms: int | None
    size: int
    flags: int

    @property
    def key(self) -> tuple[int, int, str]:
        """What no other segment of the camera has."""
        return self.start_ms, self.folder, self.name


class Camera(NamedTuple):
    """One camera as the index knows it."""

    id: int
    name: str
    root: str
    scanned_ms: int | None
    """When its folder was first known wholly; None while that is not yet."""
    first_ms: int | None
    """When the first recording began that was ever seen, whether it is still there or not."""
    usual_ms: int | None
    longest_ms: int
    dirty_from: int | None
    dirty_to: int | None
    amiss: str | None
    """Why its folder cannot be read."""


class Folder(NamedTuple):
    """One folder below a camera's; ``mtime_ns`` is -1 while it may have changed unseen."""

    id: int
    path: str
    mtime_ns: int
    unknown: int
