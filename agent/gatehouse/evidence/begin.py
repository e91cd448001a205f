"""Which alarms get a bundle, and the bundle before anything is in it. Pure."""

import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from gatehouse import events
from gatehouse.clock import Reading
from gatehouse.config import Gateway
from gatehouse.events import Event, Mode, rfc3339
from gatehouse.evidence.bundle import sha256_of
from gatehouse.evidence.manifest import Manifest
from gatehouse.evidence.plan import Window, unix_ms

_S: Final = 1_000_000_000


def is_wanted(event: Event) -> bool:
    """Whether an alarm gets a bundle: every real press and every drill.

    A drill is to show that evidence works; a walk test presses every button of a school, and would
    fill the disk with pictures of a technician.
    """
    return event.type == events.ALARM_RAISED and event.mode != Mode.TEST


def age_s(event: Event, now: Reading, bootid: str) -> float:
    """Return how long ago an alarm was raised, in s.

    Within one boot by the clock that nobody sets. Raises ValueError for a time that is none.
    """
    if event.bootid == bootid:
        return (now.boottime_ns - int(event.monotonic)) / _S
    return now.unix_ns / _S - datetime.fromisoformat(event.time).timestamp()


def age_of(manifest: Manifest, now: Reading, bootid: str, window: Window) -> float:
    """Return how long ago the press of a bundle on the disk was, in s.

    Within one boot by the clock that nobody sets: it may have been set since the press.
    """
    event = manifest.event
    if event.get("bootid") == bootid:
        with contextlib.suppress(KeyError, TypeError, ValueError):
            return (now.boottime_ns - int(event["monotonic"])) / _S
    return (now.unix_ns / 1e6 - unix_ms(manifest.begins)) / 1000 - window.before_s


def manifest_of(
    event: Event, gateway: Gateway, cameras: Sequence[str], press_unix_ns: int, window: Window
) -> Manifest:
    """Return the manifest of a bundle that is to be gathered."""
    return Manifest(
        alarm=event.id,
        gateway=gateway.id,
        school=gateway.school,
        event=msgspec.to_builtins(event),
        event_sha256=sha256_of(events.encode(event)),
        begins=rfc3339(press_unix_ns - round(window.before_s * _S)),
        ends=rfc3339(press_unix_ns + round(window.after_s * _S)),
        cameras=tuple(cameras),
    )
