"""What is asked on the service's own socket: by ``gatehouse-district`` on the same machine."""

import logging
from collections.abc import AsyncIterator
from typing import Any, Final

from gatehouse.control import protocol
from gatehouse.control.protocol import Message
from gatehouse.control.server import Handler
from gatehouse.errors import ControlError
from gatehouse.texts import _
from gatehouse_district.errors import AnswerError, DistrictStoreError
from gatehouse_district.ports import Answering, News

log = logging.getLogger(__name__)

_LONGEST: Final = 100
"""Characters of a name or an id."""


class Requests:
    """Answers ``acknowledge`` (``alarm``, ``by``) and ``watch``, a line at each change."""

    def __init__(self, answering: Answering, news: News) -> None:
        self._answering = answering
        self._news = news

    def handlers(self) -> dict[str, Handler]:
        """Return what the control server calls."""
        return {"acknowledge": self._acknowledge, "watch": self._watch}

    async def _acknowledge(self, request: Message) -> Message:
        alarm, by = _text(request, "alarm"), _text(request, "by")
        try:
            await self._answering.acknowledge(alarm, by)
        except AnswerError as exc:
            raise ControlError(str(exc)) from exc
        except DistrictStoreError as exc:  # the answer is not on disk: no fault of what was typed
            raise ControlError(str(exc), code=protocol.INTERNAL) from exc
        log.info("alarm %s was answered on the command line as %r", alarm, by)
        return {"alarm": alarm}

    async def _watch(self, _request: Message) -> AsyncIterator[Message]:
        return self._changes()

    async def _changes(self) -> AsyncIterator[Message]:
        revision = self._news.revision
        while True:
            yield {"revision": revision}
            revision = await self._news.newer(revision)


def _text(request: Message, name: str) -> str:
    """Return a text of a request. Raises ControlError."""
    found: Any = request.get(name)
    if not isinstance(found, str) or not found.strip() or len(found) > _LONGEST:
        said = _("{name} must be 1 to {most} characters").format(name=name, most=_LONGEST)
        raise ControlError(said, code=protocol.MALFORMED)
    if not found.replace("\N{IDEOGRAPHIC SPACE}", " ").isprintable():
        said = _("{name} must be on one line, without control characters").format(name=name)
        raise ControlError(said, code=protocol.MALFORMED)
    return found.strip()
