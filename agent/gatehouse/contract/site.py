"""What is wired: a button's line, the box's lid, the mains (contract section 4)."""

from typing import Literal

from msgspec import UNSET, UnsetType

from gatehouse.contract import faults
from gatehouse.contract.data import Data


class LineFault(Data, frozen=True, kw_only=True):
    """A fault of a button's wiring began. ``open`` goes on ``up/alarm`` and is never dropped."""

    fault: faults.LineFaults
    """Which one."""
    location: str
    """Where the button is, as configured."""


class LineRestored(Data, frozen=True, kw_only=True):
    """A fault of a button's wiring ended."""

    fault: faults.LineFaults
    """Which one."""
    reason: Literal["removed"] | UnsetType = UNSET
    """``removed``: the button is no longer configured. Else left out."""


class TamperOpened(Data, frozen=True, kw_only=True):
    """The gateway's box was opened."""

    fault: Literal["tamper"]
    """Always ``tamper``."""


class TamperClosed(Data, frozen=True, kw_only=True):
    """The gateway's box is closed again."""

    fault: Literal["tamper"]
    """Always ``tamper``."""


class PowerFault(Data, frozen=True, kw_only=True):
    """The mains is lost; the gateway runs on its battery."""

    fault: Literal["mains"]
    """Always ``mains``."""


class PowerRestored(Data, frozen=True, kw_only=True):
    """The mains is back."""

    fault: Literal["mains"]
    """Always ``mains``."""
