"""The page's web application: the page, its stream of what happens, and one address that acts."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from gatehouse import texts
from gatehouse_sim.page import wishes
from gatehouse_sim.page.guard import Guard
from gatehouse_sim.page.hands import Hands
from gatehouse_sim.page.stand import Stand
from gatehouse_sim.page.telling import Around, tell
from gatehouse_sim.page.words import words
from gatehouse_sim.school import School
from gatehouse_sim.wires import WiringError

LANGUAGES: Final = {"zh_CN": "中文", "en": "English"}
MOST_BYTES: Final = 4096
"""Of one wish."""
MOST_VIEWERS: Final = 32
_HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the district's desk is, and the account that was made for the demo."""

    url: str
    user: str
    password: str


class Page:
    """Answers the browsers of one school."""

    def __init__(self, school: School, stand: Stand, hands: Hands, desk: Desk | None) -> None:
        self._school = school
        self._stand = stand
        self._hands = hands
        self._desk = desk
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def show(self, request: Request) -> Response:
        """Return the page itself, in the visitor's language."""
        language = _speak(request)
        html = self._templates.get_template("school.html").render(
            w=words(),
            language=language,
            languages=LANGUAGES,
            school=self._school.plan,
            config=self._stand.config,
            desk=self._desk,
            said=self._told(),
        )
        return HTMLResponse(html)

    async def events(self, request: Request) -> Response:
        """Stream every edge, and what stands in words whenever it changes."""
        if self._stand.viewers >= MOST_VIEWERS:
            return Response("too many look on\n", 503)
        _speak(request)
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def act(self, request: Request) -> Response:
        """Carry out one wish; what is refused, and why, is said."""
        _speak(request)
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BYTES:
                return _said(413, f"a wish has at most {MOST_BYTES} bytes")
        try:
            wish = wishes.decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
            return _said(400, str(exc))
        try:
            return _said(200, await wishes.carry_out(self._hands, wish))
        except LookupError as exc:
            return _said(404, f"{exc}")
        except (WiringError, OSError, ValueError) as exc:
            return _said(409, str(exc))

    async def _stream(self) -> AsyncIterator[str]:
        viewer = self._stand.look()
        try:
            while not self._stand.closed:
                await viewer.woken.wait()
                viewer.woken.clear()
                edges, viewer.edges = viewer.edges, []
                if edges:
                    yield f"event: pins\ndata: {json.dumps(edges)}\n\n"
                if viewer.stale:
                    viewer.stale = False
                    yield f"event: now\ndata: {json.dumps(self._told(), ensure_ascii=False)}\n\n"
        finally:
            self._stand.look_away(viewer)

    def _told(self) -> dict[str, dict[str, object]]:
        cable, disk = self._school.cable, self._school.disk
        plugged = cable is None or cable.plugged
        return tell(self._stand, Around(plugged, disk_full=disk.full, no_disk=disk.why))


def application(page: Page, port: int) -> ASGIApp:
    """Return the application behind its guard; ``port`` is where it will listen."""
    routes = [
        Route("/", page.show),
        Route("/events", page.events),
        Route("/do", page.act, methods=["POST"]),
        Mount("/static", StaticFiles(directory=_HERE / "static")),
    ]
    return Guard(Starlette(routes=routes), port)


def _speak(request: Request) -> str:
    """Speak the visitor's language for the rest of this request, and return it."""
    language = request.query_params.get("lang")
    if language not in LANGUAGES:
        wanted = request.headers.get("accept-language", "")
        language = "zh_CN" if wanted.lower().startswith("zh") else "en"
    texts.use(language)
    return language


def _said(code: int, text: str) -> Response:
    return JSONResponse({"ok": code == 200, "said": text}, code)
