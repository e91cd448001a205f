"""What is asked of the district's tables; each is carried out over an index."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from gatehouse.events import rfc3339
from gatehouse_district.model import (
    Alarm,
    Entry,
    Gateway,
    Picture,
    Presence,
    Retention,
    Stage,
    Standing,
    Tried,
)

_STAGES: Final = tuple(Stage)
_ALARMS: Final = """
SELECT alarm.id, alarm.gateway, coalesce(gateway.school, ''), button, location,
       coalesce(gateway.locations, '{{}}'), mode, time, alarm.clock, arrived, stage, presses,
       held_at_start, acknowledged_by, acknowledged, reset_by, reset_reason, reset,
       (SELECT count(*) FROM picture
        WHERE picture.alarm = alarm.id AND picture.gateway = alarm.gateway),
       evidence, odd, refused
FROM alarm {using} LEFT JOIN gateway ON gateway.id = alarm.gateway
"""
_ALARM: Final = _ALARMS.format(using="")
_STANDING: Final = _ALARMS.format(using="INDEXED BY alarm_of_button")
"""By the index of all that is not reset: few, where the table holds years."""
_GATEWAY: Final = """
SELECT id, school, presence, since, heard, version, clock, buttons, cameras, lacking, lacks,
       retention, walktest, selftest
