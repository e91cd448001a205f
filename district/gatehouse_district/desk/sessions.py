"""Sessions: a random token in the browser, its hash and everything else on the server."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from gatehouse.clock import Clock
from gatehouse_district.desk.roles import Account, Role
from gatehouse_district.desk.storage import Connection, Storage
from gatehouse_district.errors import DistrictStoreError

IDLE_S: Final = 12 * 3600
"""A shift (s). A page that is open counts as use: a screen on the wall stays."""
LONGEST_S: Final = 7 * 24 * 3600
_TOUCH_S: Final = 60
"""A use is written down at most this often, in s: each is a commit."""
_BYTES: Final = 32
_MOST_SEEN: Final = 1_000
_MOST_UNKEPT: Final = 200
_MOST_EACH: Final = 50
"""Sessions of one account; the oldest end."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has signed in."""

    key: bytes
    """SHA-256 of the token."""
    account: Account
    csrf: str
    ends_s: int
    """When it ends in any case: seconds since 1970, UTC."""
    unkept: bool = False
    """Whether it is in memory alone, as the disk took nothing when it began."""


@dataclass(slots=True)
class _Unkept:
    """A session that the disk did not take; it ends with the password that it began with."""

    account: str
    password: str
    csrf: str
    created_s: int
    used_s: int


def end_all(db: Connection, account: str) -> None:
    """End every session of an account, in the transaction that is open."""
    db.execute("DELETE FROM session WHERE account = ?", (account,))


class Sessions:
    """Begins, finds and ends sessions. All of it raises DistrictStoreError when the disk fails."""

    def __init__(self, storage: Storage, clock: Clock, random: Callable[[int], bytes]) -> None:
        self._storage = storage
        self._clock = clock
        self._random = random
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._unkept: OrderedDict[bytes, _Unkept] = OrderedDict()

    def seen(self, token: str) -> bool:
        """Whether this was a session's token when it was last looked at."""
        return _key(token) in self._seen or _key(token) in self._unkept

    async def begin(self, account: str, address: str) -> str:
        """Begin a session and return its token; in memory where the disk takes nothing.

        Who can prove who they are must come to the alarms, whatever is full.
        """
        token, csrf = self._random(_BYTES).hex(), self._random(_BYTES).hex()
        now_s = self._now_s()

        def work(db: Connection) -> None:
            _sweep(db, now_s)
            db.execute(
                "INSERT INTO session (token, account, csrf, address, created_s, used_s)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (_key(token), account, csrf, address, now_s, now_s),
            )
            db.execute(
                "DELETE FROM session WHERE account = ?1 AND token NOT IN (SELECT token FROM session"
                " WHERE account = ?1 ORDER BY created_s DESC, rowid DESC LIMIT ?2)",
                (account, _MOST_EACH),
            )

        try:
            await self._storage.run(work)
        except DistrictStoreError:
            unkept = _Unkept(account, await self._password(account), csrf, now_s, now_s)
            self._unkept[_key(token)] = unkept
            if len(self._unkept) > _MOST_UNKEPT:
                self._unkept.popitem(last=False)
        return token

    async def find(self, token: str) -> Session | None:
        """Return the session of a token, and count it as used; None when there is none any more."""
        return await self.alive(_key(token))

    async def alive(self, key: bytes) -> Session | None:
        """Return the session of this key, as it is now."""
        if key in self._unkept:
            return await self._alive_unkept(key)
        now_s = self._now_s()

        row = await self._storage.run(
            lambda db: db.execute(
                "SELECT name, display, role, csrf, session.created_s, used_s FROM session"
                " JOIN account ON account.name = session.account WHERE token = ?",
                (key,),
            ).fetchone()
        )
        self._seen.pop(key, None)
        if row is None:
            return None
        name, display, role, csrf, created_s, used_s = row
        ended = now_s >= created_s + LONGEST_S or now_s >= used_s + IDLE_S
        with suppress(DistrictStoreError):  # a full disk shuts nobody out who is signed in
            if ended:
                await self.end(key)
            elif now_s >= used_s + _TOUCH_S:
                await self._touch(key, now_s)
        if ended:
            return None
        self._seen[key] = None
        if len(self._seen) > _MOST_SEEN:
            self._seen.popitem(last=False)
        return Session(key, Account(name, display, Role(role)), csrf, created_s + LONGEST_S)

    async def _alive_unkept(self, key: bytes) -> Session | None:
        """Return a session that is in memory: also of it the account and its password decide."""
        held, now_s = self._unkept[key], self._now_s()
        row = await self._storage.run(
            lambda db: db.execute(
                "SELECT name, display, role FROM account WHERE name = ? AND password = ?",
                (held.account, held.password),
            ).fetchone()
        )
        if row is None or now_s >= held.created_s + LONGEST_S or now_s >= held.used_s + IDLE_S:
            self._unkept.pop(key, None)
            return None
        held.used_s = now_s
        account = Account(row[0], row[1], Role(row[2]))
        return Session(key, account, held.csrf, held.created_s + LONGEST_S, unkept=True)

    async def _password(self, account: str) -> str:
        row = await self._storage.run(
            lambda db: db.execute(
                "SELECT password FROM account WHERE name = ?", (account,)
            ).fetchone()
        )
        return str(row[0]) if row else ""

    async def _touch(self, key: bytes, now_s: int) -> None:
        def work(db: Connection) -> None:
            db.execute("UPDATE session SET used_s = ? WHERE token = ?", (now_s, key))

        await self._storage.run(work)

    async def end(self, key: bytes) -> None:
        """End one session."""
        unkept = self._unkept.pop(key, None) is not None

        def work(db: Connection) -> None:
            db.execute("DELETE FROM session WHERE token = ?", (key,))

        try:
            await self._storage.run(work)  # a disk that hung may have taken an unkept one after all
        except DistrictStoreError:
            if not unkept:
                raise

    def _now_s(self) -> int:
        return self._clock.reading().unix_ns // 10**9


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _sweep(db: Connection, now_s: int) -> None:
    db.execute(
        "DELETE FROM session WHERE created_s <= ? OR used_s <= ?",
        (now_s - LONGEST_S, now_s - IDLE_S),
    )
