"""Accounts, sessions and the journal, on a real file."""

import asyncio
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Literal, TypeVar

import pytest
from argon2 import PasswordHasher

from district.desk.rig import BY, CHEAP, PASSWORD, SetClock, desk
from gatehouse_district.desk.accounts import Accounts
from gatehouse_district.desk.journal import Action
from gatehouse_district.desk.passwords import Passwords
from gatehouse_district.desk.roles import Role, account_name
from gatehouse_district.desk.sessions import IDLE_S, LONGEST_S
from gatehouse_district.desk.storage import Connection, Storage
from gatehouse_district.errors import AnswerError, DistrictStoreError

T = TypeVar("T")


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    """Accounts without anybody."""
    return Accounts(tmp_path / "desk.db", SetClock(), _Counted(), Passwords(CHEAP))


class _Counted:
    """Bytes that are never the same, and always so."""

    def __init__(self) -> None:
        self._n = 0

    def __call__(self, size: int) -> bytes:
        self._n += 1
        return self._n.to_bytes(size, "big")


async def test_accounts_are_made_changed_and_removed(accounts: Accounts) -> None:
    """Without it nobody could be let in, or out again."""
    await accounts.add("Wang", Role.ADMINISTER, PASSWORD, display="王敏", by=BY)
    await accounts.add("li", Role.WATCH, PASSWORD, display="", by=BY)
    with pytest.raises(AnswerError, match="already"):
        await accounts.add("WANG", Role.WATCH, PASSWORD, display="", by=BY)
    for call in (
        accounts.set_role("wang", Role.WATCH, by=BY),
        accounts.remove("wang", by=BY),
        accounts.remove("nobody", by=BY),
        accounts.add("x y", Role.WATCH, PASSWORD, display="", by=BY),
        accounts.set_password("li", "short", by=BY),
    ):
        with pytest.raises(AnswerError):
            await call
    await accounts.set_role("li", Role.ADMINISTER, by=BY)
    await accounts.remove("wang", by=BY)
    assert [(each.name, each.role) for each in await accounts.all()] == [("li", Role.ADMINISTER)]
    assert len(await accounts.journal.lines()) == 4
    accounts.close()


async def test_two_administrators_cannot_both_leave_at_once(accounts: Accounts) -> None:
    """Without it two clicks at the same time would leave a desk that nobody can administer."""
    for name in ("a", "b"):
        await accounts.add(name, Role.ADMINISTER, PASSWORD, display="", by=BY)
    ends = await asyncio.gather(
        accounts.remove("a", by=BY), accounts.remove("b", by=BY), return_exceptions=True
    )
    assert sum(isinstance(each, AnswerError) for each in ends) == 1
    accounts.close()


async def test_a_hash_of_older_costs_is_made_anew_at_the_next_sign_in(tmp_path: Path) -> None:
    """Without it passwords would stay as cheap to guess as they were years ago."""
    old = Accounts(tmp_path / "desk.db", SetClock(), _Counted(), Passwords(CHEAP))
    await old.add("wang", Role.WATCH, PASSWORD, display="", by=BY)
    old.close()
    dearer = type(CHEAP)(time_cost=2, memory_cost=16, parallelism=1)
    new = Accounts(tmp_path / "desk.db", SetClock(), _Counted(), Passwords(dearer))
    assert await new.proven("wang", PASSWORD)
    row = await new._storage.run(lambda db: db.execute("SELECT password FROM account").fetchone())
    assert not dearer.check_needs_rehash(row[0])
    assert await new.proven("wang", PASSWORD)
    new.close()


async def test_sessions_end_by_themselves(tmp_path: Path) -> None:
    """Without it a forgotten screen would stay signed in for ever."""
    clock = SetClock()
    accounts = Accounts(tmp_path / "desk.db", clock, _Counted(), Passwords(CHEAP))
    await accounts.add("wang", Role.WATCH, PASSWORD, display="", by=BY)
    idle = await accounts.sessions.begin("wang", "::1")
    used = await accounts.sessions.begin("wang", "::1")
    for _ in range(0, LONGEST_S, IDLE_S // 2):
        assert await accounts.sessions.find(used)
        clock.now_s += IDLE_S // 2
    assert await accounts.sessions.find(idle) is None
    assert await accounts.sessions.find(used) is None
    accounts.close()


async def test_a_disk_that_takes_nothing_shuts_nobody_out_who_is_signed_in(tmp_path: Path) -> None:
    """Without it a full disk would keep everybody from the alarms after one minute."""
    clock = SetClock()
    accounts = Accounts(tmp_path / "desk.db", clock, _Counted(), Passwords(CHEAP))
    await accounts.add("wang", Role.WATCH, PASSWORD, display="", by=BY)
    token = await accounts.sessions.begin("wang", "::1")
    with closing(sqlite3.connect(tmp_path / "desk.db")) as db:
        db.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON session BEGIN SELECT RAISE(ABORT, 'x'); END"
        )
    clock.now_s += 3600
    assert await accounts.sessions.find(token)
    accounts.close()


