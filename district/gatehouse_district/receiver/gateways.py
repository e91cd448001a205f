"""The gateways as they stand: birth, end, heartbeat, faults, trials; beside what is stored."""

import sqlite3
from dataclasses import astuple
from typing import Any, Final

import msgspec

from gatehouse import events
from gatehouse.events import Event
from gatehouse.faults import family_of
from gatehouse_district.model import Presence
from gatehouse_district.receiver.alarms import TEXT_MOST, text
from gatehouse_district.receiver.heard import Heartbeat, Record, State
from gatehouse_district.receiver.lacking import before
from gatehouse_district.receiver.presence import HEARTBEAT_S, Life

FAULTS_MOST: Final = 500
"""Rows of faults of one gateway, ended ones too: 64 cameras have fewer."""
ROWS_MOST: Final = 64
"""Buttons, cameras, rows of retention."""
DATA_BYTES: Final = 20_000
"""Of a fault's or a trial's data; the event itself has all of it."""
_HEARTBEAT_S: Final = (1.0, 3600.0)
_RESULTS: Final = ("OK", "WARN", "FAIL")

_encode: Final = msgspec.json.Encoder().encode


def known(db: sqlite3.Connection, gateway: str) -> None:
    """Make sure that a gateway has its row."""
    db.execute("INSERT OR IGNORE INTO gateway (id) VALUES (?)", (gateway,))


def life(db: sqlite3.Connection, gateway: str) -> Life:
    """Return whether a gateway is there; it has its row."""
    row = db.execute(
        "SELECT presence, store, start, connection, stopped FROM gateway WHERE id = ?", (gateway,)
    ).fetchone()
    return Life(Presence(row[0]), *row[1:])


def lives(db: sqlite3.Connection, gateway: str, was: Life, now: Life, time: str) -> None:
    """Note whether a gateway is there now."""
    if now == was:
        return
    since = time if now.presence is not was.presence else None
    db.execute(
        "UPDATE gateway SET presence = ?, store = ?, start = ?, connection = ?, stopped = ?, "
        "since = coalesce(?, since) WHERE id = ?",
        (*astuple(now), since, gateway),
    )


def said(db: sqlite3.Connection, state: State, time: str) -> None:
    """Take a birth, an offline state or a will."""
    body = state.body
    was = life(db, state.gateway)
    store, start, connection = body["store"], body["start"], body.get("connection", 0)
    now = was.said(store, start, connection, online=state.online)
    lives(db, state.gateway, was, now, time)
    numbers = (now.store, now.start, now.connection)
    if state.online and numbers != (was.store, was.start, was.connection):
        _born(db, state.gateway, body)  # told once more by the broker, it is no news of faults


def _born(db: sqlite3.Connection, gateway: str, body: dict[str, Any]) -> None:
    beat = body.get("heartbeat_s")
    shortest, longest = _HEARTBEAT_S
    plain = isinstance(beat, int | float) and shortest <= beat <= longest
    heartbeat_s = float(beat) if plain and beat is not None else HEARTBEAT_S
    named = body.get("locations")
    places = {
        text(key): text(value)
        for key, value in list((named if isinstance(named, dict) else {}).items())[:ROWS_MOST]
    }
    db.execute(
        "UPDATE gateway SET school = ?, version = ?, buttons = ?, cameras = ?, locations = ?, "
        "heartbeat_s = ? WHERE id = ?",
        (
            text(body.get("school")),
            text(body.get("version")),
            _encode(_names(body.get("buttons"))).decode(),
            _encode(_names(body.get("cameras"))).decode(),
            _encode(places).decode(),
            heartbeat_s,
            gateway,
        ),
    )
    _stand(db, gateway, body.get("faults"))


def _names(said_: object) -> list[str]:
    return [text(each) for each in said_[:ROWS_MOST]] if isinstance(said_, list) else []


def _stand(db: sqlite3.Connection, gateway: str, faults: object) -> None:
    """Have exactly these faults stand; the numbers of what was told of them before stay."""
    if not isinstance(faults, list):
        return
    db.execute("UPDATE fault SET stands = 0 WHERE gateway = ?", (gateway,))
    for each in faults[:FAULTS_MOST]:
        if not isinstance(each, dict):
            continue
        data = {k: v for k, v in each.items() if k not in {"subject", "fault", "since"}}
        since = text(each.get("since")) or None
        names = (text(each.get("subject")), text(each.get("fault")))
        db.execute(
            "INSERT INTO fault VALUES (?, ?, ?, 1, ?, ?, '', '') ON CONFLICT DO UPDATE SET "
            "stands = 1, since = excluded.since, data = excluded.data",
            (gateway, *names, since, _brief(data)),
        )


