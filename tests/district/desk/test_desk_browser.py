"""The desk in a real browser: what a person at the district sees and does."""

import base64
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from district.desk.fake_district import FakeDistrict
from district.desk.rig import PASSWORD
from district.desk.served import Served, serve
from gatehouse_district.desk.parts import Limits
from gatehouse_district.model import Gateway, Presence, Stage

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
WAIT_MS = 60_000
LIMITS = Limits(beat_s=0.5)

pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason="no chromium here (make test installs it)"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all."""
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--autoplay-policy=user-gesture-required"],
        )
        yield made
        made.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A desk with one alarm."""
    with serve(tmp_path / "one", limits=LIMITS) as made:
        made.do(lambda district: district.raised("a1"))
        yield made


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of."""
    return []


@pytest.fixture
def context(browser: Browser, complaints: list[str]) -> Iterator[BrowserContext]:
    """A browser's own profile; at the end it has complained of nothing."""
    made = browser.new_context(locale="en", viewport={"width": 1280, "height": 800})
    made.set_default_timeout(WAIT_MS)
    made.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None,
    )
    made.on("weberror", lambda error: complaints.append(str(error.error)))
    yield made
    made.close()
    assert complaints == []


def sign_in(context: BrowserContext, served: Served, name: str = "answer") -> Page:
    """Sign in by keyboard, and wait until the page is live."""
    page = context.new_page()
    page.goto(served.url)
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#live-words")).to_have_text("live")
    return page


def test_a_wrong_user_is_refused(
    served: Served, context: BrowserContext, complaints: list[str]
) -> None:
    """Without it anybody with the address could see alarms."""
    page = context.new_page()
    page.goto(f"{served.url}/alarm/a1")
    expect(page).to_have_url(f"{served.url}/sign-in")
    page.get_by_label("Name").fill("answer")
    page.get_by_label("Password").fill("a wrong password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Wrong name or password.")
    assert len(complaints) == 1
    assert "401" in complaints[0]
    complaints.clear()


def test_an_alarm_comes_and_is_answered_by_keyboard_alone(
    served: Served, context: BrowserContext
) -> None:
    """Without it the desk would not do the one thing that it is for."""
    page = sign_in(context, served)
    served.do(lambda district: district.raised("a2", school="第二中学", location="北门"))
    row = page.locator('.waiting li[data-id="a2"]')
    expect(row.locator(".school")).to_have_text("第二中学")
    expect(row.locator(".mode")).to_have_text("ALARM")
    expect(page.locator("#said")).to_have_text("New alarm: 第二中学, 北门")
    expect(page.locator("[data-count=waiting]")).to_have_text("2")
    page.locator("#main").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_label("You answer as")).to_be_focused()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("李雷")
    page.keyboard.press("Tab")
    expect(row.get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    answered = page.locator('.answered li[data-id="a2"]')
    expect(answered.locator(".by")).to_contain_text("answered by 李雷")
    expect(page.locator("[data-count=waiting]")).to_have_text("1")
    assert served.do(lambda district: district.asked) == [("acknowledge", "a2", "李雷")]
    # the keyboard goes on at the next one that waits
    expect(page.locator('.waiting li[data-id="a1"] button')).to_be_focused()
    served.do(lambda district: district.change("a2", stage=Stage.ACKNOWLEDGED))
    expect(answered.locator(".stage")).to_have_text("answered, the gatehouse sees it")
    served.do(
        lambda district: district.change(
            "a2", stage=Stage.RESET, reset_by="key", reset_reason="key"
        )
    )
    expect(page.locator('.past li[data-id="a2"]')).to_be_attached()


def test_a_drill_is_told_from_an_alarm_in_words(served: Served, context: BrowserContext) -> None:
    """Without it a person could send the police to a drill, or take an alarm for one."""
    page = sign_in(context, served)
    served.do(lambda district: district.raised("d1", mode="drill"))
    row = page.locator('.practice li[data-id="d1"]')
    expect(row.locator(".mode")).to_have_text("DRILL, no alarm")
    expect(page.locator("[data-count=waiting]")).to_have_text("1")
    expect(page.locator("#said")).to_be_empty()
    row.get_by_role("button").click()
    expect(row.locator(".stage")).to_have_text("answered, not yet at the gatehouse")


def test_an_answer_that_is_refused_is_said_and_nothing_is_lost(
    served: Served, context: BrowserContext, complaints: list[str]
) -> None:
    """Without it a person would believe that they had answered."""
    page = sign_in(context, served)
    page.get_by_label("You answer as").fill("李雷")
    served.do(_answer_unseen)
    page.locator('.waiting li[data-id="a1"] button').click()
    expect(page.locator("#failed")).to_have_text("the alarm is acknowledged already")
    expect(page.get_by_label("You answer as")).to_have_value("李雷")
    assert all("409" in each for each in complaints)
    complaints.clear()


def _answer_unseen(district: FakeDistrict) -> None:
    """Have somebody else answer, and the news of it not be here yet."""
    district._alarms["a1"] = replace(district._alarms["a1"], stage=Stage.ACKNOWLEDGED)


def test_a_stream_that_breaks_is_said_in_large_letters(
    context: BrowserContext, tmp_path: Path, complaints: list[str]
) -> None:
    """Without it a page that stands still would look as calm as one without alarms."""
    with serve(tmp_path / "one", limits=LIMITS) as first:
        first.do(lambda district: district.raised("a1"))
        page = sign_in(context, first)
        expect(page.locator("#stale")).to_be_hidden()
        port = first.port
        first.stop()
        expect(page.locator("#stale")).to_contain_text("NOT LIVE since")
        expect(page.locator("body")).to_have_class("stale")
        expect(page.locator("#live-words")).not_to_have_text("live")
        size = page.locator("#stale").evaluate(
            "each => parseFloat(getComputedStyle(each).fontSize)"
        )
        assert size >= 30
    second = Served(tmp_path / "one", limits=LIMITS)
    second.start(port)
    try:
        second.do(lambda district: district.raised("after", school="之后小学"))
        expect(page.locator("#live-words")).to_have_text("live")
        expect(page.locator('.waiting li[data-id="after"]')).to_be_visible()
        expect(page.locator("#stale")).to_be_hidden()
        expect(page.locator('li[data-id="a1"]')).to_have_count(0)
        page.close()
    finally:
        second.stop()
    complaints.clear()  # the browser says that it could not connect


def test_a_page_whose_person_was_removed_says_so(served: Served, context: BrowserContext) -> None:
    """Without it a screen would go on looking like the desk when it no longer is."""
    page = sign_in(context, served)
    page.get_by_role("button", name="sign out").evaluate(
        "it => fetch('/sign-out', {method: 'POST',"
        " body: new URLSearchParams(new FormData(it.form))})"
    )
    expect(page).to_have_url(f"{served.url}/sign-in")
    expect(page.locator("main")).to_contain_text("Alarms are shown to nobody")


def test_the_language_is_changed_and_kept(served: Served, context: BrowserContext) -> None:
    """Without it half of the district could not read what to do."""
    page = sign_in(context, served)
    page.get_by_role("link", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.goto(f"{served.url}/gateways")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    served.do(lambda district: district.raised("a2"))
    expect(page.locator("[data-count=waiting]")).to_have_text("2")
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_sound_says_whether_it_is_on(served: Served, context: BrowserContext) -> None:
    """Without it somebody would rely on a sound that the browser never makes."""
    page = sign_in(context, served)
    page.reload()
    button = page.locator("#sound")
    expect(button).to_have_text("sound is BLOCKED: press here")
    button.click()
    expect(button).to_have_text("sound is on")
    button.click()
    expect(button).to_have_text("sound is OFF")


def test_one_alarms_page_and_pictures_grow_by_themselves(
    served: Served, context: BrowserContext
) -> None:
    """Without it whoever opened an alarm would see no picture that came afterwards."""
    page = sign_in(context, served)
    page.locator('li[data-id="a1"] a').first.click()
    expect(page.locator("main")).to_contain_text("No picture has come.")
    served.do(lambda district: district.took("a1", 2, _JPEG, taken="2026-11-26T08:00:02Z"))
    served.do(lambda district: district.took("a1", 1, _JPEG, taken="2026-11-26T08:00:04Z"))
    expect(page.locator("figure img")).to_have_count(2)
    first = page.locator("figure img").first
    expect(first).to_have_attribute("src", "/picture/2/a1")
    assert first.evaluate("each => each.decode().then(() => each.naturalWidth)") == 16
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".stage").first).to_contain_text("answered, not yet at the gatehouse")


