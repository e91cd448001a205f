"""The district's own certificates: which of them end soon, looked at once an hour."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from gatehouse.texts import _
from gatehouse.threads import off_loop
from gatehouse_district.ca import WARNED, Ending, own, soon
from gatehouse_district.config import Config

_EVERY_S: Final = 3600.0
_READ_S: Final = 10.0


def ending(config: Config, now: datetime) -> Sequence[Ending]:
    """Return those of the configuration and of the authority's folder that end soon."""
    used = [path for path in (config.broker.cert, config.desk.cert) if path is not None]
    made = own(config.authority.dir) if config.authority is not None else ()
    return soon((*used, *made), now)


def told(one: Ending, config: Config) -> str:
    """Say it for a person, with what to do: our command renews only what our authority made."""
    said = _("certificate {file} ends on {day}: have whoever signed it sign a new one")
    if config.authority is not None and one.path.parent == config.authority.dir:
        said = _("certificate {file} ends on {day}: gatehouse-district ca renew")
    return said.format(file=one.path.name, day=f"{one.ends:%Y-%m-%d}")


class Watch:
    """What `said` returns is never older than an hour, unless the disk hangs.

    The broker's own is a copy that only the broker may read, so it is looked at on the wire: who
    renews and forgets to copy would else hear of it from nobody, and then from no gateway.
    """

    def __init__(self, config: Config, broker_ends_s: Callable[[], int | None]) -> None:
        self._config = config
        self._broker_ends_s = broker_ends_s
        self._ending: Sequence[Ending] = ()

    def said(self) -> Sequence[str]:
        """Say which end soon, in the language in use."""
        found = [told(each, self._config) for each in self._ending]
        ends_s = self._broker_ends_s()
        if ends_s is not None:
            ends = datetime.fromtimestamp(ends_s, UTC)
            if ends - datetime.now(UTC) < WARNED:
                said = _("the broker uses a certificate until {day}: install the renewed one there")
                found.append(said.format(day=f"{ends:%Y-%m-%d}"))
        return found

    async def run(self, well: Callable[[], None]) -> None:
        """Look until cancelled; ``well`` is called after each look."""
        while True:
            with contextlib.suppress(OSError):  # a hung disk is told by whoever needs it
                self._ending = await off_loop(
                    lambda: ending(self._config, datetime.now(UTC)),
                    name="certificates",
                    timeout_s=_READ_S,
                )
            well()
            await asyncio.sleep(_EVERY_S)
