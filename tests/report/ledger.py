"""An event log to be written by a test, line by line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gatehouse.config.model import Camera, Config, District, Gateway
from gatehouse.events import Mode
from gatehouse.report.facts import Facts, Sources, gather
from gatehouse.report.log import Row
from gatehouse.report.span import Span

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def at(days: float = 0.0, **more: float) -> datetime:
    """Return a moment so long after the noon from which the logs of the tests begin."""
    return NOON + timedelta(days=days, **more)


def utc(moment: datetime) -> datetime:
    """Be the school's own clock: UTC."""
    return moment.astimezone(UTC)


class Ledger:
    """Events as the alarm service writes them."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._start = 0
        self._count = 0
        self._boot = "boot-0"
        self._booted = NOON - DAY

    def start(self, moment: datetime, reason: str = "first", *, boot_s: float | None = None) -> str:
        """Begin a start of the service; with ``boot_s`` the machine had booted so long before."""
        self._start += 1
        self._count = 0
        if boot_s is not None:
            self._boot = f"boot-{self._start}"
            self._booted = moment - timedelta(seconds=boot_s)
        return self.tell(moment, "gateway.started", reason=reason, previous=None)

    def tell(
        self,
        moment: datetime,
        type_: str,
        subject: str = "gateway",
        *,
        mode: Mode = Mode.REAL,
        wrong_s: float | None = None,
        row: dict[str, Any] | None = None,
        **data: Any,
    ) -> str:
        """Write an event; ``wrong_s``: the clock is not set, and off by that. Returns its id."""
        self._count += 1
        shown = moment + timedelta(seconds=wrong_s or 0.0)
        event_id = f"{self._start}-{self._count}"
        self.rows.append(
            Row(
                id=event_id,
                source="/gatehouse/gw-1",
                type=f"gatehouse.{type_}",
                subject=subject,
                time=shown.isoformat().replace("+00:00", "Z"),
                store="store",
                sequence=f"{self._start:08d}.{self._count:010d}",
                bootid=self._boot,
                monotonic=str(round((moment - self._booted).total_seconds() * 1e9)),
                clock="synced" if wrong_s is None else "unsynced",
                mode=mode,
                data=data,
                **(row or {}),
            )
        )
        return event_id

    def press(
        self,
        moment: datetime,
        button: str = "gate",
        *,
        mode: Mode = Mode.REAL,
        wrong_s: float | None = None,
        location: str = "南门",
        **row: Any,
    ) -> str:
        """Write an alarm; ``row`` is how it was answered."""
        subject = f"button/{button}"
        return self.tell(
            moment, "alarm.raised", subject, mode=mode, wrong_s=wrong_s, row=row,
            location=location, held_at_start=False,
        )  # fmt: skip

    def facts(
        self,
        begin: datetime = NOON,
        end: datetime = NOON + 30 * DAY,
        *,
        now: datetime = NOON + 30 * DAY,
        conf: Config | None = None,
        **sources: Any,
    ) -> Facts:
        """Gather what a report of this span, made ``now``, would say."""
        given: dict[str, Any] = {
            "rows": self.rows,
            "unread": 0,
            "runs_now": True,
            "recordings": None,
            "cameras": None,
        }
        return gather(conf or school(), Span(begin, end), now, Sources(**(given | sources)))


def school(*cameras: Camera, receipts: bool = True, name: str = "实验小学") -> Config:
    """Return a configuration."""
    gateway = Gateway("qd-sn-0042", name, "en", Path("/state"), Path("/run"))
    return Config(Path("/x.toml"), gateway, (), District((), receipts=receipts), cameras=cameras)
