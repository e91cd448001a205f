"""Bundles of evidence as the video service leaves them, made of real files."""

import hashlib
import json
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from gatehouse.evidence import manifest as manifests
from gatehouse.evidence.manifest import CLIP, PICTURE, READY, Held, Item, Lacking, Manifest

ALARM: Final = "019ac1f0-0000-7000-8000-00000000a1b2"
OTHER: Final = "019ac1f0-0000-7000-8000-00000000c3d4"
PRESSED: Final = datetime(2026, 11, 26, 5, 22, 11, 123456, UTC)
JPEG: Final = b"\xff\xd8\xff\xe0"
_FILM: Final = "testsrc=size=320x180:rate=10:duration={seconds}"


def rfc3339(when: datetime) -> str:
    """Write a time as a manifest has it."""
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")


def film(path: Path, seconds: float) -> None:
    """Make a film that a browser plays."""
    source = _FILM.format(seconds=seconds)
    _ffmpeg("-f", "lavfi", "-i", source, "-c:v", "libx264", "-pix_fmt", "yuv420p", str(path))


def photo(path: Path, at_s: float) -> None:
    """Make a picture that a browser shows."""
    source = _FILM.format(seconds=at_s + 1)
    _ffmpeg("-f", "lavfi", "-i", source, "-ss", str(at_s), "-frames:v", "1", str(path))


def _ffmpeg(*words: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *words], check=True, timeout=60)


@dataclass
class Builder:
    """Makes one bundle, file by file."""

    root: Path
    alarm: str = ALARM
    state: str = READY
    school: str = "实验小学"
    location: str = "南门门卫室"
    items: list[Item] = field(default_factory=list)
    lacking: list[Lacking] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.root / self.alarm

    @property
    def event(self) -> dict[str, Any]:
        """The alarm's event."""
        return {
            "specversion": "1.0",
            "id": self.alarm,
            "source": "/gatehouse/qd-sn-0042",
            "type": "gatehouse.alarm.raised",
            "subject": "button/gate",
            "time": rfc3339(PRESSED),
            "datacontenttype": "application/json",
            "store": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "sequence": "00000007.0000000042",
            "bootid": "6ba7b810-9dad-11d1-80b4-00c04fd430c9",
            "monotonic": "123456789012",
            "clock": "synced",
            "mode": "real",
            "data": {"location": self.location, "held_at_start": False},
        }

    def add(
        self,
        name: str,
        *,
        kind: str = PICTURE,
        camera: str = "gate",
        after_s: float = 0.0,
        length_s: float = 0.0,
        number: int | None = None,
        body: bytes | None = None,
        clock: str = "synced",
    ) -> Path:
        """Add a file; one that is not given its bytes is there already."""
        path = self.folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        if body is not None:
            path.write_bytes(body)
        there = path.read_bytes()
        begins = PRESSED + timedelta(seconds=after_s)
        self.items.append(
            Item(
                file=name,
                kind=kind,
                camera=camera,
                sha256=hashlib.sha256(there).hexdigest(),
                bytes=len(there),
                begins=rfc3339(begins),
                ends=rfc3339(begins + timedelta(seconds=length_s)),
                clock=clock,
                number=number,
                source="recorder" if kind == CLIP else "eye",
            )
        )
        return path

    def write(self) -> Manifest:
        """Write the manifest."""
        event = self.event
        manifest = Manifest(
            alarm=self.alarm,
            gateway="qd-sn-0042",
            school=self.school,
            state=self.state,
            event=event,
            event_sha256=hashlib.sha256(msgspec.json.encode(event)).hexdigest(),
            begins=rfc3339(PRESSED - timedelta(seconds=30)),
            ends=rfc3339(PRESSED + timedelta(seconds=60)),
            cameras=("gate", "yard"),
            items=tuple(self.items),
            lacking=tuple(self.lacking),
            held=tuple(self.held),
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / manifests.NAME).write_bytes(manifests.write(manifest))
        return manifest

    def release(self, by: str = "王", via: str = "site") -> None:
        """Let it go."""
        said = {"alarm": self.alarm, "by": by, "via": via, "at": rfc3339(PRESSED)}
        (self.folder / "released.json").write_text(json.dumps(said), encoding="utf-8")

    def ready(self) -> dict[str, Any]:
        """Return the event that told the district of it, as the log has it."""
        body = (self.folder / manifests.NAME).read_bytes()
        data = {"alarm": self.alarm, "manifest_sha256": hashlib.sha256(body).hexdigest()}
        return {"type": "gatehouse.evidence.ready", "id": "ready", "data": data}

    def log(self) -> list[dict[str, Any]]:
        """Return what the alarm service's log tells of it."""
        return [{**self.event, "pending": False, "received_s": 0.1}, self.ready()]


def small(root: Path, alarm: str = ALARM, **more: Any) -> Builder:
    """Make a bundle of small files: two pictures of one camera, one recording, one lacking."""
    builder = Builder(root, alarm, **more)
    builder.add("01-gate.jpg", after_s=0.2, body=JPEG + b"one")
    builder.add("01-gate.small.jpg", after_s=0.2, number=1, body=JPEG + b"1")
    builder.add("02-gate.jpg", after_s=2.2, body=JPEG + b"two", clock="unsynced")
    builder.add("02-gate.small.jpg", after_s=2.2, number=2, body=JPEG + b"2", clock="unsynced")
    builder.add("clip-gate.mp4", kind=CLIP, after_s=-30.0, length_s=90.0, body=b"film" * 5000)
    builder.lacking.append(
        Lacking(
            camera="yard",
            kind=PICTURE,
            why="no-picture",
            since=rfc3339(PRESSED - timedelta(hours=2)),
            text="no route to host",
        )
    )
    builder.write()
    return builder
