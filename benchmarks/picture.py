"""Make the README's picture of the demo: the school's page and the district's desk, side by side.

``.venv/bin/python benchmarks/picture.py`` writes docs/pictures/demo.png and demo.zh-CN.png.
"""

import base64
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from desk import CHROMIUM
from gatehouse_sim.child import die_with_parent

_PICTURES: Final = Path(__file__).parents[1] / "docs" / "pictures"
_LANGUAGES: Final = {"en": ("en-GB", "demo.png"), "zh_CN": ("zh-CN", "demo.zh-CN.png")}
_WIDTH, _HEIGHT = 1120, 850
_LIMIT_MS: Final = 60_000
_SEEN: Final = """() => {
  const pictures = [...document.querySelectorAll("li.row img")];
  return pictures.length >= 4 && pictures.every((each) => each.complete && each.naturalWidth);
}"""
"""Four pictures have come and are shown; by then the row flashes no more."""


def main() -> None:
    """Run a demo for each language, press in it, and take the picture."""
    _PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for language, (locale, name) in _LANGUAGES.items():
            place = {"width": _WIDTH, "height": _HEIGHT}
            context = browser.new_context(viewport=place, locale=locale)  # type: ignore[arg-type]  # a dict it is
            pictures = _both(context, language)
            path = _PICTURES / name
            path.write_bytes(_small(_side_by_side(browser, *pictures)))
            print(path, path.stat().st_size, "bytes")


def _both(context: BrowserContext, language: str) -> tuple[bytes, bytes]:
    words = [str(Path(sys.executable).with_name("gatehouse-sim")), "demo", "--no-browser"]
    demo = subprocess.Popen(
        [*words, "--page-port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={"LANG": f"{language}.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        preexec_fn=die_with_parent,  # noqa: PLW1509  # one call of prctl: it takes no lock
    )
    with demo:
        try:
            return _pressed(context, language, _printed(demo))
        finally:
            demo.terminate()


def _pressed(
    context: BrowserContext, language: str, said: tuple[str, str, str, str]
) -> tuple[bytes, bytes]:
    school_url, desk_url, user, password = said
    desk = context.new_page()
    desk.goto(f"{desk_url}?lang={language}")
    desk.fill("input[name=name]", user)
    desk.fill("input[name=password]", password)
    desk.click("form.card button")
    desk.wait_for_selector('[data-section="waiting"]', state="attached")
    desk.wait_for_selector("#sound:visible")
    desk.mouse.click(_WIDTH / 2, _HEIGHT - 20)  # a browser lets no page sound before that
    school = context.new_page()
    school.goto(f"{school_url}?lang={language}")
    for camera in school.locator('[data-told^="camera-"]').all():
        camera.and_(school.locator('[data-state="fine"]')).wait_for(timeout=_LIMIT_MS)
    school.locator(".panic").first.click()
    desk.locator("button.acknowledge").wait_for(timeout=_LIMIT_MS)
    desk.wait_for_function(_SEEN, timeout=_LIMIT_MS)
    school.evaluate("document.getElementById('answer').textContent = ''")
    school.wait_for_selector('.lamp.red[data-level="1"]')
    return school.screenshot(), desk.screenshot()


def _printed(demo: "subprocess.Popen[str]") -> tuple[str, str, str, str]:
    text = ""
    for line in demo.stdout or ():
        text += line
        if found := re.search(r"(http\S+) .*\n\s+(http\S+) .*\n.* (demo)\W+\S+ (\S+)\n", text):
            return found[1], found[2], found[3], found[4]
    raise EOFError(text)


def _side_by_side(browser: Browser, left: bytes, right: bytes) -> bytes:
    page = browser.new_page(viewport={"width": 2 * _WIDTH + 60, "height": _HEIGHT + 40})
    images = "".join(
        f'<img src="data:image/png;base64,{base64.b64encode(each).decode()}">'
        for each in (left, right)
    )
    style = "body{margin:20px;display:flex;gap:20px;background:#8d95a3}img{border-radius:6px}"
    page.set_content(f"<style>{style}</style>{images}")
    return page.screenshot()


def _small(png: bytes) -> bytes:
    """Have ffmpeg keep 256 colours: what cameras see takes much room otherwise."""
    colours = "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=none"
    words = ["ffmpeg", "-v", "error", "-i", "-", "-vf", colours, "-f", "image2pipe", "-c:v", "png"]
    return subprocess.run([*words, "-"], input=png, stdout=subprocess.PIPE, check=True).stdout


main()
