"""A table of rows that many look at: each sees what changed since it last looked. Pure.

A reader keeps one number, however slow it is: what changed ten times meanwhile it gets once.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

_GONE: Final = 2_000
"""Rows whose end is remembered; who is further behind gets the whole table."""


@dataclass(slots=True)
class Row(Generic[T]):
    """One row, and since which version it is so."""

    id: str
    item: T
    version: int
    drawn: dict[Any, str] = field(default_factory=dict)
    """How it looks, for each kind of reader: drawn once for all of them."""


class Table(Generic[T]):
    """Rows by id."""

    def __init__(self, gone: int = _GONE) -> None:
        self.version = 0
        self._rows: dict[str, Row[T]] = {}
        self._gone: deque[tuple[int, str]] = deque(maxlen=gone)
        self._forgotten = 0
        """The version up to which ends are not remembered any more."""

    def __iter__(self) -> Iterator[Row[T]]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, id_: str) -> Row[T] | None:
        """Return one row."""
        return self._rows.get(id_)

    def update(self, items: Mapping[str, T]) -> bool:
        """Take what the rows are now; return whether anything changed."""
        version = self.version + 1
        changed = {
            id_: Row(id_, item, version)
            for id_, item in items.items()
            if (old := self._rows.get(id_)) is None or old.item != item
        }
        ended = [id_ for id_ in self._rows if id_ not in items]
        if not changed and not ended:
            return False
        for id_ in ended:
            del self._rows[id_]
            if len(self._gone) == self._gone.maxlen:
                self._forgotten = self._gone[0][0]
            self._gone.append((version, id_))
        # A changed row goes to the end: rows stand in the order of their versions.
        for id_, row in changed.items():
            self._rows.pop(id_, None)
            self._rows[id_] = row
        self.version = version
        return True

    def since(self, version: int) -> tuple[list[Row[T]], list[str]] | None:
        """Return what is new, oldest first, and which rows went; None: look at all anew."""
        if version < self._forgotten or version > self.version:
            return None
        changed: list[Row[T]] = []
        for row in reversed(self._rows.values()):
            if row.version <= version:
                break
            changed.append(row)
        changed.reverse()
        gone = {id_ for at, id_ in self._gone if at > version and id_ not in self._rows}
        return changed, sorted(gone)
