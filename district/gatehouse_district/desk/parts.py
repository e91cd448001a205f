"""What the desk is made of, handed in by whoever serves it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

from starlette.routing import BaseRoute

from gatehouse.clock import Clock
from gatehouse_district.desk.accounts import Accounts
from gatehouse_district.desk.limits import Buckets
from gatehouse_district.ports import Answering, News, Records

LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class Limits:
    """How often somebody may, and how much; other numbers in tests alone."""

    sign_in_account: tuple[float, float] = (10, 1 / 30)
    """Tries at once, and how many each second, for one account from where it is not known."""
    sign_in_pair: tuple[float, float] = (5, 1 / 60)
    """Of one such address at one account: half, so that alone it never takes them all."""
    sign_in_address: tuple[float, float] = (20, 1 / 10)
    post_session: tuple[float, float] = (60, 2)
    """Answering a hundred alarms by hand takes longer."""
    post_address: tuple[float, float] = (60, 2)
    """POSTs without a session."""
    post_any: tuple[float, float] = (300, 20)
    """All POSTs of one address that are no session's, also to routes of others."""
    body_bytes: int = 65_536
    body_s: float = 15.0
    """A body that takes longer to come is given up."""
    streams_session: int = 4
    """Windows of one session: browsers open six connections to a server, and need some to load."""
    streams: int = 200
    beat_s: float = 10.0
    """The stream says at least this often that it is alive; the page waits for 2.5 of them."""
    send_s: float = 20.0
    """A browser that takes nothing for so long is dropped."""


@dataclass(frozen=True, slots=True)
class Parts:
    """All that `app` needs."""

    records: Records
    answering: Answering
    news: News
    accounts: Accounts
    clock: Clock
    random: Callable[[int], bytes]
    """``secrets.token_bytes``."""
    district: str
    """What the district is called, in the head of each page."""
    secure: bool
    """Whether browsers come over TLS: cookies are Secure then, and HSTS is said."""
    hosts: tuple[str, ...] = LOOPBACK
    """The names under which browsers may ask, without a port; any other is refused."""
    extra: tuple[BaseRoute, ...] = ()
    """Routes of others (enrolment): they have the gate's limits, but no session and no CSRF."""
    zone: tzinfo | None = None
    """Whose local time is shown; None is the machine's own."""
    help: tuple[str, ...] = ()
    """Lines for people, whom to call: beside open alarms, and where something cannot be done."""
    hears: Callable[[], bool] = lambda: True
    """Whether the receiver hears the gateways now; while it does not, every page says so."""
    warns: Callable[[], Sequence[str]] = tuple
    """What of the district itself will soon need somebody, in the language in use."""
    limits: Limits = field(default_factory=Limits)

    @property
    def cookie(self) -> str:
        """The session's cookie: over TLS with the prefix that keeps other hosts from setting it."""
        return "__Host-desk" if self.secure else "desk"

    def buckets(self, rate: tuple[float, float]) -> Buckets:
        """Return new buckets of this rate."""
        return Buckets(burst=rate[0], per_s=rate[1])

    def now_s(self) -> float:
        """The time by the wall clock: seconds since 1970, UTC."""
        return self.clock.reading().unix_ns / 1e9

    def steady_s(self) -> float:
        """Seconds by a clock that nobody sets."""
        return self.clock.reading().monotonic_ns / 1e9
