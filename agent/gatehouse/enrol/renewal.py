"""The next certificate: asked for after two thirds of a life, used once a broker has taken it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from gatehouse.config import pairs
from gatehouse.config.model import Config, District
from gatehouse.enrol import papers, place
from gatehouse.enrol.statement import NONCE_BYTES, statement
from gatehouse.errors import EnrolError
from gatehouse.texts import _
from gatehouse.uplink.probe import Answer

Probe = Callable[[District], Awaitable[Sequence[Answer]]]
_AWAY: Final = frozenset({"name", "tcp"})
"""Steps of a probe at which the broker has not seen the certificate."""


class Asked(Protocol):
    """Whoever signs the next certificate: `gatehouse.enrol.wire.Desk`."""

    def renewal(
        self,
        ca: bytes,
        *,
        request: bytes,
        certificate: bytes,
        nonce: bytes,
        at_s: int,
        signature: bytes,
    ) -> bytes:
        """Ask for it. Raises EnrolError."""


class State(StrEnum):
    """How a look at the certificate ended."""

    NOT_DUE = "not-due"
    RENEWED = "renewed"
    WAITING = "waiting"
    """A new one is there, and no broker could be reached to try it."""
    REFUSED = "refused"
    """A broker refused the new one; it is thrown away."""
    NONE = "none"
    """No broker speaks TLS: there is nothing to renew."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found and done; ``until`` is when the certificate in use ends."""

    state: State
    until: datetime | None
    due: datetime | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Present:
    cert: bytes
    key: bytes
    until: datetime
    due: datetime


class Renewal:
    """One look, as the timer takes it each day."""

    def __init__(
        self,
        config: Config,
        *,
        now: datetime,
        dates: bool,
        random: Callable[[int], bytes],
        probe: Probe,
        desk: Callable[[], Asked],
    ) -> None:
        """Prepare it; ``desk`` is made once it is needed.

        Without ``dates`` the clock was not set, and certificates' dates are not judged by it; the
        district still refuses a request whose time is far from its own.
        """
        self._config = config
        self._now = now
        self._judged = now if dates else None
        self._random = random
        self._probe = probe
        self._desk = desk

    async def run(self) -> Outcome:
        """Ask for a new certificate if it is time, and try it. Raises EnrolError."""
        district = self._config.district
        if district.ca is None:
            raise EnrolError(_("no broker speaks TLS"))
        present = _present(district)
        own = _own(district)
        waiting = own.with_name(own.name + place.WAITING)
        if self._now < present.due:
            return Outcome(State.NOT_DUE, present.until, present.due)
        ca = place.read(district.ca)
        if not self._usable(waiting, ca):
            place.keep_waiting(own, self._next(present, ca))
        return await self._try(present, own, waiting)

    def _next(self, present: _Present, ca: bytes) -> bytes:
        """Have the next one signed; returns key and certificate in one."""
        key = papers.new_key()
        gateway, at_s = self._config.gateway.id, int(self._now.timestamp())
        request, nonce = papers.request(key, gateway), self._random(NONCE_BYTES)
        said = statement(gateway=gateway, request=request, nonce=nonce, at_s=at_s)
        cert = self._desk().renewal(
            ca,
            request=request,
            certificate=present.cert,
            nonce=nonce,
            at_s=at_s,
            signature=papers.sign(present.key, said),
        )
        papers.check(cert, key, ca, gateway=gateway, now=self._judged)
        return key + cert

    def _usable(self, waiting: Path, ca: bytes) -> bool:
        """Whether a pair of an earlier day waits that still fits."""
        if not waiting.exists():
            return False
        both = place.read(waiting)
        try:
            papers.check(both, both, ca, gateway=self._config.gateway.id, now=self._judged)
        except EnrolError:
            return False
        return True

    async def _try(self, present: _Present, own: Path, waiting: Path) -> Outcome:
        trial = replace(
            self._config.district, cert=waiting, key=waiting, named_key=None, renewed=None
        )
        answers = await self._probe(trial)
        if any(answer.wrong is None for answer in answers):
            until = papers.life(place.read(waiting))[1]
            place.promote(own, waiting)
            return Outcome(State.RENEWED, until, present.due)
        refused = [answer for answer in answers if answer.wrong not in _AWAY]
        text = "; ".join(f"{answer.broker}: {answer.text}" for answer in refused or answers)
        if refused:
            place.discard(waiting)
        state = State.REFUSED if refused else State.WAITING
        return Outcome(state, present.until, present.due, text)


def _present(district: District) -> _Present:
    """Return the pair in use: the first that is whole. Raises EnrolError."""
    wrong: EnrolError | None = None
    for pair in pairs.pairs(district):
        try:
            return _read(pair)
        except EnrolError as exc:
            wrong = wrong or exc
    raise wrong or EnrolError(_("no certificate is configured"))


def _read(pair: pairs.Pair) -> _Present:
    cert, key = place.read(pair.cert), place.read(pair.key)
    if not papers.belong(cert, key):
        said = _("{key} does not belong to {cert}").format(key=pair.key, cert=pair.cert)
        raise EnrolError(said)
    begins, ends = papers.life(cert)
    return _Present(papers.alone(cert), key, ends, begins + (ends - begins) * 2 / 3)


def _own(district: District) -> Path:
    try:
        own = pairs.renewed(district)
    except OSError as exc:
        said = _("{path} cannot be read: {reason}")
        path = district.cert
        raise EnrolError(said.format(path=path, reason=exc.strerror or exc)) from exc
    if own is None:
        raise EnrolError(_("no broker speaks TLS"))
    return own
