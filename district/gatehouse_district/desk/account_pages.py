"""Accounts and the journal, for administrators."""

from typing import Final

from starlette.responses import RedirectResponse, Response

from gatehouse_district.desk.event_pages import position
from gatehouse_district.desk.journal import REFUSED
from gatehouse_district.desk.roles import Role, role_named
from gatehouse_district.desk.strangers import cut
from gatehouse_district.desk.times import of_seconds
from gatehouse_district.desk.visit import Doors, Handler, Visit
from gatehouse_district.errors import AnswerError

_PAGE: Final = 100


class AccountPages:
    """Who may sign in, and who did what."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._accounts = doors.parts.accounts

    async def all(self, visit: Visit) -> Response:
        """Show every account."""
        accounts = await self._accounts.all()
        return self._doors.page(visit, "accounts.html", accounts=accounts, roles=list(Role))

    async def journal(self, visit: Visit) -> Response:
        """Show who did what, the newest first."""
        before = position(visit.request.query_params.get("before", ""))
        lines = await self._accounts.journal.lines(limit=_PAGE + 1, before=before)
        return self._doors.page(
            visit,
            "journal.html",
            lines=[(of_seconds(each.at_s), each) for each in lines[:_PAGE]],
            more=lines[_PAGE - 1].position if len(lines) > _PAGE else None,
        )

    async def add(self, visit: Visit) -> None:
        """Add an account."""
        form = visit.form
        role = role_named(form.get("role", ""))
        await self._accounts.add(
            form.get("name", ""),
            role,
            form.get("password", ""),
            display=form.get("display", ""),
            by=visit.action("account-add", form.get("name", ""), detail=role.value),
        )

    async def role(self, visit: Visit) -> None:
        """Change what an account may."""
        name, role = visit.form.get("name", ""), role_named(visit.form.get("role", ""))
        by = visit.action("account-role", name, detail=role.value)
        await self._accounts.set_role(name, role, by=by)

    async def password(self, visit: Visit) -> None:
        """Give an account another password."""
        name = visit.form.get("name", "")
        by = visit.action("account-password", name)
        await self._accounts.set_password(name, visit.form.get("password", ""), by=by)

    async def remove(self, visit: Visit) -> None:
        """Remove an account."""
        name = visit.form.get("name", "")
        await self._accounts.remove(name, by=visit.action("account-remove", name))

    def change(self, word: str) -> Handler:
        """Return the handler of one change: what is refused is written down too."""
        work = {
            "account-add": self.add,
            "account-role": self.role,
            "account-password": self.password,
            "account-remove": self.remove,
        }[word]

        async def handler(visit: Visit) -> Response:
            try:
                await work(visit)
            except AnswerError as exc:
                target = visit.form.get("name", "")
                refused = visit.action(word, target, outcome=REFUSED, detail=cut(exc, 150))
                await self._doors.note(refused)
                raise
            return RedirectResponse("/accounts", 303)

        return handler
