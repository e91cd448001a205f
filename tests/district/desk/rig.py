"""A desk over the district in memory, with cheap passwords and a clock that tests move."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher
from starlette.applications import Starlette

from district.desk.fake_district import FakeDistrict
from gatehouse.clock import Clock, Reading
from gatehouse_district.desk import Accounts, Parts, Role, app
from gatehouse_district.desk.journal import Action
from gatehouse_district.desk.parts import Limits
from gatehouse_district.desk.passwords import Passwords

BASE = "http://localhost:8443"
PASSWORD = "correct horse battery"  # noqa: S105  # of a test
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
BY = Action("test", "127.0.0.1", "account-add")
NOW_S = 1_795_000_000.0


class SetClock:
    """All clocks in one number that tests move."""

    bootid = "test"

    def __init__(self, now_s: float = NOW_S) -> None:
        self.now_s = now_s

    def reading(self) -> Reading:
        """Read all clocks at once."""
        ns = int(self.now_s * 1e9)
        return Reading(ns, ns, ns)

    def synced(self) -> bool:
        """Always."""
        return True


@dataclass
class Desk:
    """One desk, and what stands behind it."""

    app: Starlette
    parts: Parts
    district: FakeDistrict
    clock: Clock

    def client(self, base: str = BASE, **heads: str) -> "Browser":
        """Return somebody's browser."""
        transport = httpx.ASGITransport(app=self.app, client=("127.0.0.1", 50_000))
        return Browser(transport=transport, base_url=base, headers=heads)

    async def signed_in(self, name: str) -> "Browser":
        """Return the browser of somebody who has signed in."""
        browser = self.client()
        answer = await browser.sign_in(name)
        assert answer.status_code == 303, answer.text
        return browser


class Browser(httpx.AsyncClient):
    """Sends what browsers send with a form of the page itself."""

    async def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """Fill in the form and send it."""
        return await self.send_form("/sign-in", name=name, password=password)

    async def csrf(self) -> str:
        """Return the session's token, as a page has it."""
        page = (await self.get("/password")).text
        return page.partition('name="csrf" value="')[2].partition('"')[0]

    async def send_form(
        self, path: str, heads: Mapping[str, str] | None = None, /, **fields: str
    ) -> httpx.Response:
        """Send a form as our own page would."""
        own = {"origin": str(self.base_url).rstrip("/"), "sec-fetch-site": "same-origin"}
        return await self.post(path, data=fields, headers=own if heads is None else heads)

    async def act(self, path: str, **fields: str) -> httpx.Response:
        """Send a form with the session's token."""
        return await self.send_form(path, csrf=await self.csrf(), **fields)


@asynccontextmanager
async def desk(
    path: Path, *, clock: Clock | None = None, hasher: Any = CHEAP, **other: Any
) -> AsyncIterator[Desk]:
    """Make a desk with one account of each role, each named as its role."""
    clock = clock or SetClock()
    district = FakeDistrict(clock.reading().unix_ns / 1e9)
    accounts = Accounts(path / "desk.db", clock, secrets.token_bytes, Passwords(hasher))
    for role in Role if not await accounts.all() else ():
        await accounts.add(role.value, role, PASSWORD, display=f"{role.value} 王敏", by=BY)
    parts = Parts(
        records=district,
        answering=district,
        news=district,
        accounts=accounts,
        clock=clock,
        random=secrets.token_bytes,
        district="市南区",
        secure=False,
        limits=other.pop("limits", Limits()),
    )
    try:
        parts = replace(parts, **other)
        yield Desk(app(parts), parts, district, clock)
    finally:
        accounts.close()
