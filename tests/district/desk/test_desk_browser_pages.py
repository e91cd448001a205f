"""The desk's other pages in a real browser, its words and its sound, and a thousand alarms."""

import base64
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from district.desk.browsing import CHROMIUM, sign_in
from district.desk.fake_district import FakeDistrict
from district.desk.served import Served
from gatehouse_district.model import Gateway, Presence

pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason="no chromium here (make test installs it)"
)


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
    expect(button).to_have_text("sound BLOCKED: press")
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
