"""The stream: what changes is sent, once, to who may see it, at nobody else's cost."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from district.desk.fake_district import at
from district.desk.rig import PASSWORD, Desk, SetClock, desk
from district.desk.stream import WAIT_S, Stream, stream
from gatehouse_district.desk.look import Look
from gatehouse_district.desk.parts import Limits
from gatehouse_district.desk.sessions import IDLE_S
from gatehouse_district.errors import DistrictStoreError
from gatehouse_district.model import Gateway, Presence, Stage

LIMITS = Limits(beat_s=0.2, send_s=0.5, streams_session=2, streams=4)


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Desk]:
    """A running desk with one alarm."""
    async with desk(tmp_path, limits=LIMITS) as made:
        made.district.raised("a1")
        async with made.app.state.board.running():
            yield made


async def test_a_new_alarm_and_its_answer_come_by_themselves(it: Desk) -> None:
    """Without it people would look at a page that stands still."""
    browser = await it.signed_in("answer")
    async with stream(it.app, browser, rows="alarms") as page:
        await page.until(lambda: "a1" in page.rows())
        it.district.raised("a2", school="第二中学")
        await page.until(lambda: "a2" in page.rows())
        assert page.rows()["a2"]["section"] == "waiting"
        assert "第二中学" in page.rows()["a2"]["html"]
        await browser.act("/acknowledge", alarm="a2", by="李雷")
        await page.until(lambda: page.rows()["a2"]["section"] == "answered")
        assert "李雷" in page.rows()["a2"]["html"]
        it.district.change("a2", stage=Stage.RESET, reset_by="key", reset_reason="key")
        await page.until(lambda: page.rows()["a2"]["section"] == "past")


async def test_drills_stay_until_they_are_reset_behind_however_many_alarms(it: Desk) -> None:
    """Without it a drill would blink at a school, and nobody at the desk would see it."""
    it.district.raised("drill", mode="drill")
    it.district.raised("test", mode="test")
    for number in range(250):
        it.district.raised(f"b{number}", stage=Stage.RESET, reset=at(it.district.now_s))
    browser = await it.signed_in("watch")
    page = await browser.get("/?lang=en")
    for id_ in ("drill", "test", "a1", "b249"):
        assert f'data-id="{id_}"' in page.text
    assert 'data-id="b0"' not in page.text, (
        "the last 200 only: older ones are on pages of their own"
    )
    async with stream(it.app, browser, rows="alarms") as live:
        await live.until(lambda: "drill" in live.rows())
        assert live.rows()["drill"]["section"] == "practice"
        it.district.change("drill", stage=Stage.RESET, reset=at(it.district.now_s - 90_000))
        await live.until(lambda: "drill" not in live.rows())
    assert "More alarms" not in page.text


async def test_older_alarms_are_found_page_by_page(it: Desk) -> None:
    """Without it what left the first page could be found by nobody without a command line."""
    for number in range(250):
        it.district.raised(f"b{number}", stage=Stage.RESET, school="<b>x")
    browser = await it.signed_in("watch")
    seen: list[str] = []
    path = "/alarms"
    while path:
        page = (await browser.get(path)).text
        assert "<b>x" not in page
        seen += re.findall(r'<li class="row" data-id="([^"]+)"', page)
        path = "".join(re.findall(r'rel="next" href="([^"]+)"', page))
    assert seen == [f"b{number}" for number in reversed(range(250))] + ["a1"]
    assert "None." in (await browser.get("/alarms?before=nobody&lang=en")).text


async def test_one_change_sends_one_row(it: Desk) -> None:
    """Without it each change of one alarm in a thousand would send a megabyte to each screen."""
    for number in range(1_000):
        it.district.raised(f"b{number}")
    browser = await it.signed_in("watch")
    async with stream(it.app, browser, rows="alarms") as page:
        await page.until(lambda: len(page.rows()) == 1_001)
        before, came = page.sent_bytes, len(page.all("rows"))
        it.district.change("b500", stage=Stage.ACKNOWLEDGED, acknowledged_by="x")
        await page.until(lambda: page.rows()["b500"]["section"] == "answered")
        said = page.all("rows")[came:]
        assert [row["id"] for each in said for row in each["rows"]] == ["b500"]
        assert page.sent_bytes - before < 5_000


async def test_rows_have_a_button_only_for_who_may_answer(it: Desk) -> None:
    """Without it rows drawn for one person would be sent to another."""
    for name, may in (("answer", True), ("watch", False), ("answer", True)):
        browser = await it.signed_in(name)
        async with stream(it.app, browser, rows="alarms") as page:
            await page.until(lambda page=page: "a1" in page.rows())  # type: ignore[misc]  # bound now
            assert ('class="big acknowledge"' in page.rows()["a1"]["html"]) is may


async def test_a_page_that_comes_back_gets_what_it_missed(it: Desk) -> None:
    """Without it an alarm that came while a browser was away would not be on its page."""
    browser = await it.signed_in("watch")
    async with stream(it.app, browser, rows="alarms") as page:
        await page.until(lambda: "a1" in page.rows())
        seen = page.at()
    it.district.raised("a2")
    async with stream(it.app, browser, rows="alarms", at=seen) as page:
        await page.until(lambda: "a2" in page.rows())
        assert set(page.rows()) == {"a2"}
    for other in ("", "nonsense", "other.1", f"{seen.partition('.')[0]}.999999", "x.²"):
        async with stream(it.app, browser, rows="alarms", at=other) as page:
            await page.until(lambda page=page: len(page.rows()) == 2)  # type: ignore[misc]  # bound now
            assert page.all("rows")[0]["clear"]


async def test_a_slow_reader_is_told_once_of_what_changed_often(it: Desk) -> None:
    """Without it a browser that sleeps would have a queue of everything in our memory."""
    browser, other = await it.signed_in("watch"), await it.signed_in("watch")
    async with (
        stream(it.app, browser, rows="alarms") as slow,
        stream(it.app, other, rows="alarms") as quick,
    ):
        await slow.until(lambda: "a1" in slow.rows())
        slow.taking.clear()
        for number in range(20):
            it.district.change("a1", presses=number + 2)
            wanted = f"pressed {number + 2} times", f"按下 {number + 2} 次"
            await quick.until(
                lambda wanted=wanted: any(  # type: ignore[misc]  # bound now
                    each in quick.rows().get("a1", {}).get("html", "") for each in wanted
                )
            )
        await asyncio.wait_for(slow.over.wait(), WAIT_S)
        assert len(it.app.state.streams) == 1
        assert len(slow.all("rows")) < 5


async def test_a_browser_that_takes_nothing_is_dropped(it: Desk) -> None:
    """Without it closed laptops would add up until nobody else could connect."""
    browser = await it.signed_in("watch")
    async with stream(it.app, browser, rows="alarms") as page:
        await page.until(lambda: page.all("beat"))
        page.taking.clear()
        await asyncio.wait_for(page.over.wait(), WAIT_S)
    assert len(it.app.state.streams) == 0


async def test_streams_are_limited_for_one_and_for_all(it: Desk) -> None:
    """Without it one browser could take all the places of the others."""
    async with AsyncExitStack() as stack:
        open_: list[Stream] = []
        for name in ("watch", "watch"):
            browser = await it.signed_in(name)
            for _ in range(3):
                page = await stack.enter_async_context(stream(it.app, browser))
                await page.until(lambda page=page: page.status)  # type: ignore[misc]  # bound now
                open_.append(page)
        assert [page.status for page in open_] == [200, 200, 429, 200, 200, 429]
        browser = await it.signed_in("administer")
        page = await stack.enter_async_context(stream(it.app, browser))
        await asyncio.wait_for(page.over.wait(), WAIT_S)
        assert page.status == 429
    assert len(it.app.state.streams) == 0


async def test_a_stream_ends_with_its_session(it: Desk) -> None:
    """Without it somebody who was removed would go on seeing alarms."""
    browser, boss = await it.signed_in("watch"), await it.signed_in("administer")
    async with stream(it.app, browser, rows="alarms") as page:
        await page.until(lambda: page.all("beat"))
        await boss.act("/accounts/password", name="watch", password=PASSWORD)
        await page.until(lambda: page.all("ended"))
        await asyncio.wait_for(page.over.wait(), WAIT_S)


async def test_a_stream_ends_when_its_account_may_something_else(it: Desk) -> None:
    """Without it rows would keep the button of a role that was taken away, or lack a new one's."""
    browser, boss = await it.signed_in("answer"), await it.signed_in("administer")
    async with stream(it.app, browser, rows="alarms") as page:
        await page.until(lambda: page.all("beat"))
        await boss.act("/accounts/role", name="answer", role="watch")
        await page.until(lambda: page.all("ended"))


