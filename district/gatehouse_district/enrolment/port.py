"""The addresses below /enrol/v1/, for whoever serves the district's HTTPS port.

No cookie and no session is looked at: who asks proves it by a code or by a signature.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gatehouse.texts import _
from gatehouse_district.ca import Authority, Renewal, Signed
from gatehouse_district.enrolment.limits import Tries
from gatehouse_district.enrolment.messages import (
    LARGEST,
    ByCertificate,
    ByCode,
    certificate,
    decode,
    refusal,
)
from gatehouse_district.errors import AuthorityError

_log = logging.getLogger(__name__)

PREFIX: Final = "/enrol/v1"
_READ_S: Final = 10.0
_TOLD_S: Final = 60.0
"""Who tries on and on is told of at most so often: the log is for others too."""

M = TypeVar("M", ByCode, ByCertificate)


def routes(
    authority: Authority, *, now: Callable[[], datetime], monotonic_s: Callable[[], float]
) -> list[Route]:
    """Return what to mount beside the desk; ``now`` says the time with its zone."""
    desk = _Enrolment(authority, now, monotonic_s)
    return [
        Route(f"{PREFIX}/authority", desk.authority, methods=["GET"]),
        Route(f"{PREFIX}/certificate", desk.first, methods=["POST"]),
        Route(f"{PREFIX}/renewal", desk.next, methods=["POST"]),
    ]


class _RefusedError(Exception):
    """An answer other than a certificate."""

    def __init__(self, status: int, code: str, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.wait_s = wait_s


class _Enrolment:
    """Counts tries, reads bodies, and has the authority judge, in a thread."""

    def __init__(
        self,
        authority: Authority,
        now: Callable[[], datetime],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._authority = authority
        self._now = now
        self._monotonic_s = monotonic_s
        self._guesses = Tries(each=10, all=60)
        self._renewals = Tries(each=60, all=600)  # many schools may share one address
        self._told_s = -math.inf

    async def authority(self, _request: Request) -> Response:
        """Hand out the authority's certificate, which the code tells right from wrong."""
        return JSONResponse({"authority": self._authority.pem.decode("ascii")})

    async def first(self, request: Request) -> Response:
        """Sign for a code."""

        async def sign(asked: ByCode) -> Signed:
            pem = asked.request.encode()
            return await run_in_threadpool(
                self._authority.redeem, asked.gateway, asked.code, pem, self._now()
            )

        return await self._answer(request, self._guesses, ByCode, sign)

    async def next(self, request: Request) -> Response:
        """Sign for the certificate before."""

        async def sign(asked: ByCertificate) -> Signed:
            renewal = Renewal(
                request=asked.request.encode(),
                certificate=asked.certificate.encode(),
                nonce=asked.nonce,
                at_s=asked.at,
                signature=asked.signature,
            )
            return await run_in_threadpool(self._authority.renew, renewal, self._now())

        return await self._answer(request, self._renewals, ByCertificate, sign)

    async def _answer(
        self,
        request: Request,
        tries: Tries,
        kind: type[M],
        sign: Callable[[M], Awaitable[Signed]],
    ) -> Response:
        who = f"{request.url.path.rpartition('/')[2]} from {_from(request)}"
        try:
            asked = await self._read(request, tries, kind)
            who = f"{asked.what()} from {_from(request)}"
            signed = await sign(asked)
        except AuthorityError as exc:
            return self._refuse(who, _RefusedError(403, "refused", str(exc)))
        except _RefusedError as exc:
            return self._refuse(who, exc)
        entry = signed.entry
        _log.info("enrolment: %s: signed %s, serial %x", who, entry.name, entry.serial)
        return JSONResponse(certificate(signed.pem, self._authority.pem), status_code=201)

    def _refuse(self, who: str, why: _RefusedError) -> Response:
        if why.code != "limited" or self._monotonic_s() - self._told_s >= _TOLD_S:
            _log.warning("enrolment: %s: refused: %s", who, why)
            if why.code == "limited":
                self._told_s = self._monotonic_s()
        headers = {"Retry-After": str(math.ceil(why.wait_s))} if why.wait_s else None
        return JSONResponse(refusal(str(why), why.code), status_code=why.status, headers=headers)

    async def _read(self, request: Request, tries: Tries, kind: type[M]) -> M:
        """Count the try, and read the body as far as it may be long. Raises _RefusedError."""
        wait_s = tries.wait_s(_from(request), self._monotonic_s())
        if wait_s > 0:
            said = _("too many tries: wait {seconds} s").format(seconds=math.ceil(wait_s))
            raise _RefusedError(429, "limited", said, wait_s)
        body = bytearray()
        try:
            async with asyncio.timeout(_READ_S):
                async for part in request.stream():
                    body += part
                    if len(body) > LARGEST:
                        said = _("a request has at most {most} bytes").format(most=LARGEST)
                        raise _RefusedError(413, "too-large", said)
        except (TimeoutError, ClientDisconnect) as exc:
            raise _RefusedError(408, "slow", _("the request did not come in time")) from exc
        try:
            return decode(bytes(body), kind)
        except AuthorityError as exc:
            raise _RefusedError(400, "malformed", str(exc)) from exc


def _from(request: Request) -> str:
    return request.client.host if request.client else "?"