def test_a_gateway_that_goes_silent_moves_to_the_front(
    served: Served, context: BrowserContext
) -> None:
    """Without it the one gateway that hears no press would be found by chance."""
    names = ("g1", "g2", "g3")
    for name in names:
        served.do(lambda d, name=name: d.put(Gateway(name, name, Presence.ONLINE, None, None)))  # type: ignore[misc]  # bound now
    page = sign_in(context, served)
    page.get_by_role("link", name="Gateways").click()
    expect(page.locator("li.row .school")).to_have_text(list(names))
    served.do(lambda d: d.put(Gateway("g3", "g3", Presence.SILENT, None, None)))
    expect(page.locator("li.row .school")).to_have_text(["g3", "g1", "g2"])
    expect(page.locator("li.row .stage").first).to_have_text("silent, no sign of life")


def test_a_thousand_alarms_are_listed_without_lag(
    served: Served, context: BrowserContext, record_property: Callable[[str, object], None]
) -> None:
    """Without it the desk would freeze on the day when it is needed most."""

    def many(district: FakeDistrict) -> None:
        for number in range(999):
            district.raised(f"m{number:04}", school=f"第{number}小学")

    served.do(many)
    page = sign_in(context, served)
    began = time.monotonic()
    page.goto(served.url)
    page.locator('.waiting li[data-id="m0998"]').wait_for()
    listed_s = time.monotonic() - began
    assert page.locator(".waiting li").count() == 1_000
    expect(page.locator("#live-words")).to_have_text("live")
    began = time.monotonic()
    served.do(lambda district: district.raised("fresh", school="新小学"))
    page.locator('.waiting li[data-id="fresh"]').wait_for()
    update_s = time.monotonic() - began
    record_property("listed_s", listed_s)
    record_property("update_s", update_s)
    assert page.locator(".waiting li").first.get_attribute("data-id") == "fresh"


_JPEG = base64.b64decode(
    "/9j//gAQTGF2YzYyLjI4LjEwMgD/2wBDAAgEBAQEBAUFBQUFBQYGBgYGBgYGBgYGBgYHBwcICAgHBwcGBgcHCAgI"
    "CAkJCQgICAgJCQoKCgwMCwsODg4RERT/xABLAAEAAAAAAAAAAAAAAAAAAAAAAQEAAAAAAAAAAAAAAAAAAAABEAEA"
    "AAAAAAAAAAAAAAAAAAAAEQEBAAAAAAAAAAAAAAAAAAAAIf/AABEIABAAEAMBIgACEQADEQD/2gAMAwEAAhEDEQA/"
    "AAAor//Z"
)
