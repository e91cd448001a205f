"""What a gateway of the tests says, put straight to the keeper or over a broker."""

import itertools
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from gatehouse import events
from gatehouse.events import Event, Mode
from gatehouse.uplink.frames import Incoming
from gatehouse_district.model import Alarm, Gateway
from gatehouse_district.receiver import queries, schema
from gatehouse_district.receiver.judging import Heard, judge
from gatehouse_district.receiver.keeping import Keeper, Kept

GW: Final = "gw-1"
STORE: Final = "3b0c7f3e-8a39-4a53-9d64-0f6f5ad9a001"
SECOND: Final = 1_000_000_000
T0: Final = 1_790_000_000 * SECOND
BOOT: Final = "39bb3881-2985-48a4-bdf3-b74ef0ab9f92"


def event(type_: str = events.ALARM_RAISED, count: int = 1, **given: Any) -> Event:
    """Return an event; ``data`` and every field of the envelope may be given."""
    start = given.pop("start", 1)
    gateway = given.pop("gateway", GW)
    plain: dict[str, Any] = {
        "id": events.uuid7(T0 // 1_000_000, os.urandom(10)),
        "source": f"/gatehouse/{gateway}",
        "type": type_,
        "subject": "button/gate",
        "time": events.rfc3339(T0 + count * SECOND),
        "store": STORE,
        "sequence": f"{start:08d}.{count:010d}",
        "bootid": BOOT,
        "monotonic": str(count * SECOND),
        "clock": "synced",
        "mode": Mode.REAL,
        "data": {},
    }
    return Event(**plain | given)


def birth(start: int = 1, connection: int = 1, **given: Any) -> dict[str, Any]:
    """Return a birth."""
    plain = {"online": True, "store": STORE, "start": start, "connection": connection}
    more = {"bootid": BOOT, "version": "1", "started": events.rfc3339(T0), "school": "小学"}
    return plain | more | {"buttons": ["gate"], "cameras": ["yard"], "faults": []} | given


def will(start: int = 1, connection: int = 1, **given: Any) -> dict[str, Any]:
    """Return an offline state."""
    return {"online": False, "store": STORE, "start": start, "connection": connection} | given


class Desk:
    """A keeper on a file of its own, and how things stand in it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.keeper = Keeper(db)
        self._db = db
        self._clock = itertools.count(T0, SECOND)

    def hear(
        self, leaf: str, payload: bytes | dict[str, Any], gateway: str = GW
    ) -> Kept | Heard | None:
        """Judge and keep one message in a commit of its own."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        message = Incoming(f"gatehouse/v1/{gateway}/{leaf}", body)
        now_ns = next(self._clock)
        item = judge(message, retained=False, arrived_ns=now_ns, arrived_unix_ns=now_ns)
        if item is None or not hasattr(item, "arrived_unix_ns"):
            return item
        self._db.execute("BEGIN IMMEDIATE")
        kept = self.keeper.keep(item)  # type: ignore[arg-type]  # a reply has no such time
        self.keeper.finish()
        self._db.execute("COMMIT")
        return kept

    def say(self, *said: Event) -> None:
        """Have events come, in this order."""
        for each in said:
            gateway = each.source.removeprefix("/gatehouse/")
            self.hear("up/event", events.encode(each), gateway)

    def alarm(self, raised: Event) -> Alarm:
        """Return how an alarm stands."""
        found = queries.alarm(self._db, raised.id)
        assert found is not None
        return found

    def open(self) -> list[str]:
        """Return the ids of open alarms, the newest first."""
        found = queries.alarms(self._db, open_only=True, limit=1000, before=None)
        return [each.id for each in found]

    def practice(self) -> list[str]:
        """Return the ids of drills and tests that stand, the newest first."""
        return [each.id for each in queries.practice(self._db, limit=1000)]

    def alarms(self) -> list[Alarm]:
        """Return all alarms, the newest first."""
        return queries.alarms(self._db, open_only=False, limit=1000, before=None)

    def gateway(self, id_: str = GW) -> Gateway:
        """Return how a gateway stands."""
        (found,) = queries.gateways(self._db, id_)
        return found

    def faults(self) -> set[tuple[str, str]]:
        """Return subject and name of what stands at the gateway."""
        return {(each.subject, each.fault) for each in self.gateway().faults}

    def refusals(self) -> dict[str, int]:
        """Return how many messages were refused, by reason."""
        return queries.refusals(self._db)


@contextmanager
def desk(path: Path) -> Iterator[Desk]:
    """Open a desk on a file."""
    db = schema.open_for_writing(path)
    try:
        yield Desk(db)
    finally:
        db.close()
