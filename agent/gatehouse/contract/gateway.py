"""The gateway itself: starts, faults, its clock and configuration (contract section 4)."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from gatehouse.contract import faults
from gatehouse.contract.data import Count, Data, Sequence


class GatewayStarted(Data, frozen=True, kw_only=True):
    """The first event of a start of the alarm service.

    Of the start before, nothing is missing up to ``previous``; numbers above it were never durable
    and are not waited for.
    """

    previous: Sequence | None
    """The last durable sequence of the start before; null: there was none."""
    reason: Literal["first", "command", "power", "watchdog", "crash"]
    """Why it started, as far as can be told."""


class GatewayStopped(Data, frozen=True, kw_only=True):
    """An orderly stop; but for a press, the last event of a start."""

    reason: Literal["command"]
    """Always ``command``."""


class RefusedCleanUp(msgspec.Struct, frozen=True, kw_only=True):
    """A camera whose recordings clean-up would mostly have deleted."""

    camera: str
    """Its name."""
    segments: Count
    """How many files would have gone."""
    of: Count
    """How many there are."""


class GatewayFault(Data, frozen=True, kw_only=True):
    """A fault of the gateway itself began. Which details it carries, its name says."""

    fault: faults.GatewayFaults
    """Which one."""
    text: str | UnsetType = UNSET
    """What was seen, for a technician."""
    error: str | UnsetType = UNSET
    """What a part of the service failed with, for its developers."""
    broker: str | UnsetType = UNSET
    """The broker's URL."""
    topic: str | UnsetType = UNSET
    """The topic on which the broker refused."""
    topics: list[str] | UnsetType = UNSET
    """The topics to which it let nobody subscribe."""
    code: str | UnsetType = UNSET
    """The MQTT reason code, such as ``0x87``."""
    pin: int | UnsetType = UNSET
    """GPIO (BCM) number of an input."""
    pins: dict[str, str] | UnsetType = UNSET
    """By GPIO (BCM) number, why it cannot be read or switched."""
    mistakes: list[str] | UnsetType = UNSET
    """Each with file, key path, and line where that can be told; 20 at most."""
    silent_s: Count | UnsetType = UNSET
    """For how long nothing was heard, s."""
    event: str | UnsetType = UNSET
    """Id of the event that cannot be stored."""
    dropped: Count | UnsetType = UNSET
    """How many events gave way so far."""
    sequences: list[Sequence] | UnsetType = UNSET
    """The numbers of the first of them: they will never come."""
    salvaged: Count | UnsetType = UNSET
    """How many events could be read out of the damaged file."""
    lost: Count | UnsetType | None = UNSET
    """How many could not; null: nobody knows."""
    kept_as: str | UnsetType = UNSET
    """Under which name the old file was kept."""
    version: int | UnsetType = UNSET
    """The version of the file that was set aside."""
    known: int | UnsetType = UNSET
    """The newest version that this software knows."""
    cameras: int | list[str | RefusedCleanUp] | UnsetType = UNSET
    """How many, which ones by name, or one row each: as the fault says."""
    buttons: list[str] | UnsetType = UNSET
    """Names of buttons."""
    days: Count | UnsetType = UNSET
    """After how many days a button must be walked again."""


class GatewayRestored(Data, frozen=True, kw_only=True):
    """A fault of the gateway itself ended."""

    fault: faults.GatewayFaults
    """Which one."""
    reason: Literal["removed"] | UnsetType = UNSET
    """``removed``: what it belonged to is no longer configured. Else left out."""
    dropped: Count | UnsetType = UNSET
    """Of ``outbox-full``: how many events gave way in all."""


class DiskFault(Data, frozen=True, kw_only=True):
    """The gateway's disk is full, worn or takes nothing any more."""

    fault: faults.DiskFaults
    """Which one."""
    text: str | UnsetType = UNSET
    """What was seen, for a technician."""


class DiskRestored(Data, frozen=True, kw_only=True):
    """The gateway's disk is well again."""

    fault: faults.DiskFaults
    """Which one."""


class ConfigChanged(Data, frozen=True, kw_only=True):
    """The service runs on another configuration than before."""

    file: str
    """The file's name, without its folder."""


class ClockCorrected(Data, frozen=True, kw_only=True):
    """The wall clock was set or stepped.

    The true time of an event of this boot that is ``unsynced`` is its ``time`` plus ``offset_s``.
    """

    bootid: str
    """The boot whose times this puts right."""
    offset_s: float
    """How far the clock was moved, s; positive: it was behind."""


class CommandRefused(Data, frozen=True, kw_only=True):
    """A command of the district was not carried out; ten a minute at most are told."""

    reason: str
    """Why, in words: ``expired``, ``replayed``, ``malformed``, ``unknown command``, …"""
    count: Count
    """How many were refused since the start, this one included."""
    id: str | UnsetType = UNSET
    """The command's id; left out when it could not be read."""
    command: str | UnsetType = UNSET
    """What was asked for; left out when it could not be read."""
    untold: Count | UnsetType = UNSET
    """How many were refused since the last one told, and not told."""