async def test_whoever_signs_in_on_a_full_disk_comes_in_and_is_told(tmp_path: Path) -> None:
    """Without it a full disk would shut the next shift out from the alarms."""
    async with desk(tmp_path) as it:
        it.district.raised("a1")
        with closing(sqlite3.connect(tmp_path / "desk.db")) as db:
            for table in ("session", "journal"):
                db.execute(
                    f"CREATE TRIGGER full_{table} BEFORE INSERT ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'x'); END"
                )
            first, second = await it.signed_in("answer"), await it.signed_in("answer")
            assert "disk took nothing" in (await first.get("/?lang=en")).text
            assert (await first.act("/acknowledge", alarm="a1")).status_code == 303
            assert it.district.asked == [("acknowledge", "a1", "answer 王敏")]
            await first.act("/sign-out")
            assert (await first.get("/")).status_code == 303
            for table in ("session", "journal"):
                db.execute(f"DROP TRIGGER full_{table}")
        third = await it.signed_in("answer")
        assert "disk took nothing" not in (await third.get("/?lang=en")).text
        assert (await second.get("/")).status_code == 200
        # as `gatehouse-district user password` does, in another process
        other = Accounts(tmp_path / "desk.db", it.clock, _Counted(), Passwords(CHEAP))
        await other.set_password("answer", "another one 12", by=BY)
        other.close()
        assert (await second.get("/")).status_code == 303


async def test_a_session_that_a_hung_disk_took_after_all_ends_when_told_to(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the cookie of somebody who has signed out would stay good for days."""
    await accounts.add("wang", Role.WATCH, PASSWORD, display="", by=BY)
    run = accounts._storage.run

    async def late(work: Callable[[Connection], T]) -> T:
        monkeypatch.undo()
        await run(work)
        raise DistrictStoreError("it hangs")

    monkeypatch.setattr(accounts._storage, "run", late)
    token = await accounts.sessions.begin("wang", "::1")
    found = await accounts.sessions.find(token)
    assert found is not None
    assert found.unkept
    assert accounts.sessions.seen(token), "its posts are counted as its own"
    await accounts.sessions.end(found.key)
    assert await accounts.sessions.find(token) is None
    accounts.close()


def test_root_follows_no_link_that_another_laid(tmp_path: Path) -> None:
    """Without it whoever has the receiver's user could have root make any file for them."""
    (tmp_path / "desk.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DistrictStoreError):
        Storage(tmp_path / "desk.db")
    assert not (tmp_path / "elsewhere").exists()


async def test_the_file_has_neither_passwords_nor_tokens(tmp_path: Path) -> None:
    """Without it whoever reads a backup could sign in."""
    accounts = Accounts(tmp_path / "desk.db", SetClock(), _Counted(), Passwords(CHEAP))
    await accounts.add("wang", Role.WATCH, PASSWORD, display="", by=BY)
    token = await accounts.sessions.begin("wang", "::1")
    accounts.close()
    file = tmp_path / "desk.db"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    held = file.read_bytes()
    assert PASSWORD.encode() not in held
    assert token.encode() not in held
    assert bytes.fromhex(token) not in held


async def test_what_strangers_type_is_cut_before_it_is_kept(accounts: Accounts) -> None:
    """Without it failed sign-ins would fill the disk, or half a character stop the journal."""
    await accounts.journal.note(Action("\ud800" + "x" * 9_999, "::1", "sign-in"))
    (line,) = await accounts.journal.lines()
    assert line.action.who == "\ufffd" + "x" * 199
    accounts.close()


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Without it a broken file would be taken for a new desk without anybody."""
    file = tmp_path / "desk.db"
    file.write_text("no database " * 1000)
    with pytest.raises(DistrictStoreError, match=r"desk\.db"):
        Accounts(file, SetClock(), _Counted(), Passwords(CHEAP))
    assert file.read_text().startswith("no database")


def test_a_name_is_the_same_however_it_is_typed() -> None:
    """Without it somebody would be unknown because of a capital, or two look like one."""
    assert account_name(" Wang ") == account_name("ＷＡＮＧ") == "wang"
    for bad in ("", "a b", "x" * 33, "<b>", "a\u202eb", "a/b"):
        with pytest.raises(AnswerError):
            account_name(bad)


async def test_a_session_that_nobody_used_for_a_shift_is_over(tmp_path: Path) -> None:
    """Without it a cookie on a machine that was left behind would be good for a week."""
    clock = SetClock()
    accounts = Accounts(tmp_path / "desk.db", clock, _Counted(), Passwords(CHEAP))
    await accounts.add("wang", Role.WATCH, PASSWORD, display="", by=BY)
    token = await accounts.sessions.begin("wang", "::1")
    clock.now_s += IDLE_S - 1
    assert await accounts.sessions.find(token)
    clock.now_s += IDLE_S
    assert await accounts.sessions.find(token) is None
    accounts.close()


async def test_a_session_does_not_outlive_its_account(accounts: Accounts) -> None:
    """Without it the cookie of somebody removed would be that of the next one of this name."""
    await accounts.add("wang", Role.WATCH, PASSWORD, display="", by=BY)
    token = await accounts.sessions.begin("wang", "::1")
    await accounts.remove("wang", by=BY)
    await accounts.add("wang", Role.ANSWER, PASSWORD, display="", by=BY)
    assert await accounts.sessions.find(token) is None
    accounts.close()


class _Counting(PasswordHasher):
    """Counts what it compares."""

    compared = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002  # as argon2's
        """Compare."""
        self.compared += 1
        return super().verify(hash, password)


async def test_a_name_that_nobody_has_costs_as_much_as_one_that_somebody_has() -> None:
    """Without it the time of an answer would tell a stranger who has an account."""
    hasher = _Counting(time_cost=1, memory_cost=8, parallelism=1)
    passwords = Passwords(hasher)
    assert not await passwords.right(None, "of nobody")
    assert hasher.compared == 1
    assert await passwords.right(hasher.hash(PASSWORD), PASSWORD)
    assert hasher.compared == 2
