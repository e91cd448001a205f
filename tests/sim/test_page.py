"""The page in a real browser: what is pressed there, and what is seen."""

from playwright.async_api import Locator, Page, expect

from gatehouse_sim.school import School
from sim.page_school import LIMIT_MS, browser, new_page, shown

FAST_S, SLOW_S = 1 / 3, 1.0
"""Contract section 6: 3 Hz and 1 Hz, as times from one light to the next."""

EDGES = """(lamp) => new Promise((resolve) => {
  const times = [];
  new MutationObserver((changes, observer) => {
    times.push(performance.now());
    if (times.length < 9) return;
    observer.disconnect();
    resolve(times);
  }).observe(lamp, {attributes: true, attributeFilter: ["data-level"]});
})"""


async def period_s(lamp: Locator) -> float:
    """Watch a lamp on the page; the time from one light to the next, s.

    Of several: a browser that is held up shows some late and then some in one go.
    """
    times: list[float] = await lamp.evaluate(EDGES)
    return 2 * (times[-1] - times[0]) / (len(times) - 1) / 1000


async def until(page: Page, told: str, text: str) -> None:
    """Wait until the page says something at a place."""
    await expect(page.locator(f'[data-told="{told}"]')).to_contain_text(text, timeout=LIMIT_MS)


async def never_alarmed(school: School, name: str) -> bool:
    """Whether the agent has made no alarm of a button."""
    buttons = (await school.agent.status())["buttons"]
    return next(b for b in buttons if b["name"] == name)["last_alarm"] is None


async def test_the_lamp_on_the_page_blinks_as_the_pin_does() -> None:
    """Without it the page could be right in words while its lamp lies: the thing a guard reads."""
    async with shown() as here, browser() as chromium:
        page = await new_page(chromium)
        await page.goto(f"{here.url}?lang=en")
        red, press = page.locator(".lamp.red").first, page.locator(".panic").first
        await expect(page.locator(".lamp.green")).to_have_attribute("data-level", "1")
        await page.get_by_role("button", name="Pull the cable").click()
        await until(page, "network", "pulled")
        await press.hover()
        await page.mouse.down()
        await expect(page.locator(".relay")).to_have_attribute("data-level", "1")
        await until(page, "contact-gate", "contact closed · loop open")
        await page.mouse.up()
        await until(page, "contact-gate", "contact open · loop closed")
        await until(page, "alarm-gate", "the district does not have it yet")
        assert abs(await period_s(red) - FAST_S) < 0.25
        await page.get_by_role("button", name="Plug it in").click()
        await until(page, "alarm-gate", "the district's machine has it")
        assert abs(await period_s(red) - SLOW_S) < 0.35


async def test_what_is_broken_on_the_page_is_really_broken() -> None:
    """Without it the page could show faults that nobody had, or none where there is one."""
    async with shown() as here, browser() as chromium:
        page = await new_page(chromium)
        await page.goto(f"{here.url}?lang=en")
        gate = page.locator("article", has_text="南门门卫室")
        faults = page.locator('[data-list="faults"]')
        await gate.get_by_role("button", name="Cut the wire").click()
        await expect(faults).to_contain_text("gate: open (cut wire)", timeout=LIMIT_MS)
        await gate.get_by_role("button", name="Press").click()
        await expect(page.locator("#answer")).to_contain_text("let go")
        assert await never_alarmed(here.school, "gate")
        await page.get_by_role("button", name="Kill").click()
        await expect(page.locator("#answer")).to_contain_text("killed", timeout=LIMIT_MS)
        await expect(faults).to_contain_text("gate: open (cut wire)", timeout=LIMIT_MS)
        await gate.get_by_role("button", name="Mend it").click()
        await expect(faults).to_be_empty(timeout=LIMIT_MS)
        await fill_the_disk(page)
        await press_while_the_agent_is_dead(page)
        alarms = here.school.district.alarms()
        assert [a.event.data["held_at_start"] for a in alarms][-1:] == [True]


async def fill_the_disk(page: Page) -> None:
    """Fill it, where that can be done, and press: alarms have room of their own."""
    fill = page.get_by_role("button", name="Fill it")
    if not await fill.is_enabled():
        await until(page, "disk", "cannot be filled on this machine")
        return
    await fill.click()
    await until(page, "disk", "full to the last byte")
    office = page.locator("article", has_text="教务处").locator(".panic")
    await office.click()
    await until(page, "alarm-office", "the district's machine has it")
    await page.get_by_role("button", name="Free it").click()
    await until(page, "disk", "has room")
    await office.click()  # turned back: that resets it
    await until(page, "alarm-office", "no alarm")


async def press_while_the_agent_is_dead(page: Page) -> None:
    """Hold a button while no agent runs, and start it: the wires must not have forgotten."""
    await page.get_by_role("button", name="Stop").click()
    await until(page, "agent", "not running")
    await expect(page.locator(".lamp.green")).to_have_attribute("data-level", "0")
    await page.locator(".panic").first.focus()
    await page.keyboard.down("Space")
    await until(page, "contact-gate", "contact closed")
    await page.get_by_role("button", name="Start").dispatch_event("click")
    await until(page, "alarm-gate", "the district's machine has it")
    await page.keyboard.up("Space")
    await until(page, "contact-gate", "contact open · loop closed")
