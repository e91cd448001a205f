"""The configuration as the agent uses it: checked, complete, paths resolved. Contract section 2."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway itself."""

    id: str
    school: str
    language: Literal["zh_CN", "en"] | None
    state_dir: Path
    runtime_dir: Path


@dataclass(frozen=True, slots=True)
class Lamps:
    """Output pins (BCM numbers) of one button's lamps; None where there is none."""

    red: int | None = None
    yellow: int | None = None
    green: int | None = None


@dataclass(frozen=True, slots=True)
class Button:
    """One panic button and what belongs to it; pins are BCM numbers, times in ms."""

    name: str
    location: str
    pin: int
    loop: int | None = None
    latching: bool = False
    reset: int | None = None
    lamps: Lamps = Lamps()
    buzzer: int | None = None
    silent: bool = True
    relay: int | None = None
    cameras: tuple[str, ...] = ()
    filter_ms: int = 5
    debounce_ms: int = 50
    changeover_ms: int = 500


@dataclass(frozen=True, slots=True)
class Enclosure:
    """Optional inputs of the box, closed to ground = well."""

    tamper: int | None = None
    mains: int | None = None


@dataclass(frozen=True, slots=True)
class Broker:
    """One broker of the district."""

    url: str
    host: str
    port: int
    tls: bool


@dataclass(frozen=True, slots=True)
class District:
    """Where alarms go; the three files are None unless a broker speaks TLS."""

    brokers: tuple[Broker, ...]
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    receipts: bool = True
    heartbeat_s: float = 20.0
    enrol: str | None = None
    """Where the next certificate is asked for: ``https://host:port``."""
    named_key: Path | None = None
    """The key's file, where `key` is what systemd handed over when the process began."""
    renewed: Path | None = None
    """The folder of certificates that the gateway renewed by itself (config/pairs.py)."""


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera, what it sees and where its recordings lie; None: nothing is recorded."""

    name: str
    source: str
    area: Literal["critical", "general"]
    covers: tuple[str, ...] = ()
    credential: Path | None = None
    recordings: Path | None = None
    record: bool = True
    min_lines: int | None = None
    """The fewest lines of its picture; None: what its area asks for."""
    onvif_port: int | None = None
    """Where it speaks ONVIF; None: where ONVIF usually is."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long recordings stay; days, percent of the disk, and seconds."""

    general_days: int = 30
    critical_days: int = 90
    min_free_percent: float = 5.0
    gap_seconds: float = 300.0
    on_full: Literal["oldest", "stop"] = "oldest"


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much room what is kept around alarms may take, in MB of a million bytes."""

    max_mb: int = 4000


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file; ``text`` is what it was read from, to be kept as the last good copy."""

    path: Path
    gateway: Gateway
    buttons: tuple[Button, ...]
    district: District
    enclosure: Enclosure = Enclosure()
    cameras: tuple[Camera, ...] = ()
    retention: Retention = Retention()
    evidence: Evidence = Evidence()
    text: str = field(default="", repr=False, compare=False)
