"""Cameras, their recordings and how long those stay (contract section 4)."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from gatehouse.contract import faults
from gatehouse.contract.data import Count, Data, Length, Time


class CameraFault(Data, frozen=True, kw_only=True):
    """A fault of a camera began."""

    fault: faults.CameraFaults
    """Which one."""
    text: str | UnsetType = UNSET
    """What was seen, for a technician."""
    width: int | UnsetType = UNSET
    """Of ``low-resolution``: pixels."""
    height: int | UnsetType = UNSET
    """Of ``low-resolution``: pixels."""
    required: int | UnsetType = UNSET
    """Of ``low-resolution``: lines that the shorter side must have."""
    offset_s: float | UnsetType = UNSET
    """Of ``clock-off``: how far the camera's clock is ahead of ours, s."""
    by_ntp: bool | UnsetType = UNSET
    """Of ``clock-off``: whether the camera says that it is set by a time server."""


class CameraRestored(Data, frozen=True, kw_only=True):
    """A fault of a camera ended."""

    fault: faults.CameraFaults
    """Which one."""
    reason: Literal["removed"] | UnsetType = UNSET
    """``removed``: the camera is no longer watched. Else left out."""


class RecordingGap(Data, frozen=True, kw_only=True):
    """A camera's recordings have a gap; told when it has ended."""

    begins: Time = msgspec.field(name="from")
    """Where the recordings break off."""
    ends: Time = msgspec.field(name="to")
    """Where they go on."""
    seconds: Length
    """How long that is, s."""
    key: str
    """Never means two happenings; ours, to tell each once."""


class RecordingDeleted(Data, frozen=True, kw_only=True):
    """Recordings went before their time, as the disk was full (``on_full = "oldest"``)."""

    begins: Time = msgspec.field(name="from")
    """The beginning of the oldest that went."""
    ends: Time = msgspec.field(name="to")
    """The end of the newest that went."""
    seconds: Length
    """How much recorded time is lost, s: what lies in between may still be there."""
    segments: Count
    """How many files went."""
    bytes: Count
    """How large they were, bytes."""
    reason: Literal["under-floor"]
    """Always ``under-floor``: younger than the shortest time that they must stay."""
    key: str
    """Never means two happenings; ours, to tell each once."""


class LackingDisk(msgspec.Struct, frozen=True, kw_only=True):
    """A disk on which room is needed and nothing may go."""

    path: str
    """Where it is mounted."""
    lacking_bytes: Count
    """How much room it lacks, bytes."""


class RetentionShortfall(Data, frozen=True, kw_only=True):
    """Recordings do not stay as long as they must."""

    fault: Literal["shortfall"]
    """Always ``shortfall``."""
    required_days: Length | UnsetType = UNSET
    """At a camera: how long its recordings must stay, days."""
    proven_days: Length | UnsetType = UNSET
    """At a camera: how far back they are proven, days."""
    disks: list[LackingDisk] | UnsetType = UNSET
    """At the gateway: the disks on which clean-up finds nothing that may go."""


class RetentionForecast(Data, frozen=True, kw_only=True):
    """A camera's recordings will not stay as long as they must."""

    fault: Literal["forecast"]
    """Always ``forecast``."""
    days_until_short: Annotated[float, msgspec.Meta(ge=0)] | UnsetType = UNSET
    """In how many days."""


class RetentionRestored(Data, frozen=True, kw_only=True):
    """A shortfall or a forecast ended."""

    fault: faults.RetentionFaults
    """Which one."""
    reason: Literal["removed"] | UnsetType = UNSET
    """``removed``: the camera is no longer watched. Else left out."""
