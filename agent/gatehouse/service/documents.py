"""The documents the service shows: status, birth and heartbeat (contract sections 3 and 5)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from gatehouse import __version__
from gatehouse.alarm.station import Station
from gatehouse.clock import Clock
from gatehouse.config.model import Config
from gatehouse.events import rfc3339
from gatehouse.faults import Fault, FaultBook
from gatehouse.outbox import Outbox
from gatehouse.service.brief import brief_faults
from gatehouse.service.health import Health
from gatehouse.service.latency import Latencies
from gatehouse.service.selftests import Selftests
from gatehouse.service.still_unproven import StillUnproven
from gatehouse.service.video_reports import VideoReports
from gatehouse.uplink import Birth, Uplink

_LOCATION_MOST: Final = 100
"""Characters of each button's location in the birth, which must stay within a message."""
_OWN: Final = frozenset({"subject", "fault", "since"})


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the documents are read from."""

    config: Config
    clock: Clock
    board: str
    station: Station
    outbox: Outbox
    uplink: Uplink
    faults: FaultBook
    latencies: Latencies
    video: VideoReports
    selftests: Selftests
    health: Health
    unproven: StillUnproven
    store: str
    start: int
    started_unix_ns: int
    started_ns: int


def buttons(rooms: Rooms) -> list[dict[str, Any]]:
    """Return the rows of ``buttons`` in the status."""
    return [
        {
            "name": name,
            "location": channel.config.location,
            "line": str(channel.line),
            "alarm": channel.alarms.stage.word if channel.alarms.stage is not None else "idle",
            "last_alarm": channel.last_alarm,
        }
        for name, channel in rooms.station.channels.items()
    ]


def fault(entry: Fault) -> dict[str, Any]:
    """Return one standing fault as status and birth show it."""
    details = {key: value for key, value in entry.data.items() if key not in _OWN}
    return {"subject": entry.subject, "fault": entry.fault, "since": entry.since, **details}


def link(rooms: Rooms) -> dict[str, Any]:
    """Return the state of the way to the district."""
    state = rooms.uplink.link
    return {
        "state": str(state.state),
        "broker": state.broker,
        "since": state.since,
        "connection": state.connection,
        "error": state.error,
    }


def birth(rooms: Rooms) -> Birth:
    """Return what the gateway says on connecting; the uplink adds the connection's number."""
    return Birth(
        store=rooms.store,
        start=rooms.start,
        bootid=rooms.clock.bootid,
        version=__version__,
        started=rfc3339(rooms.started_unix_ns),
        buttons=tuple(rooms.station.channels),
        cameras=tuple(camera.name for camera in rooms.config.cameras),
        faults=tuple(brief_faults([fault(entry) for entry in rooms.faults])),
        school=rooms.config.gateway.school,
        heartbeat_s=rooms.config.district.heartbeat_s,
        locations={
            name: channel.config.location[:_LOCATION_MOST]
            for name, channel in rooms.station.channels.items()
        },
    )


def outbox(rooms: Rooms) -> dict[str, Any]:
    """Return what waits for the district."""
    queue = rooms.outbox.pending
    oldest = queue.oldest_unix_ns
    now = rooms.clock.reading().unix_ns
    return {
        "pending": queue.pending,
        "pending_alarms": queue.pending_alarms,
        "oldest_s": 0.0 if oldest is None else round(max(0, now - oldest) / 1e9, 3),
        "bytes": rooms.outbox.size_bytes(),
    }


def status(rooms: Rooms) -> dict[str, Any]:
    """Return the document of ``gatehouse status --json``."""
    reading = rooms.clock.reading()
    return {
        "gateway": rooms.config.gateway.id,
        "school": rooms.config.gateway.school,
        "version": __version__,
        "board": rooms.board,
        "bootid": rooms.clock.bootid,
        "clock": "synced" if rooms.clock.synced() else "unsynced",
        "started": rfc3339(rooms.started_unix_ns),
        "uptime_s": round((reading.monotonic_ns - rooms.started_ns) / 1e9, 3),
        "buttons": buttons(rooms),
        "link": link(rooms),
        "outbox": outbox(rooms),
        "latency_ms": rooms.latencies.summary(),
        "faults": [fault(entry) for entry in rooms.faults],
        "drill": drill(rooms),
        "walktest": walktest(rooms),
        "video": rooms.video.status(),
        "pictures": asdict(rooms.uplink.pictures.counts),
        "unproven": rooms.unproven.rows(),
    }


def drill(rooms: Rooms) -> dict[str, Any] | None:
    """Return the buttons whose next press is a drill, or None."""
    left = rooms.station.drill_left_s()
    if left is None:
        return None
    names, seconds = left
    until = rooms.clock.reading().unix_ns + int(seconds * 1e9)
    return {"buttons": list(names), "seconds_left": round(seconds, 1), "until": rfc3339(until)}


def walktest(rooms: Rooms) -> dict[str, Any] | None:
    """Return the buttons whose next press is a test, or None without a walk test."""
    walk = rooms.station.walk
    if walk is None:
        return None
    left = max(0, walk.until_ns - rooms.clock.reading().monotonic_ns) / 1e9
    return {"buttons": list(walk.waiting), "seconds_left": round(left, 1)}


def heartbeat(rooms: Rooms, machine: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the telemetry body; ``machine`` is None when the machine could not be looked at."""
    full = status(rooms)
    kept = ("gateway", "version", "bootid", "clock", "uptime_s", "link", "outbox", "latency_ms")
    return {
        "time": rfc3339(rooms.clock.reading().unix_ns),
        **{key: full[key] for key in kept},
        "faults": brief_faults(full["faults"]),
        "buttons": full["buttons"],
        "machine": machine,
        "health": rooms.health.document(),
        "recordings": rooms.video.retention(),
    }
