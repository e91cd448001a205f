"""Signing in and out, and one's own password."""

from contextlib import suppress
from typing import Final

from starlette.responses import RedirectResponse, Response

from gatehouse.texts import _
from gatehouse_district.desk.journal import REFUSED, Action
from gatehouse_district.desk.limits import Buckets, neighbourhood
from gatehouse_district.desk.roles import account_name
from gatehouse_district.desk.tries import Tries, Try
from gatehouse_district.desk.visit import Doors, Visit
from gatehouse_district.errors import AnswerError, DistrictStoreError

_NOTED: Final = 5
"""Refused tries of one address that are written down at once; then one a minute."""


class SigningPages:
    """Who one is."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._parts = doors.parts
        self._accounts = doors.parts.accounts
        self._tries = Tries(doors.parts.limits)
        self._noted = Buckets(burst=_NOTED, per_s=1 / 60)

    async def form(self, visit: Visit) -> Response:
        """Show the form."""
        if visit.session is not None:
            return RedirectResponse("/", 303)
        return self._doors.page(visit, "sign_in.html", wrong="", name="")

    async def sign_in(self, visit: Visit) -> Response:
        """Let somebody in whose name and password are right.

        The answer to a wrong name is that to a wrong password, and as slow.
        """
        typed, password = visit.form.get("name", ""), visit.form.get("password", "")
        try:
            name = account_name(typed)
        except AnswerError:
            name = ""
        near = neighbourhood(visit.address)
        tried = await self._try(name, visit.address)
        if wait_s := tried.wait_s:
            said = _("Too many tries. Wait {n} seconds.").format(n=int(wait_s) + 1)
            # Whoever tries on and on must not push out of the journal what others did.
            if not self._noted.take(near, self._parts.steady_s()):
                await self._note(visit, typed, outcome=REFUSED, detail="too many tries")
            page = self._doors.page(visit, "sign_in.html", 429, wrong=said, name=typed[:64])
            page.headers["retry-after"] = str(int(wait_s) + 1)
            return page
        account = await self._accounts.proven(name, password, near)
        if account is None:
            await self._note(visit, typed, outcome=REFUSED)
            said = _("Wrong name or password.")
            return self._doors.page(visit, "sign_in.html", 401, wrong=said, name=typed[:64])
        self._tries.give_back(tried)
        if visit.session is not None:
            with suppress(DistrictStoreError):  # a full disk: the old one ends by itself
                await self._accounts.sessions.end(visit.session.key)
        token = await self._accounts.sessions.begin(account.name, visit.address)
        await self._note(visit, account.name)
        return self._doors.signed_in(RedirectResponse("/", 303), token)

    async def sign_out(self, visit: Visit) -> Response:
        """End this session."""
        if visit.session is not None:
            await self._accounts.sessions.end(visit.session.key)
            await self._doors.note(visit.action("sign-out"))
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(
            self._doors.cookie,
            secure=self._parts.secure,
            httponly=True,
            samesite="strict",
        )
        return response

    async def password_form(self, visit: Visit) -> Response:
        """Show the form for another password of one's own."""
        return self._doors.page(visit, "password.html", wrong="")

    async def password(self, visit: Visit) -> Response:
        """Change one's own password: all sessions end, this one begins anew."""
        name = visit.account.name
        near = neighbourhood(visit.address)
        wait_s = (await self._try(name, visit.address)).wait_s
        old, new = visit.form.get("old", ""), visit.form.get("new", "")
        said = _("Too many tries. Wait {n} seconds.").format(n=int(wait_s) + 1) if wait_s else ""
        if not said and new != visit.form.get("again"):
            said = _("The two new passwords are not the same.")
        if not said and await self._accounts.proven(name, old, near) is None:
            await self._doors.note(visit.action("account-password", name, outcome=REFUSED))
            said = _("Wrong password.")
        if said:
            return self._doors.page(visit, "password.html", 409, wrong=said)
        try:
            by = visit.action("account-password", name)
            await self._accounts.set_password(name, new, by=by)
        except AnswerError as exc:
            return self._doors.page(visit, "password.html", 409, wrong=str(exc))
        token = await self._accounts.sessions.begin(name, visit.address)
        return self._doors.signed_in(RedirectResponse("/", 303), token)

    async def _try(self, name: str, address: str) -> Try:
        """Take a try of who types this name here."""
        at_home = await self._accounts.knows(name, address)
        now_s = self._parts.steady_s()
        return self._tries.take(name, neighbourhood(address), now_s, at_home=at_home)

    async def _note(self, visit: Visit, who: str, **rest: str) -> None:
        await self._doors.note(Action(who, visit.address, "sign-in", **rest))
