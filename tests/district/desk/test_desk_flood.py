"""One address that tries and tries: others get in all the same."""

import asyncio
import threading
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from district.desk.rig import BASE, CHEAP, Browser, desk
from district.desk.served import serve
from gatehouse_district.desk.parts import Limits
from gatehouse_district.desk.turns import Turns

WAIT_S = 60.0
LIMITS = Limits(sign_in_address=(20, 1e-6))
"""However slow this machine is, no try comes back meanwhile."""


class Held:
    """A hasher that holds every guess until the test lets go, and counts."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.holding = self.most = 0
        self.hash = CHEAP.hash
        self.check_needs_rehash = CHEAP.check_needs_rehash

    def verify(self, hashed: str, password: bytes) -> bool:
        """Compare; of a flood only when told to."""
        if password.startswith(b"guess"):
            self.holding += 1
            self.most = max(self.most, self.holding)
            self.go.wait(25)  # shorter than the desk's own patience
            self.holding -= 1
        return CHEAP.verify(hashed, password)


def browser(url: str, address: str) -> Browser:
    """Return a browser at another address of this machine."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    return Browser(transport=transport, base_url=url, timeout=WAIT_S)


async def test_another_address_signs_in_while_one_floods(tmp_path: Path) -> None:
    """Without it one person could keep a whole shift from the desk by guessing at it."""
    hasher = Held()
    with serve(tmp_path / "desk", hasher=hasher, limits=LIMITS) as served:
        async with (
            browser(served.url, "127.0.0.2") as thief,
            browser(served.url, "127.0.0.1") as person,
        ):
            flood = [
                asyncio.create_task(thief.sign_in(f"name{n}", "guess " * 3)) for n in range(40)
            ]
            try:
                async with asyncio.timeout(WAIT_S):
                    while sum(each.done() for each in flood) < 35:  # noqa: ASYNC110  # another thread
                        await asyncio.sleep(0.01)
                assert (await person.sign_in("answer")).status_code == 303
                assert (await person.get("/")).status_code == 200
            finally:
                hasher.go.set()
                codes = [each.status_code for each in await asyncio.gather(*flood)]
    assert hasher.most == 1, "one address has one of the places"
    assert sorted(codes) == [401] * 5 + [409] * 15 + [429] * 20


async def test_one_address_does_not_use_up_the_tries_of_a_name(tmp_path: Path) -> None:
    """Without it somebody's first sign-in at a new desk could be kept off by one who guesses."""
    async with desk(tmp_path) as it:
        elsewhere = httpx.ASGITransport(app=it.app, client=("10.0.0.9", 1))
        thief = Browser(transport=elsewhere, base_url=BASE)
        for _ in range(10):
            codes = [(await thief.sign_in("watch", "guess " * 3)).status_code for _ in range(7)]
            assert codes[-1] == 429
            it.clock.now_s += 60  # type: ignore[attr-defined]  # a clock of the tests
        assert (await it.client().sign_in("watch", "mistyped " * 2)).status_code == 401
        assert (await it.client().sign_in("watch")).status_code == 303


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["come", "go", "end"]))))
def test_places_are_never_more_than_there_are_and_none_is_lost(steps: list[Any]) -> None:
    """Without it a browser that hangs up while it waits would take a place for ever."""

    async def trying() -> None:
        turns = Turns(2, each=1, waiting_each=3, waiting=5)
        inside: list[tuple[str, asyncio.Event]] = []
        tasks: list[tuple[str, asyncio.Task[None]]] = []

        async def hold(key: str) -> None:
            async with turns.place(key):
                mine = (key, asyncio.Event())
                inside.append(mine)
                try:
                    await mine[1].wait()
                finally:
                    inside.remove(mine)

        for key, what in steps:
            mine = [task for name, task in tasks if name == key and not task.done()]
            if what == "come" and turns.has_room(key):
                tasks.append((key, asyncio.create_task(hold(key))))
            elif what == "go" and mine:
                mine[-1].cancel()
            elif what == "end" and (held := [end for name, end in inside if name == key]):
                held[0].set()
            for _ in range(5):
                await asyncio.sleep(0)
            names = [name for name, _end in inside]
            waiting = {name for name, task in tasks if not task.done()} - set(names)
            assert len(names) <= 2
            assert len(set(names)) == len(names)
            assert len(names) == 2 or not waiting, "a place is free, and somebody waits"
        for _name, task in tasks:
            task.cancel()
        await asyncio.gather(*(task for _name, task in tasks), return_exceptions=True)
        assert turns._running.total() == 0
        assert not turns._waiting

    asyncio.run(trying())


async def test_those_who_wait_are_served_in_turn() -> None:
    """Without it whoever waits longest could be passed by all others, again and again."""
    turns = Turns(1, each=1, waiting_each=3, waiting=9)
    order: list[str] = []

    async def hold(key: str) -> None:
        async with turns.place(key):
            order.append(key)

    async with asyncio.TaskGroup() as group, turns.place("x"):
        for key in "aaab":
            group.create_task(hold(key))
        for _ in range(3):
            await asyncio.sleep(0)
        assert not turns.has_room("a")
        assert turns.has_room("b")
        assert order == []
    assert order == ["a", "b", "a", "a"]


async def test_a_form_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    """Without it whoever sends half a form, again and again, would hold the desk's memory."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/sign-in", "query_string": b"",
        "headers": [(b"host", b"localhost")], "client": ("10.0.0.1", 1),
    }  # fmt: skip
    async with desk(tmp_path, limits=Limits(body_s=0.01)) as made:
        await asyncio.wait_for(made.app(scope, receive, send), WAIT_S)
    assert sent[0]["status"] == 413