async def test_a_stream_that_is_always_told_of_something_ends_with_its_session_too(
    it: Desk,
) -> None:
    """Without it a hundred gateways' heartbeats would keep a removed account's stream open."""
    browser, boss = await it.signed_in("watch"), await it.signed_in("administer")
    async with stream(it.app, browser, watch="1") as page:
        await page.until(lambda: page.all("changed"))
        await boss.act("/accounts/remove", name="watch")
        for _ in range(5):
            it.district.tell()
            told = len(page.all("changed"))
            await page.until(lambda told=told: page.all("ended") or len(page.all("changed")) > told)  # type: ignore[misc]  # bound now
        assert page.all("ended")
        await asyncio.wait_for(page.over.wait(), WAIT_S)


async def test_an_open_page_keeps_its_session(it: Desk) -> None:
    """Without it the screen on the wall would go deaf in the middle of a night without alarms."""
    assert isinstance(it.clock, SetClock)
    browser = await it.signed_in("watch")
    async with stream(it.app, browser, rows="alarms") as page:
        for _ in range(4):
            it.clock.now_s += IDLE_S - 60
            beats = len(page.all("beat"))
            await page.until(lambda beats=beats: len(page.all("beat")) > beats + 1)  # type: ignore[misc]  # bound now
        assert not page.all("ended")
    assert (await browser.get("/")).status_code == 200


