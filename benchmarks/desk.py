"""From the edge to the screen at the district: the alarm's row painted in a real browser.

The page notes when the row was painted, by its own clock (``performance``), which starts from the
machine's wall clock; edges and receipts are CLOCK_MONOTONIC. How the two clocks lie is read right
after each press, and the page's clock is tried beside it.
"""

import asyncio
import contextlib
import itertools
import shutil
import time
from collections.abc import Iterator
from typing import Any, Final

from playwright.sync_api import Page, sync_playwright

import rig as rigs
from figures import Row, Spread, Table
from gatehouse.control import client
from gatehouse_sim.school import Plan, School
from gatehouse_sim.wiring_client import WiringClient
from rig import HERE, PINS, Child

CHROMIUM: Final = "/usr/bin/chromium"
_TITLE: Final = "a press at the district's desk, mutual TLS: ms after the edge"
_LIMIT_MS: Final = 60_000
_MOST_OFF_MS: Final = 5.0
"""How far the page's clock may be from ours when it is tried; of the figures a fraction."""

_WATCH: Final = """() => {
  const waiting = document.querySelector('[data-section="waiting"]');
  window.painted = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("no row was painted within a minute")), 60000);
    const observer = new MutationObserver(() => {
      if (!waiting.querySelector("li.row")) return;
      observer.disconnect();
      requestAnimationFrame(() => {  // the row is in the frame that is painted next
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve(performance.timeOrigin + performance.now());
        port2.postMessage(null);
      });
    });
    observer.observe(waiting, { childList: true, subtree: true });
  });
}"""
_NOW: Final = "() => performance.timeOrigin + performance.now()"
_EMPTY: Final = """() => !document.querySelector('[data-section="waiting"] li.row')"""


def measure(presses: int) -> list[Table]:
    """Press so many times, and see each on the screen."""
    if shutil.which(CHROMIUM) is None:
        return [Table(_TITLE, (), (f"SKIPPED: there is no {CHROMIUM} to look with",))]
    screen, received = list[float](), list[float]()
    asyncio.run(_opened(presses, screen, received))
    to_screen, to_receipt = Spread.of(screen), Spread.of(received)
    ratio = to_screen.p50 / to_receipt.p50
    rows = (
        Row("painted at the desk", "ms", to_screen, beside="the district's receipt", ratio=ratio),
        Row("the district's receipt, at the gateway", "ms", to_receipt),
    )
    note = "headless Chromium at 60 frames/s on the same machine: up to 17 ms are its frame"
    return [Table(_TITLE, rows, (note,))]


async def _opened(presses: int, screen: list[float], received: list[float]) -> None:
    """Open broker, district, desk and agent; the loop has nothing to do while it is measured."""
    async with contextlib.AsyncExitStack() as stack:
        root = stack.enter_context(rigs.temporary())
        school = School(root, Plan(buttons=rigs.BUTTONS, environ={"GATEHOUSE_CLOCK": ""}))
        await stack.enter_async_context(school.broker)
        words = [school.broker.url, root, *rigs.files(school.identity)]
        desk = stack.enter_context(Child([HERE / "desk_server.py", *words]))
        url, user, password = desk.line().split()
        stack.push_async_callback(school.agent.stop)
        await school.agent.start()
        await school.agent.wait_for(lambda s: s["link"]["state"] == "connected")
        await asyncio.to_thread(  # playwright's own loop must not run in ours
            _press_and_look, school, (url, user, password), presses, screen, received
        )


def _press_and_look(
    school: School,
    desk: tuple[str, str, str],
    presses: int,
    screen: list[float],
    received: list[float],
) -> None:
    stages = client.stream(school.place.control, {"do": "follow"}, timeout_s=_LIMIT_MS / 1000)
    next(stages)
    with _at_desk(*desk) as page, school.wires() as wires:
        pins = itertools.cycle(PINS)  # a button that bounces still is not pressed again
        _press(school, page, stages, wires, next(pins))  # the first one warms everything up
        for _ in range(presses):
            at_screen, at_gateway = _press(school, page, stages, wires, next(pins))
            screen.append(at_screen)
            received.append(at_gateway)


def _press(
    school: School, page: Page, stages: Iterator[dict[str, Any]], wires: WiringClient, pin: int
) -> tuple[float, float]:
    """Press once and reset it; how long after the edge it was painted, and receipted, in ms."""
    page.evaluate(_WATCH)
    edge_ns = wires.set(pin, 0)
    receipt_ns = next(s["t"] for s in stages if s.get("stage") == "received")
    painted_ms: float = page.evaluate("() => window.painted")
    wall_ns = time.time_ns() - time.monotonic_ns()
    _try_clock(page, wall_ns)
    wires.set(pin, 1)
    asked = {"do": "reset", "button": f"b{pin}", "by": "bench", "reason": "test"}
    client.ask(school.place.control, asked)
    page.wait_for_function(_EMPTY, timeout=_LIMIT_MS)
    painted_ns = int(painted_ms * 1e6) - wall_ns
    return (painted_ns - edge_ns) / 1e6, (receipt_ns - edge_ns) / 1e6


def _try_clock(page: Page, wall_ns: int) -> None:
    """Raise RuntimeError when the page's clock does not go with the machine's."""
    before_ns = time.monotonic_ns()
    said_ns = int(page.evaluate(_NOW) * 1e6) - wall_ns
    after_ns = time.monotonic_ns()
    off_ms = max(before_ns - said_ns, said_ns - after_ns, 0) / 1e6
    if off_ms > _MOST_OFF_MS:
        raise RuntimeError(f"the browser's clock is {off_ms:.1f} ms away from the machine's")


@contextlib.contextmanager
def _at_desk(url: str, user: str, password: str) -> Iterator[Page]:
    """Sign in at the desk with a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-GB")
        page.goto(url)
        page.fill("input[name=name]", user)
        page.fill("input[name=password]", password)
        page.click("form.card button")
        page.wait_for_selector('[data-section="waiting"]', state="attached")
        yield page
        browser.close()
