"""Examples of what is said besides events. Pure."""

from typing import Any

import msgspec

from gatehouse.contract import messages
from gatehouse.contract_files.examples import (
    ALARM,
    BOOTID,
    COMMAND,
    GATEWAY,
    SHA256,
    STORE,
    TIME,
    all_events,
)
from gatehouse.evidence.manifest import CLIP, PICTURE, READY, Item, Lacking, Manifest

Json = dict[str, Any]


def all_messages() -> dict[str, list[Json]]:
    """Return examples of each message, by its name."""
    said: dict[str, list[msgspec.Struct]] = {
        "birth": [_birth()],
        "offline": [messages.Offline(store=STORE, start=7, connection=3)],
        "heartbeat": [_heartbeat()],
        "reply": [
            messages.Reply(id=COMMAND, ok=True),
            messages.Reply(id=COMMAND, ok=False, reason="expired"),
        ],
        "receipt": [messages.Receipt([ALARM])],
        "command": list(_commands()),
        "evidence-manifest": [_manifest()],
    }
    return {name: [_without_none(name, each) for each in some] for name, some in said.items()}


def _without_none(name: str, message: msgspec.Struct) -> Json:
    """Return a message as it is sent; a command leaves out what it does not need."""
    said: Json = msgspec.json.decode(msgspec.json.encode(message))
    return {k: v for k, v in said.items() if v is not None} if name == "command" else said


def _standing() -> Json:
    since = "2026-11-23T07:58:00.000000Z"
    return {"subject": "camera/gate", "fault": "covered", "since": since}


def _birth() -> messages.Birth:
    return messages.Birth(
        store=STORE,
        start=7,
        connection=3,
        bootid=BOOTID,
        version="0.1.0",
        started="2026-11-23T06:00:00.000000Z",
        buttons=("gate", "office"),
        cameras=("gate",),
        faults=(_standing(),),
        school="实验小学",
        locations={"gate": "南门门卫室", "office": "教务处"},
    )


def _heartbeat() -> messages.Heartbeat:
    none = messages.Latency(n=0, p50=None, p99=None, max=None)
    one = messages.Latency(n=1, p50=1.1, p99=1.1, max=1.1)
    return messages.Heartbeat(
        time=TIME,
        gateway=GATEWAY,
        version="0.1.0",
        bootid=BOOTID,
        clock="synced",
        uptime_s=7200.1,
        link=messages.Link(
            state="connected",
            broker="mqtts://a.example:8883",
            since="2026-11-23T06:00:01.000000Z",
            connection=3,
            error=None,
        ),
        outbox=messages.Waiting(pending=0, pending_alarms=0, oldest_s=0.0, bytes=17_039_360),
        latency_ms=messages.Latencies(stored=one, sent=one, received=none),
        faults=[_standing()],
        buttons=[
            messages.ButtonNow(
                name="gate", location="南门门卫室", line="normal", alarm="idle", last_alarm=None
            )
        ],
        machine=messages.Machine(
            load=[0.1, 0.2, 0.2],
            memory_percent=31.0,
            rss_bytes=44_000_000,
            disk_free_bytes=21_000_000_000,
            disk_percent=28.1,
        ),
        health={"disk": "OK", "power": "OK", "memory": "OK", "certificates": "OK"},
        recordings=[
            messages.RetentionRow(
                camera="gate", area="critical", required_days=90, proven_days=61.25, verdict="short"
            )
        ],
    )


def _commands() -> tuple[messages.Command, ...]:
    until = "2026-11-23T08:05:00Z"
    return (
        messages.Command(id=COMMAND, expires=until, command="acknowledge", alarm=ALARM, by="李"),
        messages.Command(id=COMMAND, expires=until, command="selftest"),
        messages.Command(id=COMMAND, expires=until, command="snapshot", camera="gate"),
        messages.Command(id=COMMAND, expires=until, command="release-evidence", alarm=ALARM),
    )


def _manifest() -> Manifest:
    return Manifest(
        alarm=ALARM,
        gateway=GATEWAY,
        school="实验小学",
        state=READY,
        event=all_events()[0],
        event_sha256=SHA256,
        begins="2026-11-23T07:59:30.123456Z",
        ends="2026-11-23T08:01:00.123456Z",
        cameras=("gate", "hall"),
        items=(
            _item("01-gate.jpg", PICTURE, bytes_=48_211, ends=TIME, number=1, source="eye"),
            _item("clip-gate.mp4", CLIP, bytes_=22_482_113, ends="2026-11-23T08:01:00Z"),
        ),
        lacking=(Lacking(camera="hall", kind=CLIP, why="no-recording"),),
    )


def _item(
    file: str, kind: str, *, bytes_: int, ends: str, number: int | None = None, source: str = "ring"
) -> Item:
    return Item(
        file=file,
        kind=kind,
        camera="gate",
        sha256=SHA256,
        bytes=bytes_,
        begins=TIME if kind == PICTURE else "2026-11-23T07:59:30Z",
        ends=ends,
        clock="synced",
        number=number,
        source=source,
    )
