"""What the desk and the commands need of the receiver. The receiver implements it."""

from collections.abc import Sequence
from typing import Protocol

from gatehouse_district.model import Alarm, Entry, Gateway, Picture


class Records(Protocol):
    """Reading what is on the district's disk; never in the way of what is being stored."""

    async def alarms(
        self, *, open_only: bool = True, limit: int = 1000, before: str | None = None
    ) -> Sequence[Alarm]:
        """Return alarms, the newest first; open ones are real alarms that are not reset yet.

        ``before`` is the id of the last one of the page before.
        """

    async def practice(self, *, limit: int = 1000) -> Sequence[Alarm]:
        """Return drills and tests that are not reset yet, the newest first."""

    async def alarm(self, id_: str) -> Alarm | None:
        """Return one alarm."""

    async def gateways(self) -> Sequence[Gateway]:
        """Return every gateway that ever spoke, by id."""

    async def gateway(self, id_: str) -> Gateway | None:
        """Return one gateway."""

    async def events(
        self,
        *,
        gateway: str | None = None,
        type_: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Sequence[Entry]:
        """Return events, the newest first; ``before`` is a position."""

    async def pictures(self, alarm: str) -> Sequence[Picture]:
        """Return what pictures of an alarm have come, by number."""

    async def picture(self, alarm: str, number: int) -> bytes | None:
        """Return one JPEG."""


class Answering(Protocol):
    """What a person at the district may do."""

    async def acknowledge(self, alarm: str, by: str) -> None:
        """Answer an alarm in a person's name: on disk when this returns, and on its way.

        It is sent until the gateway confirms it. Raises AnswerError for an alarm that is not there,
        is answered already or was reset.
        """

    async def release_evidence(self, alarm: str, by: str) -> None:
        """Let a gateway delete what it keeps around an alarm. Raises AnswerError."""

    async def snapshot(self, gateway: str, camera: str, by: str) -> str:
        """Ask for a picture now; return the id under which it will come. Raises AnswerError."""


class News(Protocol):
    """Waking who shows things."""

    @property
    def revision(self) -> int:
        """Grows with every change of what Records return."""

    async def newer(self, than: int) -> int:
        """Wait until the revision is higher than this, and return it."""
