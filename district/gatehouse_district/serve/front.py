"""What browsers and gateways reach over HTTPS: the desk, and enrolment if there is an authority."""

import logging
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from gatehouse.clock import Clock
from gatehouse.threads import off_loop
from gatehouse_district import desk, enrolment
from gatehouse_district.ca import Authority
from gatehouse_district.config import Config
from gatehouse_district.desk.parts import LOOPBACK
from gatehouse_district.errors import AuthorityError
from gatehouse_district.receiver.receiver import Receiver
from gatehouse_district.serve.web import Web

log = logging.getLogger(__name__)

_READ_S: Final = 10.0


class Front:
    """One desk at a time; `run` may be called again when it has failed."""

    def __init__(
        self, config: Config, clock: Clock, receiver: Receiver, warns: Callable[[], Sequence[str]]
    ) -> None:
        self._config = config
        self._clock = clock
        self._receiver = receiver
        self._warns = warns
        self._web: Web | None = None
        self._stopped = False

    async def run(self, well: Callable[[], None]) -> None:
        """Serve until `stop`; ``well`` is called once it listens.

        Raises DeskError, DistrictStoreError, TimeoutError.
        """
        accounts = await off_loop(self._accounts, name="accounts", timeout_s=_READ_S)
        try:
            extra = await off_loop(self._enrolment, name="authority", timeout_s=_READ_S)
            app = desk.app(self._parts(accounts, extra))
            self._web = Web(self._config.desk, app, ending=app.state.board.stop)
            if not self._stopped:
                await self._web.run(well)
        finally:
            self._web = None
            accounts.close()

    def stop(self) -> None:
        """Have `run` return."""
        self._stopped = True
        if self._web is not None:
            self._web.stop()

    async def certificate_again(self) -> None:
        """Read the certificate anew. Raises DeskError, TimeoutError; the old one then stays."""
        if self._web is not None:
            await self._web.certificate_again()

    def _accounts(self) -> desk.Accounts:
        place = self._config.district.state_dir / "desk.db"
        return desk.Accounts(place, self._clock, secrets.token_bytes)

    def _parts(self, accounts: desk.Accounts, extra: Sequence[Any]) -> desk.Parts:
        own = self._config.desk
        names = [own.names, LOOPBACK if own.address.is_loopback else ()]
        return desk.Parts(
            records=self._receiver.records,
            answering=self._receiver.answering,
            news=self._receiver.news,
            accounts=accounts,
            clock=self._clock,
            random=secrets.token_bytes,
            district=self._config.district.name,
            secure=own.cert is not None,
            hosts=tuple(dict.fromkeys(_as_host(name) for listed in names for name in listed)),
            extra=tuple(extra),
            help=own.help,
            warns=self._warns,
            hears=lambda: self._receiver.connected,
        )

    def _enrolment(self) -> Sequence[Any]:
        """Return the routes that gateways come for; nothing where there is no authority to sign."""
        if self._config.authority is None:
            return ()
        try:
            authority = Authority.open(self._config.authority.dir)
        except AuthorityError as exc:
            log.warning("gateways cannot enrol: %s", exc)
            return ()
        return enrolment.routes(
            authority, now=lambda: datetime.now(UTC), monotonic_s=time.monotonic
        )


def _as_host(name: str) -> str:
    """Write a name as it stands in a browser's Host line."""
    try:
        return f"[{name}]" if isinstance(ip_address(name), IPv6Address) else name
    except ValueError:
        return name
