"""How many observations in a row it takes before a verdict changes. Pure."""

from dataclasses import dataclass
from typing import Final

from gatehouse.video.eye_messages import ENDED, REFUSED, UNREACHABLE

END: Final = 4
"""Pictures in a row that end a fault of the picture."""
_LINK_END: Final = 3
"""Keyframes in a row after which a camera is back, or its next end of stream is a first one."""
_OTHER_LINK: Final = 2
"""Attempts in a row that must fail in another way before a link fault takes another name.

But ``refused`` is believed at once: the camera itself said so."""


@dataclass(slots=True)
class Row:
    """How many observations in a row spoke against what stands."""

    against: int = 0

    def count(self, says: bool | None, *, standing: bool, begin: int) -> bool | None:
        """Count one; return the new verdict when it is time for one."""
        if says is None:
            return None
        self.against = self.against + 1 if says != standing else 0
        if self.against < (END if standing else begin):
            return None
        self.against = 0
        return says


@dataclass(slots=True)
class Link:
    """The way to the camera: which fault it has, if any."""

    fault: str | None = None
    _ends: int = 0
    _keys: int = 0
    _other: tuple[str, int] = ("", 0)

    def failed(self, fault: str) -> str | None:
        """Take in a failed attempt; return the fault that now stands.

        A stream that ends once may be a camera that changes its settings; one that ends again and
        again, or cannot be opened again, is a fault.
        """
        self._keys = 0
        if fault == ENDED:
            self._ends += 1
            if self._ends < 2:
                return self.fault
            fault = UNREACHABLE
        if self.fault is None or fault in {self.fault, REFUSED}:
            self.fault, self._other = fault, ("", 0)
            return fault
        name, times = self._other
        self._other = (fault, times + 1 if name == fault else 1)
        if self._other[1] >= _OTHER_LINK:
            self.fault, self._other = fault, ("", 0)
        return self.fault

    def seen(self) -> bool:
        """Take in a keyframe; True when the way is well."""
        self._keys += 1
        if self._keys < _LINK_END:
            return False
        self.fault, self._ends, self._other = None, 0, ("", 0)
        return True
