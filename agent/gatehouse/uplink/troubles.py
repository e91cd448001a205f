"""Which faults of the uplink stand: each is told once when it begins and once when it ends."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

_log = logging.getLogger(__name__)

Tell = Callable[[str, bool, dict[str, Any]], None]


class Troubles:
    """Faults by what they stand on; a fault ends when nothing it stands on is left."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._on: dict[str, set[str]] = {}

    def begin(self, fault: str, data: Mapping[str, Any], *, on: str = "link") -> None:
        """Note that ``fault`` stands on ``on`` (a topic, an event, the link)."""
        stands = self._on.setdefault(fault, set())
        first = not stands
        stands.add(on)
        if first:
            _log.warning("fault %s begins: %s", fault, dict(data))
            self._tell(fault, True, dict(data))

    def end(self, fault: str, *, on: str = "link") -> None:
        """Note that ``fault`` no longer stands on ``on``; harmless if it did not."""
        stands = self._on.get(fault)
        if not stands or on not in stands:
            return
        stands.discard(on)
        if not stands:
            _log.warning("fault %s ends", fault)
            self._tell(fault, False, {})

    def stands(self, fault: str, *, on: str = "link") -> bool:
        """Whether ``fault`` stands on ``on``."""
        return on in self._on.get(fault, ())
