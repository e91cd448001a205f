"""The desk in a real browser: alarms that come by themselves, are answered, or cannot be."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from district.desk.browsing import CHROMIUM, LIMITS, sign_in
from district.desk.fake_district import FakeDistrict
from district.desk.served import Served, serve
from gatehouse_district.model import Stage

pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason="no chromium here (make test installs it)"
)


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


def test_a_press_just_as_the_list_moves_answers_nothing(
    served: Served, context: BrowserContext
) -> None:
    """Without it somebody would answer an alarm that slid under their hand."""
    page = sign_in(context, served)
    press = """async () => {
      const list = document.querySelector(".waiting ol");
      const moved = new Promise((done) => {
        new MutationObserver(done).observe(list, {childList: true});
      });
      window.ready = true;
      await moved;
      const button = list.querySelector("button.acknowledge");
      button.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true, detail: 1}));
      return button.value;
    }"""
    page.evaluate(f"() => {{ window.pressed = ({press})(); }}")
    page.wait_for_function("() => window.ready")
    expect(page.locator("#moved")).to_be_hidden()
    served.do(lambda district: district.raised("a2"))
    assert page.evaluate("() => window.pressed") == "a2"
    expect(page.locator("#moved")).to_contain_text("nothing was answered")
    page.locator('.waiting li[data-id="a1"] button').press("Enter")
    expect(page.locator('.answered li[data-id="a1"]')).to_be_attached()
    assert [asked[1] for asked in served.do(lambda district: district.asked)] == ["a1"]


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
        assert page.title().startswith("✕ NO new alarms are shown")
    second = Served(tmp_path / "one", limits=LIMITS)
    second.start(port)
    try:
        second.do(lambda district: district.raised("after", school="之后小学"))
        expect(page.locator("#live-words")).to_have_text("live")
        expect(page.locator('.waiting li[data-id="after"]')).to_be_visible()
        expect(page.locator("#stale")).to_be_hidden()
        expect(page).not_to_have_title(re.compile("✕"))
        expect(page.locator('li[data-id="a1"]')).to_have_count(0)
        page.close()
    finally:
        second.stop()
    complaints.clear()  # the browser says that it could not connect


def test_a_page_that_wakes_from_its_machines_sleep_asks_at_once(
    served: Served, context: BrowserContext
) -> None:
    """Without it a page would look calm for half a minute after a night's sleep."""
    page = sign_in(context, served)
    with page.expect_request(lambda request: "/live" in request.url):
        page.evaluate(
            """() => {
              const real = Date.now;
              Date.now = () => real() + 3600_000;
              document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
    expect(page.locator("#live-words")).to_have_text("live")


def test_a_page_whose_person_was_removed_says_so(served: Served, context: BrowserContext) -> None:
    """Without it a screen would go on looking like the desk when it no longer is."""
    page = sign_in(context, served)
    page.get_by_role("button", name="sign out").evaluate(
        "it => fetch('/sign-out', {method: 'POST',"
        " body: new URLSearchParams(new FormData(it.form))})"
    )
    expect(page).to_have_url(f"{served.url}/sign-in")
    expect(page.locator("main .alert")).to_contain_text("Alarms are shown to nobody")
    expect(page).to_have_title(re.compile("✕ NO new alarms are shown"))
