"""The desk as an ASGI application: its routes, each with the role that it needs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from gatehouse_district.desk.account_pages import AccountPages
from gatehouse_district.desk.alarm_pages import AlarmPages
from gatehouse_district.desk.board import Board
from gatehouse_district.desk.event_pages import EventPages
from gatehouse_district.desk.gate import HEADS, Gate
from gatehouse_district.desk.gateway_pages import GatewayPages
from gatehouse_district.desk.look import Look
from gatehouse_district.desk.parts import Parts
from gatehouse_district.desk.roles import Role
from gatehouse_district.desk.signing_pages import SigningPages
from gatehouse_district.desk.visit import Doors


def app(parts: Parts) -> Starlette:
    """Make the desk. Its lifespan must run, else pages are true when loaded and then stand still.

    ``app.state.board.stop()`` ends every stream: to be called before a server waits for its
    connections to end.
    """
    look = Look(parts)
    board = Board(parts)
    doors = Doors(parts, look, board)
    alarms = AlarmPages(doors, look, board)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with board.running():
            yield

    made = Starlette(
        routes=[*_routes(doors, alarms, look, board), *parts.extra],
        middleware=[Middleware(Gate, parts=parts)],
        exception_handlers={404: _not_here, 405: _not_here, 500: _broken},
        lifespan=lifespan,
    )
    made.state.board = board
    made.state.streams = alarms.streams
    return made


def _routes(doors: Doors, alarms: AlarmPages, look: Look, board: Board) -> list[BaseRoute]:
    get, post = doors.get, doors.post
    signing, gateways = SigningPages(doors), GatewayPages(doors, look, board)
    events, accounts = EventPages(doors), AccountPages(doors)
    administer = Role.ADMINISTER
    return [
        get("/sign-in", signing.form, None),
        post("/sign-in", signing.sign_in, None),
        post("/sign-out", signing.sign_out, Role.WATCH),
        get("/password", signing.password_form),
        post("/password", signing.password, Role.WATCH),
        get("/", alarms.first),
        get("/alarms", alarms.all),
        get("/live", alarms.live, None),
        get("/alarm/{id:path}", alarms.one),
        get("/picture/{number}/{id:path}", alarms.picture),
        post("/acknowledge", alarms.acknowledge, Role.ANSWER),
        post("/release-evidence", alarms.release, Role.ANSWER),
        get("/gateways", gateways.all),
        get("/gateway/{id:path}", gateways.one),
        post("/snapshot", gateways.snapshot, Role.ANSWER),
        get("/pictures/{id:path}", gateways.pictures),
        get("/events", events.all),
        get("/accounts", accounts.all, administer),
        get("/journal", accounts.journal, administer),
        *(
            post(f"/accounts/{word}", accounts.change(f"account-{word}"), administer)
            for word in ("add", "role", "password", "remove")
        ),
        Mount("/static", StaticFiles(packages=[("gatehouse_district.desk", "static")])),
    ]


async def _not_here(_request: Request, exc: Exception) -> Response:
    # Starlette gives its handlers any exception; of these two statuses it is an HTTPException
    status = getattr(exc, "status_code", 404)
    return PlainTextResponse("There is nothing here.\n", status)


async def _broken(_request: Request, _exc: Exception) -> Response:
    """Answer a mistake of ours, which goes to the log: this one is sent from outside the gate."""
    return PlainTextResponse("The desk has made a mistake; it is in its log.\n", 500, dict(HEADS))
