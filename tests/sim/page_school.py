"""A school with its page, for tests that look at it as a browser does."""

import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from gatehouse_sim.school import Plan, School, opened, short_folder
from gatehouse_sim.stay import page_of

CHROMIUM: Final = "/usr/bin/chromium"
LIMIT_S: Final = 60.0
LIMIT_MS: Final = LIMIT_S * 1000
expect.set_options(timeout=LIMIT_MS)  # of its own it waits for 5 s, which a busy machine takes


@dataclass(frozen=True, slots=True)
class Shown:
    """An open school, and where its page is."""

    school: School
    url: str


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Lend a short folder for one school."""
    root = short_folder()
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextlib.asynccontextmanager
async def shown() -> AsyncIterator[Shown]:
    """Open a school of real processes, with a cable and a disk of its own, and serve its page."""
    with folder() as root:
        plan = Plan(gateway_lines='language = "en"', cable=True, small_disk=True)
        async with opened(root, plan) as school, page_of(school, None, 0) as url:
            await school.agent.wait_for(lambda s: s["link"]["state"] == "connected")
            yield Shown(school, url)


async def new_page(of: Browser | BrowserContext) -> Page:
    """Open a page that waits as long as all else here; of its own it waits for 30 s."""
    page = await of.new_page()
    page.set_default_timeout(LIMIT_MS)
    return page


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Start a headless Chromium; skip where there is none."""
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"there is no {CHROMIUM}: apt-get install chromium")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=LIMIT_MS
        )
        try:
            yield chromium
        finally:
            await chromium.close()
