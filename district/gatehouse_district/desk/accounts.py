"""Accounts: who may sign in, and the one way in."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from gatehouse.clock import Clock
from gatehouse.texts import _
from gatehouse_district.desk import journal
from gatehouse_district.desk.journal import Action, Journal
from gatehouse_district.desk.passwords import Passwords
from gatehouse_district.desk.roles import Account, Role, account_name, display_name
from gatehouse_district.desk.sessions import Sessions, end_all
from gatehouse_district.desk.storage import Connection, Storage
from gatehouse_district.errors import AnswerError, DistrictStoreError

_ALL: Final = "SELECT name, display, role FROM account ORDER BY name"

__all__ = ["Account", "Accounts", "Role"]


class Accounts:
    """The accounts of one desk, with their sessions and the journal of what they did.

    Every change names who wants it (``by``) and is written down with it, in one transaction.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        random: Callable[[int], bytes],
        passwords: Passwords | None = None,
    ) -> None:
        """Open or make ``desk.db`` at ``path``. Raises DistrictStoreError."""
        self._storage = Storage(path)
        self._clock = clock
        self.passwords = passwords or Passwords()
        self.sessions = Sessions(self._storage, clock, random)
        self.journal = Journal(self._storage, clock)

    def close(self) -> None:
        """Close the file."""
        self._storage.close()

    async def all(self) -> Sequence[Account]:
        """Return every account, by name. Raises DistrictStoreError."""
        rows = await self._storage.run(
            lambda db: db.execute(
                "SELECT name, display, role FROM account ORDER BY name"
            ).fetchall()
        )
        return [Account(name, display, Role(role)) for name, display, role in rows]

    async def add(self, name: str, role: Role, password: str, *, display: str, by: Action) -> None:
        """Add an account. Raises AnswerError for a name that is taken or cannot be."""
        name = account_name(name)
        shown = display_name(display, name)
        hashed = await self.passwords.hashed(password)
        now_s = self._now_s()

        def work(db: Connection) -> None:
            added = db.execute(
                "INSERT INTO account (name, display, role, password, created_s)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (name, shown, role.value, hashed, now_s),
            )
            if added.rowcount != 1:
                raise AnswerError(_("there is an account {name} already").format(name=name))
            journal.write(db, now_s, by)

        await self._storage.run(work)

    async def set_role(self, name: str, role: Role, *, by: Action) -> None:
        """Change what an account may. Raises AnswerError; the last administrator stays one."""

        def work(db: Connection) -> None:
            had = _administrators(db)
            changed = db.execute(
                "UPDATE account SET role = ? WHERE name = ?", (role.value, name.casefold())
            )
            _must_exist(changed.rowcount, name)
            _must_administer(db, had)
            journal.write(db, self._now_s(), by)

        await self._storage.run(work)

    async def set_password(self, name: str, password: str, *, by: Action) -> None:
        """Give an account another password, and end all its sessions. Raises AnswerError."""
        hashed = await self.passwords.hashed(password)

        def work(db: Connection) -> None:
            changed = db.execute(
                "UPDATE account SET password = ? WHERE name = ?", (hashed, name.casefold())
            )
            _must_exist(changed.rowcount, name)
            end_all(db, name.casefold())
            journal.write(db, self._now_s(), by)

        await self._storage.run(work)

    async def remove(self, name: str, *, by: Action) -> None:
        """Remove an account and end its sessions. Raises AnswerError for the last administrator."""

        def work(db: Connection) -> None:
            had = _administrators(db)
            gone = db.execute("DELETE FROM account WHERE name = ?", (name.casefold(),))
            _must_exist(gone.rowcount, name)
            _must_administer(db, had)
            journal.write(db, self._now_s(), by)

        await self._storage.run(work)

    async def proven(self, name: str, password: str, near: str = "") -> Account | None:
        """Return the account whose name and password these are; None, as slowly, for any other.

        ``near`` is where they were typed: those of one place wait for one another.
        Raises SignInError when too many try at once, DistrictStoreError when the disk fails.
        """
        row = await self._storage.run(
            lambda db: db.execute(
                "SELECT name, display, role, password FROM account WHERE name = ?", (name,)
            ).fetchone()
        )
        right = await self.passwords.right(row[3] if row else None, password, near)
        if not right:
            return None
        if self.passwords.stale(row[3]):
            with suppress(DistrictStoreError):  # a full disk keeps nobody out; at another sign-in
                await self._rehash(name, password, row[3])
        return Account(row[0], row[1], Role(row[2]))

    async def knows(self, name: str, address: str) -> bool:
        """Whether this account has signed in from this address before."""
        row = await self._storage.run(
            lambda db: db.execute(
                "SELECT 1 FROM journal WHERE action = 'sign-in' AND who = ? AND address = ?"
                " AND outcome = ? LIMIT 1",
                (name, address, journal.DONE),
            ).fetchone()
        )
        return row is not None

    async def _rehash(self, name: str, password: str, old: str) -> None:
        """Store the same password at today's costs, unless it was changed meanwhile."""
        hashed = await self.passwords.hashed(password)

        def work(db: Connection) -> None:
            db.execute(
                "UPDATE account SET password = ? WHERE name = ? AND password = ?",
                (hashed, name, old),
            )

        await self._storage.run(work)

    def _now_s(self) -> int:
        return self._clock.reading().unix_ns // 10**9


def _must_exist(changed: int, name: str) -> None:
    if changed != 1:
        raise AnswerError(_("there is no account {name}").format(name=name[:40]))


def _administrators(db: Connection) -> int:
    row = db.execute("SELECT count(*) FROM account WHERE role = ?", (Role.ADMINISTER,)).fetchone()
    return int(row[0])


def _must_administer(db: Connection, had: int) -> None:
    if had and not _administrators(db):
        raise AnswerError(_("the last administrator stays: add another one first"))
