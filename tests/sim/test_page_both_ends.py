"""Both ends in one browser, as ``make demo`` opens them: press here, see and answer there."""

import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.async_api import BrowserContext, Page, expect

from sim.page_school import LIMIT_MS, browser, new_page
from sim.test_scenario_demo import LIMIT_S, left, typed, until


@dataclass(frozen=True, slots=True)
class Printed:
    """What the demo said of itself."""

    school: str
    desk: str
    user: str
    password: str
    folder: str


@pytest.fixture
def demo() -> Iterator["subprocess.Popen[str]"]:
    """Run the demo as a stranger does, on ports that nobody else has."""
    with typed("gatehouse-sim", "demo", "--page-port", "0", "--no-browser") as process:
        yield process
        if process.poll() is None:
            process.kill()


def printed(demo: "subprocess.Popen[str]") -> Printed:
    """Read what it prints once it is open."""
    lines = [line.strip() for line in until(demo, "Ctrl-C closes")]
    school, desk = (line.split()[0] for line in lines if line.startswith("http://"))
    words = next(line for line in lines if "password" in line).replace(",", "").split()
    config = next(line for line in lines if "GATEHOUSE_CONFIG=" in line).partition("=")[2]
    return Printed(school, desk, words[3], words[5], config.rpartition("/")[0])


async def at_desk(context: BrowserContext, said: Printed) -> Page:
    """Sign in at the desk."""
    desk = await new_page(context)
    await desk.goto(f"{said.desk}?lang=en")
    await desk.get_by_label("Name").fill(said.user)
    await desk.get_by_label("Password").fill(said.password)
    await desk.get_by_role("button", name="Sign in").click()
    await expect(desk.get_by_text("No alarm waits for an answer.")).to_be_visible(timeout=LIMIT_MS)
    return desk


async def test_a_press_is_seen_and_answered_at_the_desk_and_the_lamp_goes_steady(
    demo: "subprocess.Popen[str]",
) -> None:
    """Without it each end could work by itself, and the two not with one another."""
    said = printed(demo)
    async with browser() as chromium:
        context = await chromium.new_context(locale="en-GB")
        desk = await at_desk(context, said)
        school = await new_page(context)
        await school.goto(said.school)
        assert await school.locator("a.desk").get_attribute("href") == f"{said.desk}?lang=en"
        stage = school.locator('[data-told="alarm-gate"]')
        await school.locator(".panic").first.click(delay=300)
        await expect(stage).to_have_attribute("data-state", "received", timeout=LIMIT_MS)
        # By keyboard: a click just as the list moves answers nothing (desk/static/rows.js).
        await desk.get_by_role("button", name="Acknowledge").press("Enter", timeout=LIMIT_MS)
        await expect(stage).to_have_attribute("data-state", "acknowledged", timeout=LIMIT_MS)
        assert await school.evaluate(STEADY), "the lamp blinks although a person has answered"
        await school.get_by_role("button", name="Turn the reset key").focus()
        await school.keyboard.press("Space", delay=300)
        await expect(stage).to_have_attribute("data-state", "idle", timeout=LIMIT_MS)
    demo.send_signal(signal.SIGTERM)
    rest, _ = demo.communicate(timeout=LIMIT_S)
    assert demo.returncode == 0, rest
    assert left(said.folder) == []


STEADY = """() => new Promise((resolve) => {
  const lamp = document.querySelector(".lamp.red");
  let last = performance.now();
  new MutationObserver(() => { last = performance.now(); })
    .observe(lamp, {attributes: true, attributeFilter: ["data-level"]});
  const end = performance.now() + 60000;
  const look = () => {
    const now = performance.now();
    if (now > end) resolve(false);
    else if (lamp.dataset.level === "1" && now - last > 1200) resolve(true);
    else setTimeout(look, 50);
  };
  look();
})"""
