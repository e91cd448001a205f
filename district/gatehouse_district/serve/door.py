"""The desk's door: how many connections there may be, in all and of one machine.

Desk and receiver share one process, and with it its files: whoever opens thousands of connections
must not keep the receiver from the broker and the disk. Counted from the first packet on, before
TLS: asyncio gives a handshake a minute.
"""

import logging
import socket
from typing import Any, Final
from weakref import WeakKeyDictionary

from gatehouse_district.desk.limits import neighbourhood

log = logging.getLogger(__name__)

MOST_OPEN: Final = 600
MOST_EACH: Final = 200
"""Of one address: an office behind one router, four windows each; one machine cannot take all."""
_LOOPBACK: Final = frozenset({neighbourhood("127.0.0.1"), neighbourhood("::1")})
"""Here nobody is a stranger, and a proxy of the district's own speaks for all."""


class Door(socket.socket):
    """A listening socket that closes what comes when it has enough."""

    most_open = MOST_OPEN
    most_each = MOST_EACH

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as socket.socket's
        super().__init__(*args, **kwargs)
        self._open: WeakKeyDictionary[socket.socket, str] = WeakKeyDictionary()
        self._told = False

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept the next one. Raises BlockingIOError when there is none, or no room for it.

        After each that is refused the loop goes round: a crowd at the door does not stop it.
        """
        came, address = super().accept()
        place = neighbourhood(address[0])
        places = [where for one, where in self._open.items() if one.fileno() != -1]
        if not self._has_room(place, places):
            came.close()
            raise BlockingIOError
        self._open[came] = place
        return came, address

    def _has_room(self, place: str, places: list[str]) -> bool:
        each = place not in _LOOPBACK and places.count(place) >= self.most_each
        if each or len(places) >= self.most_open:
            if not self._told:
                log.warning(
                    "the desk has %d connections and refuses more of %s", len(places), place
                )
            self._told = True
            return False
        if self._told and len(places) < self.most_each / 2:
            log.info("the desk has room again")
            self._told = False
        return True
