"""Being there, and not being there: the district's session with its broker."""

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable
from typing import Final

from gatehouse.errors import UplinkError
from gatehouse.uplink.frames import Incoming
from gatehouse.uplink.topics import PREFIX
from gatehouse_district.receiver.link import Letter, Link

_log = logging.getLogger(__name__)

NAME: Final = "district.receiver"
"""Certificate name, and client id where no certificates are: the dot is in no gateway's."""

FILTERS: Final = (f"{PREFIX}+/up/#", f"{PREFIX}+/state")
_SESSION_S: Final = 86_400
_AGAIN_S: Final = (0.1, 1.0)
"""Between two attempts to connect: doubling, from the first to the second."""
_TAKEN_OVER_S: Final = 10.0
"""Before we take the session back from another one of our name: the two must not fight."""
_CONNECT_S: Final = 10.0
_GOODBYE_S: Final = 1.0


class Session:
    """Connects, subscribes, and connects again when the broker is gone, until told to go away.

    What is said while there is no connection waits for the next one.
    """

    def __init__(
        self,
        url: str,
        context: ssl.SSLContext | None,
        arrived: Callable[[Link, Incoming, bool], None],
        changed: Callable[[], None],
        ended: Callable[[asyncio.Task[None]], None],
        *,
        client_id: str = NAME,
    ) -> None:
        self.url = url
        self._context = context
        self._client_id = client_id
        self._arrived = arrived
        self._changed = changed
        self._ended = ended
        self._letters: deque[Letter] = deque()
        self._link: Link | None = None
        self._task: asyncio.Task[None] | None = None
        self._subscribed = asyncio.Event()

    @property
    def subscribed(self) -> bool:
        """Whether it hears the gateways now."""
        return self._subscribed.is_set()

    @property
    def broker_ends_s(self) -> int | None:
        """When the certificate of the broker that we hear ends, in s since 1970, if it has one."""
        return None if self._link is None else self._link.broker_ends_s

    def begin(self, *, clean: bool) -> None:
        """Connect, and keep connected, beside the caller."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep(clean=clean))
            self._task.add_done_callback(self._ended)

    async def come(self, *, clean: bool) -> None:
        """Connect, and keep connected; returns when subscribed.

        With ``clean`` the broker forgets what waited for us.
        """
        self.begin(clean=clean)
        assert self._task is not None  # noqa: S101  # just begun
        subscribed = asyncio.ensure_future(self._subscribed.wait())
        try:
            await asyncio.wait((subscribed, self._task), return_when=asyncio.FIRST_COMPLETED)
            if self._task.done():
                await self._task  # it only ends by a mistake of ours
        finally:
            subscribed.cancel()

    async def go(self, *, keep: bool = True, goodbye: bool = True) -> None:
        """Disconnect and stay away.

        With ``keep`` the broker collects for us meanwhile; without, publishers are told that nobody
        listens (0x10). Without ``goodbye`` the connection just breaks (and the session is kept).
        """
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))
        link, self._link = self._link, None
        if link is not None:
            if goodbye:
                link.part(_SESSION_S if keep else 0)
            else:
                link.abort()
            await asyncio.wait((link.closed,), timeout=_GOODBYE_S)
            link.abort()  # a frozen broker takes no goodbye
        self._hears(now=False)

    async def unsubscribe(self) -> None:
        """Stay connected, and hear nothing more."""
        await self._open_link().unsubscribe(FILTERS)
        self._hears(now=False)

    async def subscribe(self) -> None:
        """Hear the gateways again."""
        await self._open_link().subscribe(FILTERS)
        self._hears(now=True)

    def publish(self, topic: str, body: bytes, correlation: bytes | None = None) -> None:
        """Publish, now or when connected again."""
        self._letters.append(Letter.to(topic, body, correlation))
        if self._link is not None:
            self._link.pump()

    def _open_link(self) -> Link:
        if self._link is None:
            raise UplinkError(f"the district is not connected to {self.url}")
        return self._link

    async def _keep(self, *, clean: bool) -> None:
        shortest, longest = _AGAIN_S
        pause_s, told = shortest, False
        while True:
            link = Link(self._letters, self._arrived)
            try:
                await self._attend(link, clean=clean)
            except (OSError, UplinkError) as exc:  # a TimeoutError is an OSError
                if not told:
                    why = str(exc) or "no answer"
                    _log.warning("cannot reach %s: %s; trying on", self.url, why)
                told = True
            else:
                clean, told, pause_s = False, False, shortest
                _log.warning("the connection to %s ended: %s", self.url, link.closed.result())
            finally:
                if self._link is not link:  # told to go away, the one that is open parts in order
                    link.abort()
            link.abort()
            self._link = None
            self._hears(now=False)
            await asyncio.sleep(_TAKEN_OVER_S if link.taken_over else pause_s)
            pause_s = min(longest, 2 * pause_s)

    async def _attend(self, link: Link, *, clean: bool) -> None:
        """Connect, and return when the connection has ended. Raises OSError, UplinkError."""
        async with asyncio.timeout(_CONNECT_S):
            await link.open(
                self.url, self._context, self._client_id, clean=clean, expiry_s=_SESSION_S
            )
            await link.subscribe(FILTERS)
        self._link = link
        self._hears(now=True)
        link.pump()
        await asyncio.shield(link.closed)

    def _hears(self, *, now: bool) -> None:
        if now:
            self._subscribed.set()
        else:
            self._subscribed.clear()
        self._changed()
