"""Asking the district: who answers must prove who they are before they are told anything."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from enrol.made import OURS
from enrol.port import port
from gatehouse.enrol import code, first
from gatehouse.enrol.place import Place
from gatehouse.enrol.wire import Desk
from gatehouse.errors import EnrolError
from gatehouse.texts import use
from gatehouse_sim.authority import EXPIRED, Authority

NOW = datetime.now(UTC)


@pytest.fixture
def sim(tmp_path: Path) -> Authority:
    """Lend an authority of today."""
    return Authority.make(tmp_path / "ca", NOW)


@pytest.fixture
def where(tmp_path: Path) -> Place:
    """Lend the places of a gateway that has nothing yet."""
    etc = tmp_path / "etc"
    return Place(OURS, etc / "ca.pem", etc / "gateway.pem", etc / "gateway.key", tmp_path)


async def enrolled(where: Place, url: str, typed: str, *, dates: bool = True) -> None:
    """Enrol as the command does, in a thread. Raises EnrolError."""
    now = datetime.now(UTC) if dates else None
    desk = Desk(url, dates=dates)
    await asyncio.to_thread(first.by_code, where, desk, code.read(typed), now)


async def test_a_code_is_all_that_is_needed(sim: Authority, where: Place) -> None:
    """Without it somebody would have to carry the authority's certificate to each school."""
    typed = sim.real.code(OURS, NOW).text
    async with port(sim.real, sim.server()) as there:
        await enrolled(where, there.url, typed.lower())
        assert where.ca.read_bytes() == sim.ca.read_bytes()
        with pytest.raises(EnrolError, match="refuses: no such code"):
            await enrolled(where, there.url, typed)


async def test_a_refusal_is_in_the_language_of_who_asks(sim: Authority, where: Place) -> None:
    """Without it an English command ends in a Chinese sentence, and the other way round."""
    typed = sim.real.code(OURS, NOW).text
    seen: list[str] = []

    async def post(request: Request) -> Response:
        seen.append(request.headers["accept-language"])
        return JSONResponse({"error": "no"}, 403)

    more = [Route("/enrol/v1/certificate", post, methods=["POST"])]
    async with port(sim.real, sim.server(), more=more) as there:
        for language in ("zh_CN", "en"):
            use(language)
            with pytest.raises(EnrolError):
                await enrolled(where, there.url, typed)
    assert seen == ["zh-CN", "en"]


class Listener:
    """Says what a test has it say, and remembers what it was told."""

    def __init__(self, answer: Response | None = None) -> None:
        self.told: list[bytes] = []
        self.answer = answer

    def routes(self, ca: bytes | None = None) -> list[Route]:
        """Stand before the real routes."""

        async def post(request: Request) -> Response:
            self.told.append(await request.body())
            return self.answer or JSONResponse({})

        async def get(_request: Request) -> Response:
            return JSONResponse({"authority": (ca or b"").decode()})

        listed = [Route("/enrol/v1/certificate", post, methods=["POST"])]
        return [Route("/enrol/v1/authority", get), *listed] if ca is not None else listed


async def test_an_impostor_is_told_nothing(sim: Authority, where: Place, tmp_path: Path) -> None:
    """Without it whoever sits in the line would have the code, and then the school's name."""
    typed = sim.real.code(OURS, NOW).text
    other = Authority.make(tmp_path / "other", NOW)
    listener = Listener()
    # an authority of their own
    async with port(other.real, other.server(), more=listener.routes()) as there:
        with pytest.raises(EnrolError, match="another authority than the code"):
            await enrolled(where, there.url, typed)
    # the right authority's certificate, which anybody has, but a server that it did not sign
    for impostor, why in (
        (other.server(), "CERTIFICATE_VERIFY_FAILED"),
        (sim.server(["elsewhere.example"], file="elsewhere"), "mismatch"),
        (sim.client("qd-sn-0043"), "purpose|CERTIFICATE_VERIFY_FAILED"),
        (sim.server(file="old", span=EXPIRED), "expired"),
    ):
        routes = listener.routes(sim.real.pem)
        async with port(other.real, impostor, more=routes) as there:
            with pytest.raises(EnrolError, match=f"cannot be asked.*({why})"):
                await enrolled(where, there.url, typed)
    assert listener.told == []
    assert not where.cert.exists()


STRANGE: Final[tuple[tuple[Response, str], ...]] = (
    (RedirectResponse("https://elsewhere.example/"), "refuses: status 307"),
    (Response(b"x" * 100_000, 201), "answers too much"),
    (Response(b"{", 201), "does not answer as one"),
    (JSONResponse([1], 201), "does not answer as one"),
    (JSONResponse({"certificate": "网"}, 201), "does not answer as one"),
    (JSONResponse({"certificate": "x"}, 201), "no certificate"),
    (JSONResponse({"error": "\x1b[2Jno"}, 403), r"refuses: \[2Jno"),
    (Response(b"<html>", 500), "refuses: status 500"),
)


async def test_an_answer_that_is_none(sim: Authority, where: Place) -> None:
    """Without it a district's mistake would end in a traceback, or in a file."""
    typed = sim.real.code(OURS, NOW).text
    listener = Listener()
    async with port(sim.real, sim.server(), more=listener.routes()) as there:
        for listener.answer, why in STRANGE:
            with pytest.raises(EnrolError, match=why):
                await enrolled(where, there.url, typed)
    assert len(listener.told) == len(STRANGE)
    assert not where.cert.exists()


async def test_an_unset_clock_judges_no_dates(sim: Authority, where: Place) -> None:
    """Without it a gateway fresh from its box, whose clock stands at 1970, could not enrol."""
    typed = sim.real.code(OURS, NOW).text
    old = sim.server(file="old", span=EXPIRED)
    async with port(sim.real, old) as there:
        await enrolled(where, there.url, typed, dates=False)
    assert where.cert.exists()


async def test_nobody_there_is_told(where: Place, sim: Authority) -> None:
    """Without it a wrong address would end in a traceback."""
    typed = sim.real.code(OURS, NOW - timedelta(days=2)).text
    async with port(sim.real, sim.server()) as there:
        url = there.url
        with pytest.raises(EnrolError, match="older than 24 hours"):
            await enrolled(where, url, typed)
    with pytest.raises(EnrolError, match="cannot be asked"):
        await enrolled(where, url, typed)