FROM gateway
"""
_NEWEST: Final = " ORDER BY alarm.position DESC LIMIT ?"
_BEFORE: Final = "alarm.position < (SELECT position FROM alarm WHERE id = ?)"

_decode: Final = msgspec.json.decode


def alarms(
    db: sqlite3.Connection, *, open_only: bool, limit: int, before: str | None
) -> list[Alarm]:
    """Return alarms, the newest first."""
    where = ["stage < 3 AND mode = 'real'"] if open_only else []
    given: list[Any] = []
    if before is not None:
        where.append(_BEFORE)
        given.append(before)
    clause = f" WHERE {' AND '.join(where)}" if where else ""
    rows = db.execute(_ALARM + clause + _NEWEST, (*given, limit))
    return [_alarm(row) for row in rows]


def practice(db: sqlite3.Connection, *, limit: int) -> list[Alarm]:
    """Return drills and tests that are not reset, the newest first."""
    rows = db.execute(f"{_STANDING} WHERE stage < 3 AND mode <> 'real'{_NEWEST}", (limit,))
    return [_alarm(row) for row in rows]


def alarm(db: sqlite3.Connection, id_: str) -> Alarm | None:
    """Return one alarm."""
    row = db.execute(f"{_ALARM} WHERE alarm.id = ?", (id_,)).fetchone()
    return None if row is None else _alarm(row)


def _alarm(row: tuple[Any, ...]) -> Alarm:
    button, location = row[3], row[4] or _decode(row[5]).get(row[3], "")
    return Alarm(
        id=row[0],
        gateway=row[1],
        school=row[2],
        button=button,
        location=location,
        mode=row[6],
        time=row[7],
        clock=row[8],
        arrived=row[9],
        stage=_STAGES[row[10]],
        presses=row[11],
        held_at_start=bool(row[12]),
        acknowledged_by=row[13],
        acknowledged=row[14],
        reset_by=row[15],
        reset_reason=row[16],
        reset=row[17],
        pictures=row[18],
        evidence=bool(row[19]),
        odd=row[20],
        refused=row[21],
    )


def gateways(db: sqlite3.Connection, id_: str | None = None) -> list[Gateway]:
    """Return all gateways by id, or the one of that id."""
    only, given = ("", ()) if id_ is None else (" WHERE id = ?", (id_,))
    mine = only.replace("id", "gateway")
    faults: dict[str, list[Standing]] = {}
    where = f"{mine} AND stands" if mine else " WHERE stands"
    for gateway, subject, fault, since, data in db.execute(
        f"SELECT gateway, subject, fault, since, data FROM fault{where}",  # noqa: S608  # our own words
        given,
    ):
        faults.setdefault(gateway, []).append(Standing(subject, fault, since, _decode(data)))
    where = f"{mine} AND stage < 3" if mine else " WHERE stage < 3"
    standing = dict(
        db.execute(
            f"SELECT gateway, count(*) FROM alarm{where} AND mode = 'real' GROUP BY gateway",  # noqa: S608  # our own words
            given,
        ).fetchall()
    )
    rows = db.execute(f"{_GATEWAY}{only} ORDER BY id", given)
    return [
        Gateway(
            id=row[0],
            school=row[1],
            presence=Presence(row[2]),
            since=row[3],
            heard=row[4],
            version=row[5],
            clock=row[6],
            buttons=tuple(_decode(row[7])),
            cameras=tuple(_decode(row[8])),
            faults=tuple(faults.get(row[0], ())),
            lacking=row[9],
            lacks=tuple(_decode(row[10])),
            open_alarms=standing.get(row[0], 0),
            retention=tuple(Retention(**each) for each in _decode(row[11])),
            walktest=_tried(row[12]),
            selftest=_tried(row[13]),
        )
        for row in rows
    ]


def _tried(body: str | None) -> Tried | None:
    if body is None:
        return None
    said = _decode(body)
    return Tried(said["time"], said["result"], said["data"])


def events(
    db: sqlite3.Connection,
    *,
    gateway: str | None,
    type_: str | None,
    limit: int,
    before: int | None,
) -> list[Entry]:
    """Return events, the newest first."""
    statement, given = events_statement(gateway, type_, limit, before)
    return [
        Entry(row[0], row[1], rfc3339(row[2]), row[3], _decode(row[4]), row[5])
        for row in db.execute(statement, given)
    ]


def events_statement(
    gateway: str | None, type_: str | None, limit: int, before: int | None
) -> tuple[str, Sequence[Any]]:
    """Return the statement that asks for events, and its parameters."""
    asked = {"gateway = ?": gateway, "type = ?": type_, "position < ?": before}
    where = [clause for clause, value in asked.items() if value is not None]
    given = [value for value in asked.values() if value is not None]
    clause = f" WHERE {' AND '.join(where)}" if where else ""
    columns = "position, gateway, arrived_unix_ns, time, body, odd"
    statement = f"SELECT {columns} FROM event{clause} ORDER BY position DESC LIMIT ?"  # noqa: S608  # our own words
    return statement, (*given, limit)


def pictures(db: sqlite3.Connection, alarm_: str) -> list[Picture]:
    """Return what pictures came under an alarm's or a snapshot's id, by number."""
    rows = db.execute(
        "SELECT picture.alarm, picture.number, picture.arrived, size, sha256, "
        "coalesce(naming.camera, ''), naming.taken FROM picture "
        "LEFT JOIN naming ON naming.gateway = picture.gateway AND naming.alarm = picture.alarm "
        "AND naming.number = picture.number "
        "LEFT JOIN alarm ON alarm.id = picture.alarm "
        "WHERE picture.alarm = ? AND picture.gateway = coalesce(alarm.gateway, picture.gateway) "
        "ORDER BY picture.number",
        (alarm_,),
    )
    return [Picture(*row) for row in rows]


def picture(db: sqlite3.Connection, alarm_: str, number: int) -> bytes | None:
    """Return one JPEG."""
    row = db.execute(
        "SELECT body FROM picture LEFT JOIN alarm ON alarm.id = picture.alarm "
        "WHERE picture.alarm = ? AND number = ? "
        "AND picture.gateway = coalesce(alarm.gateway, picture.gateway)",
        (alarm_, number),
    ).fetchone()
    return None if row is None else bytes(row[0])


def refusals(db: sqlite3.Connection) -> dict[str, int]:
    """Return how many messages were refused, by reason."""
    return dict(db.execute("SELECT reason, count FROM refusal ORDER BY reason").fetchall())
