"""One browser's connection, with an end to how slowly it may speak and listen.

uvicorn waits for ever for the rest of a request, and for ever for a client to take an answer.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_S: Final = 15.0
"""From the connection (or the answer before) to the last byte of a request."""
WRITE_S: Final = 20.0
"""For a client to take what waits for it; it may be on a slow line, not gone."""


class Connection(H11Protocol):
    """uvicorn's own HTTP/1.1, with two alarm clocks."""

    request_s = REQUEST_S
    write_s = WRITE_S

    _asking: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        """Take what came; a whole request ends the wait."""
        super().data_received(data)
        if self._is_answering and not self.cycle.more_body:
            _cancel(self._asking)

    def on_response_complete(self) -> None:
        """Wait for the next request on the same connection."""
        super().on_response_complete()
        if not self._is_answering:  # else uvicorn has begun with one that had come already
            self._wait_for_request()

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not take its answer."""
        super().pause_writing()
        _cancel(self._taking)
        self._taking = self.loop.call_later(self.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It goes on."""
        super().resume_writing()
        _cancel(self._taking)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        _cancel(self._asking)
        _cancel(self._taking)
        super().connection_lost(exc)

    @property
    def _is_answering(self) -> bool:
        cycle = vars(self).get(
            "cycle"
        )  # None before the first request, whatever uvicorn's types say
        return cycle is not None and not cycle.response_complete

    def _wait_for_request(self) -> None:
        _cancel(self._asking)
        self._asking = self.loop.call_later(self.request_s, self.transport.abort)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
