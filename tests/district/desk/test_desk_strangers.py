"""What gateways and people say is shown harmlessly, whatever it is."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from district.desk.fake_district import at
from district.desk.rig import NOW_S, Desk, desk
from gatehouse_district.model import Gateway, Presence, Retention, Standing, Tried


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with one alarm."""
    async with desk(tmp_path) as made:
        made.district.raised("a1")
        yield made


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}{% raw %}",
    "'; DROP TABLE account; --",
    "\u202eevil\u2066\x00\x1b[2J\ud800",
    "很长" * 5_000,
)


@pytest.mark.parametrize("word", HOSTILE, ids=range(len(HOSTILE)))
async def test_whatever_a_gateway_says_is_shown_harmlessly(it: Desk, word: str) -> None:
    """Without it one hostile gateway could act in the browser of everybody at the desk."""
    district = it.district
    said = {"school": word, "button": word, "location": word, "gateway": word, "odd": word}
    district.raised("bad", acknowledged_by=word, reset_by=word, reset_reason=word, **said)
    tried = Tried(at(NOW_S), word, {"checks": [{"name": word, "result": word}], word: word})
    gateway = Gateway(
        word, word, Presence.LOST, word, word, word, word, (word,), (word,),
        (Standing(word, word, word, {word: word}),), 3, (word,), 1,
        (Retention(word, word, 30, 2, word),), tried, tried,
    )  # fmt: skip
    district.put(gateway)
    district.put(replace(gateway, id="plain"))
    data = {"alarm": "bad", "manifest": {"lacking": [{"camera": word, "kind": word, "why": word}]}}
    district.event("gatehouse.evidence.ready", word, subject=word, data=data, odd=word)
    district.event(word, "plain", subject=word, data={word: [word]}, id=word, mode=word)
    district.took("bad", 1, b"<script>alert(1)</script>", taken=word)
    browser = await it.signed_in("administer")
    for path in ("/", "/alarm/bad", "/gateways", "/gateway/plain", "/events", "/pictures/bad"):
        answer = await browser.get(path, headers={"accept-language": "en"})
        assert answer.status_code == 200, path
        text = answer.text
        for bad in ("<script>alert", "<img src=x", "49{%", "\u202e", "\u2066", "\x00", "\x1b"):
            assert bad not in text, path
        assert len(text) < 120_000, path
    picture = await browser.get("/picture/1/bad")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert picture.headers["x-content-type-options"] == "nosniff"


async def test_what_a_person_types_is_shown_harmlessly_too(it: Desk) -> None:
    """Without it somebody who may answer could act in the browser of an administrator."""
    browser, boss = await it.signed_in("answer"), await it.signed_in("administer")
    await browser.act("/acknowledge", alarm="a1", by="<b>\u202e" + "x" * 500)
    await it.client().sign_in("<script>alert(1)</script>")
    ((_word, _alarm, by),) = it.district.asked
    assert by == "<b>\ufffd" + "x" * 55 + "…"
    for path in ("/", "/alarm/a1", "/journal"):
        text = (await boss.get(path)).text
        assert "<b>\ufffd" not in text
        assert "<script>alert" not in text