@pytest.mark.parametrize("why", [DistrictStoreError("the disk is gone"), KeyError("a mistake")])
async def test_a_stream_says_when_the_records_cannot_be_read(it: Desk, why: Exception) -> None:
    """Without it a page over a dead disk, or over a mistake of ours, would look calm."""
    browser = await it.signed_in("watch")
    async with stream(it.app, browser, rows="alarms") as page:
        await page.until(lambda: page.all("sum"))
        it.district.broken = why
        it.district.tell()
        await page.until(lambda: page.all("sum")[-1]["trouble"])
        answer = await browser.get("/?lang=en")
        assert answer.status_code == 200
        assert 'role="alert" >The district' in answer.text
        if isinstance(why, DistrictStoreError):
            assert (await browser.get("/gateways")).status_code == 503
        it.district.broken = None
        it.district.raised("a2")
        await page.until(lambda: not page.all("sum")[-1]["trouble"])
        await page.until(lambda: "a2" in page.rows())


async def test_a_stream_says_when_no_gateway_is_heard(tmp_path: Path) -> None:
    """Without it a desk whose broker is gone would look like a quiet day."""
    hears = [True]
    async with desk(tmp_path, limits=LIMITS, hears=lambda: hears[0]) as made:
        browser = await made.signed_in("watch")
        async with stream(made.app, browser) as page:
            await page.until(lambda: page.all("sum"))
            assert not page.all("sum")[-1]["deaf"]
            hears[0] = False
            await page.until(lambda: page.all("sum")[-1]["deaf"])
        answer = await browser.get("/gateways?lang=en")
        assert 'id="deaf" class="alert" role="alert" >' in answer.text


async def test_every_page_hears_of_a_new_alarm_and_of_changes(it: Desk) -> None:
    """Without it somebody who looks at a gateway would not hear that an alarm has come."""
    it.district.put(Gateway("g1", "实验小学", Presence.ONLINE, None, None))
    browser, other = await it.signed_in("watch"), await it.signed_in("watch")
    async with (
        stream(it.app, browser, rows="gateways") as gateways,
        stream(it.app, other, watch="1") as watching,
    ):
        await gateways.until(lambda: "g1" in gateways.rows())
        it.district.raised("a2", school="第二中学")
        await gateways.until(lambda: gateways.all("sum")[-1]["newest"] == "a2")
        assert gateways.all("sum")[-1]["waiting"] == 2
        assert gateways.all("sum")[-1]["place"] == "第二中学, 南门门卫室"
        await watching.until(lambda: watching.all("changed"))
        it.district.put(Gateway("g1", "实验小学", Presence.LOST, None, None))
        await gateways.until(lambda: gateways.rows()["g1"]["order"].startswith("0"))
        assert watching.rows() == {}


async def test_gateways_that_changed_before_anybody_looked_are_true_at_once(it: Desk) -> None:
    """Without it a page of gateways could stay as it was for a minute."""
    it.district.put(Gateway("g1", "实验小学", Presence.ONLINE, None, None))
    browser = await it.signed_in("watch")
    page_has = (await browser.get("/gateways")).text
    version = page_has.partition('data-version="')[2].partition('"')[0]
    it.district.put(Gateway("g1", "实验小学", Presence.LOST, None, None))
    async with stream(it.app, browser, watch="1") as other:
        await other.until(lambda: other.all("changed"))  # the board has seen this news
    at = f"{it.app.state.board.boot}.{version}"
    async with stream(it.app, browser, rows="gateways", at=at) as page:
        await page.until(lambda: "g1" in page.rows())
        assert page.rows()["g1"]["order"].startswith("0")


async def test_stopping_ends_every_stream(it: Desk) -> None:
    """Without it a server that stops would wait for browsers that never leave."""
    browser = await it.signed_in("watch")
    async with stream(it.app, browser, rows="alarms") as page:
        await page.until(lambda: page.all("beat"))
        it.app.state.board.stop()
        await asyncio.wait_for(page.over.wait(), WAIT_S)


async def test_a_thousand_gateways_are_drawn_between_other_work(it: Desk) -> None:
    """Without it receipts would wait for a second whenever somebody opens the gateways' page."""
    for number in range(1_000):
        it.district.put(Gateway(f"gw-{number}", "学校", Presence.ONLINE, None, None))
    board, look, turns = it.app.state.board, Look(it.parts), 0
    await board.read_gateways()

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    drawn = await look.gateways(board.gateways, "en")
    other.cancel()
    assert drawn.count('<li class="row"') == 1_000
    assert turns > 20  # it waits for nothing else
