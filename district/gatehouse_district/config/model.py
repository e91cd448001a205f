"""The configuration as the district's programs use it: checked, complete, paths resolved."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class District:
    """The district itself."""

    name: str
    language: Literal["zh_CN", "en"] | None
    state_dir: Path
    runtime_dir: Path

    @property
    def database(self) -> Path:
        """Where events, alarms and pictures are."""
        return self.state_dir / "district.db"

    @property
    def socket(self) -> Path:
        """Where the running service is asked."""
        return self.runtime_dir / "district.sock"


@dataclass(frozen=True, slots=True)
class Broker:
    """The broker that the gateways speak to; the files are None without TLS."""

    url: str
    host: str
    port: int
    tls: bool
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the page is served; without certificate by plain HTTP, to this machine alone."""

    address: IPv4Address | IPv6Address
    port: int
    names: tuple[str, ...]
    """Under which names browsers may come."""
    cert: Path | None = None
    key: Path | None = None
    help: tuple[str, ...] = ()
    """Lines for people: whom to call. Also shown to whoever cannot sign in."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The small certificate authority, for those who use it."""

    dir: Path


@dataclass(frozen=True, slots=True)
class Keep:
    """What may be forgotten: pictures, the oldest first. Events and alarms stay for ever."""

    pictures_mb: int = 20_000


@dataclass(frozen=True, slots=True)
class Config:
    """A whole file; ``authority`` is None where enrolment by code is not served."""

    path: Path
    district: District
    broker: Broker
    desk: Desk
    authority: Authority | None
    keep: Keep
