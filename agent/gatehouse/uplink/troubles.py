"""Which faults of the uplink stand: each is told once when it begins and once when it ends."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_log = logging.getLogger(__name__)

Tell = Callable[[str, bool, dict[str, Any]], None]


class Troubles:
    """Faults by what they stand on; a fault ends when nothing it stands on is left."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._on: dict[str, set[str]] = {}
        self._before: set[str] = set()

    def take_over(self, faults: Iterable[str]) -> None:
        """Note what stands since an earlier start: its end is still to be told."""
        self._before = set(faults)

    def begin(self, fault: str, data: Mapping[str, Any], *, on: str = "link") -> None:
        """Note that ``fault`` stands on ``on`` (a topic, an event, the link)."""
        stands = self._on.setdefault(fault, set())
        first = not stands
        stands.add(on)
        self._before.discard(fault)
        if first:
            _log.warning("fault %s begins: %s", fault, dict(data))
            self._tell(fault, True, dict(data))

    def end(self, fault: str, *, on: str = "link") -> None:
        """Note that ``fault`` no longer stands on ``on``; harmless if it did not."""
        stands = self._on.get(fault, set())
        if on not in stands and (stands or fault not in self._before):
            return
        stands.discard(on)
        self._before.discard(fault)
        if not stands:
            _log.warning("fault %s ends", fault)
            self._tell(fault, False, {})

    def stands(self, fault: str, *, on: str = "link") -> bool:
        """Whether ``fault`` stands on ``on``."""
        return on in self._on.get(fault, ())
