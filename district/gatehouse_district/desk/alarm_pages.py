"""Alarms: the first page, one alarm, its pictures, and answering."""

from collections.abc import Awaitable
from typing import Final

from starlette.responses import JSONResponse, RedirectResponse, Response

from gatehouse.texts import _
from gatehouse_district.desk import alarm_view
from gatehouse_district.desk.alarm_view import SECTIONS, Seen
from gatehouse_district.desk.board import Board
from gatehouse_district.desk.event_pages import position
from gatehouse_district.desk.journal import REFUSED
from gatehouse_district.desk.live import Live, Messages, Reader, Streams
from gatehouse_district.desk.look import Look
from gatehouse_district.desk.roles import Role
from gatehouse_district.desk.strangers import cut, quoted
from gatehouse_district.desk.table import Row
from gatehouse_district.desk.timeline import timeline
from gatehouse_district.desk.visit import Doors, Visit
from gatehouse_district.errors import AnswerError, DistrictStoreError

_NAME: Final = 60
_ID: Final = 200
_PAGE: Final = 100
_JPEG: Final = "image/jpeg"
_SANDBOX: Final = "default-src 'none'; sandbox"
_EVENTS: Final = 100


class AlarmPages:
    """What the desk is for."""

    def __init__(self, doors: Doors, look: Look, board: Board) -> None:
        self._doors = doors
        self._look = look
        self._board = board
        limits = doors.parts.limits
        self._limits = limits
        self._records = doors.parts.records
        self._answering = doors.parts.answering
        self._messages = Messages(board, look, limits, doors.parts.now_s)
        self.streams = Streams(limits)

    async def first(self, visit: Visit) -> Response:
        """Show what is open, what is answered, and the last of the day."""
        await self._board.read()
        answers = visit.may(Role.ANSWER)
        version = self._board.alarms.version
        rows = sorted(self._board.alarms, key=lambda row: alarm_view.order(row.item.alarm))
        sections = {
            name: await self._look.alarms(
                [row for row in rows if alarm_view.section(row.item.alarm) == name],
                visit.language,
                answers=answers,
            )
            for name in SECTIONS
        }
        return self._doors.page(
            visit,
            "alarms.html",
            sections=sections,
            version=version,
            answers=answers,
            full=self._board.full,
        )

    async def all(self, visit: Visit) -> Response:
        """Show alarms of any kind and stage, page by page, the newest first."""
        before = visit.request.query_params.get("before", "")[:_ID]
        found = await self._records.alarms(open_only=False, limit=_PAGE + 1, before=before or None)
        rows = [Row(each.id, Seen(each), 0) for each in found[:_PAGE]]
        return self._doors.page(
            visit,
            "past.html",
            rows=await self._look.alarms(rows, visit.language, answers=False),
            before=before,
            more=rows[-1].id if len(found) > _PAGE else "",
        )

    async def one(self, visit: Visit) -> Response:
        """Show one alarm in the order of time."""
        id_ = visit.request.path_params["id"]
        alarm = await self._records.alarm(id_) if len(id_) <= _ID else None
        if alarm is None:
            said = _("There is no such alarm.")
            return self._doors.page(visit, "message.html", 404, said=said)
        pictures = await self._records.pictures(id_)
        entries = [
            entry
            for type_ in ("gatehouse.alarm.released", "gatehouse.evidence.ready")
            for entry in await self._records.events(
                gateway=alarm.gateway, type_=type_, limit=_EVENTS
            )
        ]
        raised = await self._records.events(
            gateway=alarm.gateway, type_="gatehouse.alarm.raised", limit=_EVENTS
        )
        return self._doors.page(
            visit,
            "alarm.html",
            item=alarm,
            steps=timeline(alarm, pictures, entries),
            pictures=alarm_view.in_time(pictures),
            raised=next((each for each in raised if each.event.get("id") == id_), None),
            answers=visit.may(Role.ANSWER),
        )

    async def picture(self, visit: Visit) -> Response:
        """Return one picture: a stranger's bytes, taken for a JPEG or for nothing."""
        id_, number = visit.request.path_params["id"], position(visit.request.path_params["number"])
        body = None
        if len(id_) <= _ID and number is not None:
            body = await self._records.picture(id_, number)
        if body is None:
            said = _("There is no such picture.")
            return self._doors.page(visit, "message.html", 404, said=said)
        heads = {
            "content-security-policy": _SANDBOX,
            "content-disposition": f'inline; filename="picture-{number}.jpg"',
        }
        return Response(body, media_type=_JPEG, headers=heads)

    async def acknowledge(self, visit: Visit) -> Response:
        """Answer an alarm. A page's script gets JSON, a form the page it came from."""
        id_ = visit.form.get("alarm", "")[:_ID]
        by = cut(visit.form.get("by", ""), _NAME).strip() or visit.account.display
        return await self._done(
            visit, "acknowledge", id_, self._answering.acknowledge(id_, by), detail=by
        )

    async def release(self, visit: Visit) -> Response:
        """Let the gateway delete what it keeps around an alarm."""
        id_ = visit.form.get("alarm", "")[:_ID]
        wish = self._answering.release_evidence(id_, visit.account.display)
        return await self._done(visit, "release-evidence", id_, wish)

    async def live(self, visit: Visit) -> Response:
        """Open the stream of a page."""
        session = visit.session
        if session is None:
            return Response("Sign in first.\n", 401)
        asked = visit.request.query_params
        boot, _dot, version = asked.get("at", "").partition(".")
        reader = Reader(
            language=visit.language,
            answers=visit.may(Role.ANSWER),
            rows=asked.get("rows", ""),
            boot=boot,
            version=int(version[:15]) if version.isdecimal() and version.isascii() else -1,
            watches=asked.get("watch") == "1",
        )

        async def alive() -> bool:
            try:
                found = await self._doors.parts.accounts.sessions.alive(session.key)
            except DistrictStoreError:
                return True  # nobody knows; a page that is open goes on showing alarms
            return found is not None and found.account == session.account

        return Live(
            session=session.key,
            streams=self.streams,
            messages=lambda: self._messages.of(reader, alive),
            send_s=self._limits.send_s,
        )

    async def _done(
        self, visit: Visit, word: str, id_: str, wish: Awaitable[None], *, detail: str = ""
    ) -> Response:
        """Do what is wished, write it down, and say how it went."""
        wants_json = visit.request.headers.get("accept") == "application/json"
        try:
            await wish
        except AnswerError as exc:
            refused = visit.action(word, id_, outcome=REFUSED, detail=cut(exc, 150))
            await self._doors.note(refused)
            if wants_json:
                return JSONResponse({"ok": False, "said": cut(exc, 300)}, 409)
            raise
        await self._doors.note(visit.action(word, id_, detail=detail))
        if wants_json:
            return JSONResponse({"ok": True})
        return RedirectResponse(_back(visit, id_), 303)


def _back(visit: Visit, id_: str) -> str:
    """Return the page to go back to: of our own two, never what a form says."""
    return f"/alarm/{quoted(id_)}" if visit.form.get("back") == "alarm" else "/"
