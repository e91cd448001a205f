"""A browser for the desk, and a desk for the browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from district.desk.browsing import CHROMIUM, LIMITS, WAIT_MS
from district.desk.served import Served, serve


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all."""
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--autoplay-policy=user-gesture-required"],
            timeout=WAIT_MS,
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
