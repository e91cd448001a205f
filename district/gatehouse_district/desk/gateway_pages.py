"""Gateways: all of them, one, a picture on demand."""

from dataclasses import replace
from typing import Final

from starlette.responses import RedirectResponse, Response

from gatehouse.texts import _
from gatehouse_district.desk import gateway_view
from gatehouse_district.desk.board import Board
from gatehouse_district.desk.journal import REFUSED
from gatehouse_district.desk.look import Look
from gatehouse_district.desk.roles import Role
from gatehouse_district.desk.strangers import cut, quoted
from gatehouse_district.desk.visit import Doors, Visit
from gatehouse_district.errors import AnswerError

_ID: Final = 200
_EVENTS: Final = 30


class GatewayPages:
    """How the gateways are."""

    def __init__(self, doors: Doors, look: Look, board: Board) -> None:
        self._doors = doors
        self._look = look
        self._board = board
        self._records = doors.parts.records
        self._answering = doors.parts.answering

    async def all(self, visit: Visit) -> Response:
        """Show every gateway, trouble first."""
        await self._board.read_gateways()
        table = self._board.gateways
        version = table.version  # what comes while rows are drawn, the stream brings
        rows = sorted(table, key=lambda row: gateway_view.order(row.item))
        return self._doors.page(
            visit,
            "gateways.html",
            rows=await self._look.gateways(rows, visit.language),
            version=version,
        )

    async def one(self, visit: Visit) -> Response:
        """Show all that is known of one gateway."""
        id_ = visit.request.path_params["id"]
        gateway = await self._records.gateway(id_) if len(id_) <= _ID else None
        if gateway is None:
            said = _("There is no such gateway.")
            return self._doors.page(visit, "message.html", 404, said=said)
        return self._doors.page(
            visit,
            "gateway.html",
            item=gateway,
            found=gateway_view.trouble(replace(gateway, heard=None)),
            entries=await self._records.events(gateway=id_, limit=_EVENTS),
            answers=visit.may(Role.ANSWER),
        )

    async def snapshot(self, visit: Visit) -> Response:
        """Ask a gateway for a picture now, and show where it will come."""
        id_ = visit.form.get("gateway", "")[:_ID]
        camera = visit.form.get("camera", "")[:_ID]
        target = f"{id_} {camera}"
        try:
            coming = await self._answering.snapshot(id_, camera, visit.account.display)
        except AnswerError as exc:
            refused = visit.action("snapshot", target, outcome=REFUSED, detail=cut(exc, 150))
            await self._doors.note(refused)
            raise
        await self._doors.note(visit.action("snapshot", target, detail=coming))
        return RedirectResponse(f"/pictures/{quoted(coming)}", 303)

    async def pictures(self, visit: Visit) -> Response:
        """Show the pictures that were asked for under one id, once they come."""
        id_ = visit.request.path_params["id"][:_ID]
        pictures = await self._records.pictures(id_)
        return self._doors.page(visit, "pictures.html", id=id_, pictures=pictures)
