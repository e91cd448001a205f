"""Alarms: a press, its release, its reset (contract section 4)."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from gatehouse.contract.data import Data, EventId


class AlarmRaised(Data, frozen=True, kw_only=True):
    """A button was pressed: each press is an alarm of its own, also while another one stands."""

    location: str
    """Where the button is, as configured."""
    held_at_start: bool
    """Whether the contact was closed already when the service started."""
    presses: Annotated[int, msgspec.Meta(ge=1)] | UnsetType = UNSET
    """How many presses this one alarm stands for, while the contact chatters; else left out."""


class AlarmReleased(Data, frozen=True, kw_only=True):
    """The contact of an alarm is open again. The alarm stands until it is reset."""

    location: str
    """Where the button is, as configured."""
    alarm: EventId
    """Id of the alarm whose contact was released."""


class AlarmReset(Data, frozen=True, kw_only=True):
    """Alarms of a button were ended by hand, on site; of a walk test by its end."""

    by: str
    """Who: a name that was typed, ``key``, ``button`` (turned back) or ``walktest``."""
    reason: Literal["real", "mistake", "test", "key", "turned-back"]
    """What the alarm was; ``key`` and ``turned-back`` do not know."""
    alarms: list[EventId]
    """Ids of the alarms that this ends."""
