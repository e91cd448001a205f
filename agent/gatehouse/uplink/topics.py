"""The topics of one gateway (contract section 3). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from gatehouse import events

PREFIX: Final = "gatehouse/v1/"


@dataclass(frozen=True, slots=True)
class Topics:
    """Every topic a gateway writes or reads."""

    state: str
    alarm: str
    event: str
    pictures: str
    """Above every picture."""
    telemetry: str
    reply: str
    receipt: str
    command: str

    @classmethod
    def of(cls, gateway: str) -> Self:
        """Return the topics of the gateway with that id."""
        own = f"{PREFIX}{gateway}/"
        return cls(
            state=f"{own}state",
            alarm=f"{own}up/alarm",
            event=f"{own}up/event",
            pictures=f"{own}up/picture",
            telemetry=f"{own}up/telemetry",
            reply=f"{own}up/reply",
            receipt=f"{own}down/receipt",
            command=f"{own}down/command",
        )

    def picture(self, alarm: str, number: int) -> str:
        """Return where a picture goes; ``alarm`` must be one level of a topic."""
        return f"{self.pictures}/{alarm}/{number}"

    def for_event(self, type_: str, data: Mapping[str, Any]) -> str:
        """Return where an event of this type goes."""
        return self.alarm if events.is_alarm_class(type_, data) else self.event
