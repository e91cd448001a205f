"""Drills, self-tests and walk tests (contract section 4)."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from gatehouse.contract.data import Data, EventId, Length, Name


class DrillStarted(Data, frozen=True, kw_only=True):
    """The next press of each named button is a drill; every further press is real."""

    buttons: list[Name]
    """Their names."""
    seconds: Annotated[float, msgspec.Meta(gt=0, le=1800)]
    """For how long at most, s."""


class DrillEnded(Data, frozen=True, kw_only=True):
    """From now on every press is real."""

    reason: Literal["complete", "expired", "stopped", "restart"]
    """``complete``: each was pressed; ``restart``: the service was started anew meanwhile."""
    not_pressed: list[Name] | UnsetType = UNSET
    """The buttons that were not pressed; left out after a ``restart``."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """How one check of a self-test ended."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    """Which check."""
    result: Literal["OK", "WARN", "FAIL", "SKIP"]
    """SKIP: nothing of its kind is there."""
    seconds: float
    """How long it took, s."""
    figure: str
    """What was seen, for a technician."""
    remedy: str | None
    """What to do about it; null: nothing."""


class SelftestReport(Data, frozen=True, kw_only=True):
    """A self-test was run on site or for a command; its mode is ``test``."""

    result: Literal["OK", "WARN", "FAIL"]
    """The worst of its checks."""
    checks: list[Checked]
    """One row a check; none in a trial, or when the self-test itself failed."""
    trial: bool | UnsetType = UNSET
    """True: this is only the test event, sent to see that events arrive. Else left out."""
    command: str | UnsetType = UNSET
    """Id of the district's command that asked for it."""
    error: str | UnsetType = UNSET
    """Why the self-test could not be run."""


class Walked(msgspec.Struct, frozen=True, kw_only=True):
    """How one button fared in a walk test; times are from the contact's closing."""

    name: Name
    """The button's name."""
    result: Literal["OK", "FAIL", "NOT WALKED"]
    """OK: its press was received (without receipts: sent)."""
    line_open: bool
    """Whether its line was seen open: a cut wire, or a press through a cut conductor."""
    alarm: EventId | None
    """Id of its alarm; null: it was not pressed."""
    stored_ms: Length | None
    """Until it was on the gateway's disk, ms; null: never."""
    sent_ms: Length | None
    """Until the broker had it, ms; null: never."""
    received_ms: Length | None
    """Until the district's receipt came, ms; null: never."""
    acknowledged_ms: Length | None
    """Until a person had answered, ms; null: nobody did."""


class WalktestReport(Data, frozen=True, kw_only=True):
    """A walk test ended; its mode is ``test``."""

    buttons: list[Walked]
    """One row a button that was to be walked."""
    reason: Literal["complete", "timeout", "stopped", "left"]
    """Why it ended; ``left``: whoever ran it went away; ``stopped``: the service did."""
    seconds: Length
    """How long it lasted, s."""
    by: str | UnsetType = UNSET
    """Who walked."""
