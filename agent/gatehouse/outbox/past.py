"""Reads the whole log of a service that does not run, from its file."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from gatehouse.outbox.model import PastEvent
from gatehouse.outbox.reader import Reader
from gatehouse.outbox.sqlite import connect_wreck


def of_closed_file(path: Path, types: Sequence[str]) -> Iterator[PastEvent]:
    """Yield the events of these types in a file that no service has open. Raises OutboxError.

    An open reader would keep a starting service out of its own outbox, and that waits a second at
    most: so each step opens the file anew. The index that SQLite lays beside it is taken away.
    """
    index = path.with_name(path.name + "-shm")
    was_there = index.exists()
    try:
        after: int | None = 0
        while after is not None:
            with contextlib.closing(Reader(path, connect_wreck)) as reader:
                found, after = reader.history(types, after)
            yield from found
    finally:
        if not was_there:
            with contextlib.suppress(OSError):
                index.unlink(missing_ok=True)
