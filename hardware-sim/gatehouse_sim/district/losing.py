"""Losing events from the district's disk, as one does who puts an old copy back."""

from collections.abc import Sequence
from itertools import groupby

from gatehouse import events
from gatehouse_district.receiver.heard import Record
from gatehouse_district.receiver.keeping import Keeper
from gatehouse_district.receiver.lacking import Number


def left(keeper: Keeper) -> list[tuple[Record, int]]:
    """Return every event on disk, with how often it came."""
    rows = keeper.db.execute(
        "SELECT gateway, topic, body, arrived_ns, arrived_unix_ns, odd, deliveries "
        "FROM event ORDER BY position"
    )
    return [
        (Record(gateway, topic, events.decode(body), body, mono, unix, odd), times)
        for gateway, topic, body, mono, unix, odd, times in rows
    ]


def lose(keeper: Keeper, ids: Sequence[str]) -> None:
    """Take these events off the disk; unknown ids change nothing."""
    for id_ in ids:
        for table in ("event", "alarm"):
            keeper.db.execute(f"DELETE FROM {table} WHERE id = ?", (id_,))  # noqa: S608  # one of two
    names = [row[0] for row in keeper.db.execute("SELECT id FROM gateway")]
    rows = sorted(left(keeper), key=lambda each: each[0].gateway)
    came = {
        gateway: [Number.of(record.event) for record, _ in group]
        for gateway, group in groupby(rows, key=lambda each: each[0].gateway)
    }
    for gateway in names:
        keeper.numbers.count_again(gateway, came.get(gateway, []))
