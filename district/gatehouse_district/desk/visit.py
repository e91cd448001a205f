"""One request of somebody: who they are, what they may, what they sent."""

import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from gatehouse.texts import _
from gatehouse_district.desk import gate
from gatehouse_district.desk.board import Board
from gatehouse_district.desk.journal import REFUSED, Action
from gatehouse_district.desk.limits import neighbourhood
from gatehouse_district.desk.look import Look
from gatehouse_district.desk.parts import Parts
from gatehouse_district.desk.roles import Account, Role
from gatehouse_district.desk.sessions import LONGEST_S, Session
from gatehouse_district.errors import AnswerError, DistrictStoreError, SignInError

_log = logging.getLogger(__name__)
_FIELDS: Final = 20
_TOLD: Final = (5, 1 / 60)
"""Lines of the log on a disk that fails: at once, and then each second."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, after the checks."""

    request: Request
    session: Session | None
    form: Mapping[str, str]
    address: str
    language: str

    @property
    def account(self) -> Account:
        """Who it is. Raises SignInError for nobody."""
        if self.session is None:
            raise SignInError(_("sign in first"))
        return self.session.account

    def may(self, needed: Role) -> bool:
        """Whether they may do this."""
        return self.session is not None and self.session.account.role.may(needed)

    def action(self, word: str, target: str = "", **rest: str) -> Action:
        """Return what they do, to be written down."""
        return Action(self.account.name, self.address, word, target, **rest)


Handler = Callable[[Visit], Awaitable[Response]]


class Doors:
    """Makes routes: each says what it needs, and nobody comes in who has it not."""

    def __init__(self, parts: Parts, look: Look, board: Board) -> None:
        self.parts = parts
        self._look = look
        self._board = board
        self._sessions = parts.buckets(parts.limits.post_session)
        self._addresses = parts.buckets(parts.limits.post_address)
        self._told = parts.buckets(_TOLD)

    @property
    def cookie(self) -> str:
        """The name of the session's cookie."""
        return self.parts.cookie

    def get(self, path: str, handler: Handler, needs: Role | None = Role.WATCH) -> Route:
        """Return a route to read; ``needs`` None is for everybody."""
        return Route(path, self._guarded(handler, needs), methods=["GET"])

    def post(self, path: str, handler: Handler, needs: Role | None) -> Route:
        """Return a route that changes something: with the session's token, from our own pages."""
        return Route(path, self._guarded(handler, needs), methods=["POST"])

    def page(self, visit: Visit, template: str, status: int = 200, **said: object) -> HTMLResponse:
        """Return a page in the visitor's language, with what every page has."""
        html = self._look.page(
            template,
            visit=visit,
            path=visit.request.url.path,
            account=visit.session.account if visit.session else None,
            csrf=visit.session.csrf if visit.session else "",
            language=visit.language,
            boot=self._board.boot,
            now_ms=int(self.parts.now_s() * 1000),
            summary=self._board.summary,
            trouble=self._board.trouble,
            deaf=not self._board.hears(),
            unkept=visit.session is not None and visit.session.unkept,
            warns=self.parts.warns() if visit.session else (),
            beat_s=self.parts.limits.beat_s,
            **said,
        )
        return self._with_language(HTMLResponse(html, status), visit)

    def signed_in(self, response: Response, token: str) -> Response:
        """Put a session's token into the browser."""
        response.set_cookie(
            self.cookie,
            token,
            max_age=LONGEST_S,
            path="/",
            secure=self.parts.secure,
            httponly=True,
            samesite="strict",
        )
        return response

    def _with_language(self, response: HTMLResponse, visit: Visit) -> HTMLResponse:
        if visit.request.query_params.get("lang") in gate.LANGUAGES:
            response.set_cookie(
                gate.LANGUAGE_COOKIE,
                visit.language,
                max_age=365 * 24 * 3600,
                secure=self.parts.secure,
                httponly=True,
                samesite="strict",
            )
        return response

    def _guarded(self, handler: Handler, needs: Role | None) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            address = request.client.host if request.client else ""
            language = gate.language_of(request.scope, request.headers)
            stranger = Visit(request, None, {}, address, language)
            try:
                visit = await self._let_in(stranger)
                refusal = await self._refusal(visit, needs)
                return refusal or await handler(visit)
            except (AnswerError, SignInError) as exc:
                return self.page(stranger, "message.html", 409, said=str(exc))
            except DistrictStoreError as exc:
                if not self._told.take("", self.parts.steady_s()):  # a hundred pages try on and on
                    _log.error("the desk cannot do %s: %s", request.url.path, exc)
                said = _("The district's disk or database fails. Call whoever looks after it.")
                return self.page(stranger, "message.html", 503, said=said)

        return endpoint

    async def _let_in(self, stranger: Visit) -> Visit:
        request = stranger.request
        token = request.cookies.get(self.cookie, "")
        session = await self.parts.accounts.sessions.find(token) if token else None
        form: dict[str, str] = {}
        if request.method == "POST":
            form = dict(_fields(await request.body()))
        return Visit(request, session, form, stranger.address, stranger.language)

    async def _refusal(self, visit: Visit, needs: Role | None) -> Response | None:
        """Return the answer to who may not, or None."""
        if visit.request.method == "POST" and (refused := self._foreign(visit, needs)):
            return refused
        if needs is None:
            return None
        if visit.session is None:
            return RedirectResponse("/sign-in", 303)
        if visit.may(needs):
            return None
        path = visit.request.url.path
        await self.note(visit.action(path.strip("/"), outcome=REFUSED, detail="role"))
        said = _("Your account may not do this.")
        return self.page(visit, "message.html", 403, said=said)

    def _foreign(self, visit: Visit, needs: Role | None) -> Response | None:
        """Refuse a POST that comes too often, or from another page than ours."""
        buckets, key = self._addresses, neighbourhood(visit.address)
        if visit.session:
            buckets, key = self._sessions, visit.session.key.hex()
        if wait_s := buckets.take(key, self.parts.steady_s()):
            said = _("Too often. Wait {n} seconds.").format(n=int(wait_s) + 1)
            response = self.page(visit, "message.html", 429, said=said)
            response.headers["retry-after"] = str(int(wait_s) + 1)
            return response
        said = _("This did not come from a page of this desk. Load the page again.")
        if not self._from_here(visit.request):
            return self.page(visit, "message.html", 403, said=said)
        if needs is None or visit.session is None:
            return None
        sent = visit.form.get("csrf", "").encode("utf-8", "replace")
        if not hmac.compare_digest(sent, visit.session.csrf.encode()):
            return self.page(visit, "message.html", 403, said=said)
        return None

    def _from_here(self, request: Request) -> bool:
        """Whether the browser says that one of our pages asks: with a POST each one says it."""
        site = request.headers.get("sec-fetch-site")
        origin = request.headers.get("origin")
        if site is not None and site != "same-origin":
            return False
        if origin is None:
            return site == "same-origin"
        scheme = "https" if self.parts.secure else "http"
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme == scheme and parts.netloc.lower() == request.headers["host"].lower()

    async def note(self, action: Action) -> None:
        """Write an action down. An alarm's answer does not wait for a disk that fails."""
        try:
            await self.parts.accounts.journal.note(action)
        except DistrictStoreError as exc:
            _log.error("not written into the desk's journal: %s: %s", action, exc)


def _fields(body: bytes) -> list[tuple[str, str]]:
    """Read a form. Raises AnswerError for one that is none of ours."""
    try:
        return parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS, errors="replace"
        )
    except ValueError as exc:
        raise AnswerError(_("this is not a form of this desk")) from exc
