"""The tables of what stands: what a replay of all events would give.

Besides ``sent``, ``received`` and ``acknowledged`` of alarms, which come from outside.
"""

import json

from gatehouse import events
from gatehouse.events import Event, Mode
from gatehouse.faults import Fault, family_of
from gatehouse.outbox.model import StandingAlarm
from gatehouse.outbox.sqlite import Connection


def derive(db: Connection, event: Event, now_unix: float) -> None:
    """Change the tables as this event says."""
    match event.type:
        case events.ALARM_RAISED:
            button = event.subject.partition("/")[2]
            db.execute(
                "INSERT OR IGNORE INTO alarms (id, button, mode, raised_unix) VALUES (?, ?, ?, ?)",
                (event.id, button, str(event.mode), now_unix),
            )
        case events.ALARM_RELEASED:
            alarm = event.data.get("alarm")
            db.execute("UPDATE alarms SET released = 1 WHERE id = ?", (str(alarm),))
        case events.ALARM_RESET:
            _reset(db, event)
        case events.DRILL_STARTED | events.DRILL_ENDED:
            value = "1" if event.type == events.DRILL_STARTED else "0"
            db.execute("INSERT OR REPLACE INTO meta VALUES ('drill', ?)", (value,))
    _derive_fault(db, event)


def _reset(db: Connection, event: Event) -> None:
    ended = event.data.get("alarms")
    if not isinstance(ended, list):
        return
    db.executemany("UPDATE alarms SET reset = 1 WHERE id = ?", [(str(id_),) for id_ in ended])
    db.execute(
        "DELETE FROM alarms WHERE reset = 1 AND n NOT IN"
        " (SELECT max(n) FROM alarms GROUP BY button)"
    )


def _derive_fault(db: Connection, event: Event) -> None:
    family = family_of(event.type)
    if family is None:
        return
    name, begins = family
    fault = str(event.data.get("fault"))
    if not begins:
        db.execute(
            "DELETE FROM faults WHERE subject = ? AND fault = ?",
            (event.subject, fault),
        )
        return
    rest = {key: value for key, value in event.data.items() if key != "fault"}
    db.execute(
        "INSERT OR REPLACE INTO faults VALUES (?, ?, ?, ?, ?)",
        (event.subject, fault, name, event.time, json.dumps(rest, ensure_ascii=False)),
    )
    db.execute("DELETE FROM meta WHERE key = ?", (f"found:{fault}",))


def alarms(db: Connection) -> list[StandingAlarm]:
    """Return the alarms that stand and the newest of each button."""
    rows = db.execute(
        "SELECT id, button, mode, raised_unix, sent, received, acknowledged IS NOT NULL,"
        " released, reset FROM alarms WHERE reset = 0 OR n IN"
        " (SELECT max(n) FROM alarms GROUP BY button) ORDER BY n"
    )
    return [
        StandingAlarm(id_, button, Mode(mode), int(unix * 1e9), *map(bool, flags))
        for id_, button, mode, unix, *flags in rows
    ]


def faults(db: Connection) -> list[Fault]:
    """Return the faults that stood."""
    rows = db.execute("SELECT subject, fault, family, since, data FROM faults")
    return [Fault(s, fault, family, since, json.loads(d)) for s, fault, family, since, d in rows]
