"""Signing in: who is told what, how often, and what ends a session."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from district.desk.rig import BASE, PASSWORD, Browser, Desk, SetClock, desk
from gatehouse_district.errors import DistrictStoreError


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with one account of each role, and one alarm."""
    async with desk(tmp_path) as made:
        made.district.raised("a1")
        yield made


async def test_a_wrong_name_is_told_nothing_that_a_wrong_password_is_not(it: Desk) -> None:
    """Without it a stranger could find out who has an account."""
    answers = [await it.client().sign_in(name, "wrong password") for name in ("watch", "nobody")]
    assert [each.status_code for each in answers] == [401, 401]
    texts = [
        each.text.replace('value="watch"', "").replace('value="nobody"', "") for each in answers
    ]
    assert texts[0] == texts[1]
    lines = [line.action for line in await it.parts.accounts.journal.lines()]
    assert [(each.who, each.outcome) for each in lines[:2]] == [
        ("nobody", "refused"),
        ("watch", "refused"),
    ]


async def test_whoever_cannot_do_something_is_told_whom_to_call(tmp_path: Path) -> None:
    """Without it a person before a closed desk would look for a number while somebody waits."""
    line = "值班室 0532-8000 0000 <b>"
    async with desk(tmp_path, help=(line,)) as it:
        it.district.raised("a1")
        shown = "值班室 0532-8000 0000 &lt;b&gt;"
        assert shown not in (await it.client().get("/sign-in")).text
        assert shown in (await it.client().sign_in("nobody")).text
        browser = await it.signed_in("answer")
        for path in ("/", "/alarm/a1", "/alarm/none"):
            assert shown in (await browser.get(path)).text, path
        it.district.broken = DistrictStoreError("full")
        assert shown in (await browser.get("/alarm/a1")).text


async def test_what_the_district_needs_is_said_to_its_own_people_alone(tmp_path: Path) -> None:
    """Without it a certificate would end unseen, or strangers read what is about to fail."""
    async with desk(tmp_path, warns=lambda: ("certificate <desk.pem> ends",)) as it:
        shown = "certificate &lt;desk.pem&gt; ends"
        assert shown not in (await it.client().get("/sign-in")).text
        browser = await it.signed_in("watch")
        for path in ("/", "/gateways"):
            assert shown in (await browser.get(path)).text


async def test_guessing_ends_soon_and_locks_nobody_out_at_their_own_desk(it: Desk) -> None:
    """Without it a password could be guessed, or its owner be kept from an alarm by guessing."""
    assert (await it.client().sign_in("watch")).status_code == 303
    elsewhere = httpx.ASGITransport(app=it.app, client=("10.0.0.9", 1))
    thief = Browser(transport=elsewhere, base_url=BASE)
    codes = [(await thief.sign_in("watch", "guess " * 3)).status_code for _ in range(12)]
    assert codes == [401] * 5 + [429] * 7
    assert (await thief.sign_in("watch")).status_code == 429
    assert (await it.client().sign_in("watch")).status_code == 303
    codes = [(await thief.sign_in(f"name{n}", "guess " * 3)).status_code for n in range(16)]
    assert codes == [401] * 15 + [429]
    neighbour = it.client()
    codes = [(await neighbour.sign_in(f"name{n}", "guess " * 3)).status_code for n in range(25)]
    assert codes[-1] == 429
    assert (await it.client().sign_in("watch")).status_code == 303
    assert isinstance(it.clock, SetClock)
    it.clock.now_s += 600
    assert (await thief.sign_in("watch")).status_code == 303


async def test_a_session_ends_with_what_made_it(it: Desk) -> None:
    """Without it a stolen cookie would stay good after sign-out, a new password or a removal."""
    first, second = await it.signed_in("watch"), await it.signed_in("watch")
    await first.act("/sign-out")
    stolen = it.client()
    stolen.cookies = second.cookies
    assert (await stolen.get("/")).status_code == 200
    wrong = await second.act("/password", old="wrong password", new="x" * 12, again="x" * 12)
    assert wrong.status_code == 409
    changed = await second.act(
        "/password", old=PASSWORD, new="another one 12", again="another one 12"
    )
    assert changed.status_code == 303
    assert (await stolen.get("/")).status_code == 303
    assert (await second.get("/")).status_code == 200
    boss = await it.signed_in("administer")
    assert (await boss.act("/accounts/role", name="watch", role="answer")).status_code == 303
    assert "Acknowledge" in (await second.get("/?lang=en")).text
    assert (await boss.act("/accounts/remove", name="watch")).status_code == 303
    assert (await second.get("/")).status_code == 303


async def test_a_copied_cookie_ends_with_signing_in_anew_and_with_signing_out(it: Desk) -> None:
    """Without it whoever copied one at a shared computer would stay in when its owner has left."""
    browser, thief = await it.signed_in("watch"), it.client()

    async def anew() -> httpx.Response:
        return await browser.sign_in("watch")

    async def out() -> httpx.Response:
        return await browser.act("/sign-out")

    for end in (anew, out):
        thief.cookies = browser.cookies
        assert (await thief.get("/")).status_code == 200
        assert (await end()).status_code == 303
        assert (await thief.get("/")).status_code == 303


async def test_the_old_password_is_not_guessed_at_an_open_desk(it: Desk) -> None:
    """Without it whoever finds a desk open could try on until the account is theirs."""
    browser = await it.signed_in("watch")
    csrf = await browser.csrf()
    new = {"new": "another one 12", "again": "another one 12", "csrf": csrf}
    for _ in range(12):
        assert (await browser.send_form("/password", old="guess", **new)).status_code == 409
    assert (await browser.send_form("/password", old=PASSWORD, **new)).status_code == 409


async def test_who_answered_and_who_tried_to_is_written_down(it: Desk) -> None:
    """Without it nobody could find out afterwards who at the desk had answered a guard."""
    browser = await it.signed_in("answer")
    for alarm, code in (("a1", 303), ("none", 409)):
        assert (await browser.act("/acknowledge", alarm=alarm)).status_code == code
    lines = [line.action for line in await it.parts.accounts.journal.lines()]
    assert [(each.who, each.action, each.target, each.outcome) for each in lines[:2]] == [
        ("answer", "acknowledge", "none", "refused"),
        ("answer", "acknowledge", "a1", "done"),
    ]
