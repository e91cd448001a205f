"""What a person does in a browser to come to the desk."""

import shutil
from typing import Final

from playwright.sync_api import BrowserContext, Page, expect

from district.desk.rig import PASSWORD
from district.desk.served import Served
from gatehouse_district.desk.parts import Limits

CHROMIUM: Final = shutil.which("chromium") or "/usr/bin/chromium"
WAIT_MS: Final = 60_000
LIMITS: Final = Limits(beat_s=0.5)


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