def fault(db: sqlite3.Connection, record: Record, time: str) -> None:
    """Begin or end a fault by its event, unless a newer event of the same fault came before."""
    event = record.event
    found = family_of(event.type)
    if found is None:
        return
    family, begins = found
    name = text(event.data.get("fault")) or family
    key = (record.gateway, event.subject[:TEXT_MOST], name)
    row = db.execute(
        "SELECT store, sequence FROM fault WHERE gateway = ? AND subject = ? AND fault = ?", key
    ).fetchone()
    if row is None:
        count = "SELECT count(*) FROM fault WHERE gateway = ?"
        if db.execute(count, (record.gateway,)).fetchone()[0] >= FAULTS_MOST:
            return
    elif row[0] and before((event.store, event.sequence), row):
        return
    data = _brief({k: v for k, v in event.data.items() if k != "fault"})
    db.execute(
        "INSERT INTO fault VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "stands = excluded.stands, since = excluded.since, data = excluded.data, "
        "store = excluded.store, sequence = excluded.sequence",
        (*key, begins, time, data, event.store, event.sequence),
    )


def _brief(data: dict[str, Any]) -> str:
    said_ = _encode(data)
    return said_.decode() if len(said_) <= DATA_BYTES else "{}"


def beat(db: sqlite3.Connection, heartbeat: Heartbeat, time: str) -> None:
    """Take a heartbeat."""
    body = heartbeat.body
    link = body.get("link")
    connection = link.get("connection") if isinstance(link, dict) else None
    was = life(db, heartbeat.gateway)
    plain = connection if type(connection) is int and 0 <= connection < 2**53 else None
    lives(db, heartbeat.gateway, was, was.beats(plain), time)
    clock, version = text(body.get("clock")), text(body.get("version"))
    rows = body.get("recordings")
    retention = _encode(_retention(rows)).decode() if isinstance(rows, list) else None
    db.execute(
        "UPDATE gateway SET heard = ?, clock = ?, version = iif(? = '', version, ?), "
        "retention = coalesce(?, retention) WHERE id = ?",
        (time, clock, version, version, retention, heartbeat.gateway),
    )


def _retention(rows: list[Any]) -> list[dict[str, Any]]:
    """Return what of the rows can be shown."""
    read = []
    for row in rows[:ROWS_MOST]:
        if not isinstance(row, dict):
            continue
        days = {key: _days(row.get(key)) for key in ("required_days", "proven_days")}
        if days["required_days"] is None:
            continue
        words = {key: text(row.get(key)) for key in ("camera", "area", "verdict")}
        read.append({**words, **days})
    return read


def _days(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value < 1e6 else None


def silent(db: sqlite3.Connection, gateway: str, time: str) -> None:
    """Note that heartbeats have failed."""
    was = life(db, gateway)
    lives(db, gateway, was, was.falls_silent(), time)


def stopped(db: sqlite3.Connection, record: Record, time: str) -> None:
    """Note that a start of the service ended in order."""
    was = life(db, record.gateway)
    lives(db, record.gateway, was, was.stops(record.event.store, record.event.start), time)


def tried(db: sqlite3.Connection, record: Record, time: str) -> None:
    """Keep the newest report of a walk test or a self-test."""
    event = record.event
    if event.data.get("trial") is True:
        return  # the test event of a self-test
    column = "walktest" if event.type == events.WALKTEST_REPORT else "selftest"
    held = db.execute(f"SELECT {column} FROM gateway WHERE id = ?", (record.gateway,)).fetchone()  # noqa: S608  # one of two words
    if held[0] is not None:
        old = msgspec.json.decode(held[0])
        if before((event.store, event.sequence), (old["store"], old["sequence"])):
            return
    data = event.data if len(_encode(event.data)) <= DATA_BYTES else {}
    report = {"time": time, "result": result_of(event), "data": data}
    report |= {"store": event.store, "sequence": event.sequence}
    db.execute(
        f"UPDATE gateway SET {column} = ? WHERE id = ?",  # noqa: S608  # one of two words
        (_encode(report).decode(), record.gateway),
    )


def result_of(event: Event) -> str:
    """Return ``OK``, ``WARN`` or ``FAIL`` as a report says, or as its buttons do."""
    said_, rows = event.data.get("result"), event.data.get("buttons")
    if isinstance(said_, str) and said_ in _RESULTS:
        return said_
    each = rows if isinstance(rows, list) else []
    results = [row.get("result") for row in each if isinstance(row, dict)]
    if results and all(result == "OK" for result in results):
        return "OK"
    return "WARN" if results and "FAIL" not in results else "FAIL"
