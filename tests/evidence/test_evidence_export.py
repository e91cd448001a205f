"""One zip that anybody can open: whole or not at all, and a page that hides nothing."""

import re
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import sync_playwright

from evidence.building import ALARM, JPEG, Builder, film, photo, small
from gatehouse import texts
from gatehouse.evidence import bundles, chain, export
from gatehouse.evidence.chain import Log
from gatehouse.evidence.manifest import CLIP, Held, Lacking
from gatehouse.evidence.page import Shown, page
from gatehouse.evidence.page_figures import Times
from gatehouse.evidence.verify import Finding

CHROMIUM: Final = Path("/usr/bin/chromium")
MADE: Final = datetime(2026, 11, 26, 6, 0, tzinfo=UTC)
EVIL: Final = "<script>alert(1)</script>\"'&"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Speak English, whatever another test spoke last."""
    texts.use("en")
    yield
    texts.use("en")


def exported(root: Path, out: Path, log: Log | None = None, language: str = "en") -> list[Finding]:
    """Export the bundle as the command does."""
    bundle = bundles.read(root, ALARM)
    manifest = bundle.manifest
    assert manifest is not None
    told = chain.chain(manifest, bundle.manifest_body, log)
    times = Times(lambda at: at)

    def made(found: Any) -> str:
        return page(Shown(bundle, manifest, found, told, MADE, times), language=language)

    return export.write(bundle, manifest, out, page=made, made=MADE)


def html(out: Path) -> str:
    """Return the page in a zip."""
    with zipfile.ZipFile(out) as opened:
        return opened.read(f"evidence-{ALARM}/index.html").decode()


def test_a_clock_that_is_not_set_hinders_no_export(tmp_path: Path) -> None:
    """A zip knows no time before 1980, and a Pi without a battery may wake there."""
    small(tmp_path / "e")
    bundle = bundles.read(tmp_path / "e", ALARM)
    assert bundle.manifest is not None
    out, unset = tmp_path / "out.zip", datetime(1970, 1, 1, tzinfo=UTC)
    export.write(bundle, bundle.manifest, out, page=lambda _: "page", made=unset)
    assert zipfile.is_zipfile(out)


def test_the_zip_has_everything_as_it_was(tmp_path: Path) -> None:
    """Without it what leaves the school would be less, or other, than what was kept."""
    built = small(tmp_path / "e")
    built.release()
    out = tmp_path / "out.zip"
    assert exported(tmp_path / "e", out, Log(built.log())) == []
    with zipfile.ZipFile(out) as opened:
        assert opened.testzip() is None
        inside = {info.filename: info for info in opened.infolist()}
        names = {item.file for item in built.items} | {"manifest.json", "released.json"}
        assert inside.keys() == {f"evidence-{ALARM}/{n}" for n in names | {"index.html"}}
        for name in names:
            info = inside[f"evidence-{ALARM}/{name}"]
            assert opened.read(info) == (built.folder / name).read_bytes()
            assert info.compress_type == zipfile.ZIP_STORED
    said = html(out)
    assert all(item.sha256 in said for item in built.items)
    assert "every file was as the manifest says" in said
    assert "no picture since 2026-11-26 03:22:11.1: no route to host" in said
    assert "released by 王" in said
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.zip"]


def test_what_was_changed_is_exported_and_said(tmp_path: Path) -> None:
    """Without it the tampered half of the evidence would take the other half with it, or pass."""
    built = small(tmp_path / "e")
    (built.folder / "01-gate.jpg").write_bytes(JPEG + b"onE")
    (built.folder / "02-gate.jpg").unlink()
    (built.folder / "more.jpg").write_bytes(JPEG)
    found = exported(tmp_path / "e", tmp_path / "out.zip")
    assert [(each.file, each.what) for each in found] == [
        ("01-gate.jpg", "changed"),
        ("02-gate.jpg", "missing"),
        ("more.jpg", "extra"),
    ]
    said = html(tmp_path / "out.zip")
    assert "Not all is as the manifest says." in said
    assert "02-gate.jpg: not there" in said
    assert 'src="02-gate.jpg"' not in said


def test_a_failed_export_leaves_what_was_there(tmp_path: Path) -> None:
    """Without it a full stick would be left with half a zip under the name of a whole one."""
    small(tmp_path / "e")
    out = tmp_path / "out.zip"
    out.write_bytes(b"before")
    bundle = bundles.read(tmp_path / "e", ALARM)
    assert bundle.manifest is not None

    def fails(_found: object) -> str:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        export.write(bundle, bundle.manifest, out, page=fails, made=MADE)
    assert out.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.zip"]


def test_the_page_asks_nobody_and_escapes_everything(tmp_path: Path) -> None:
    """Without it a name in a configuration could run in the browser of an investigator."""
    built = Builder(tmp_path / "e", school=EVIL, location=EVIL)
    built.add("01-gate.jpg", camera=EVIL, body=JPEG)
    built.lacking.append(Lacking(camera=EVIL, kind=EVIL, why=EVIL, text=EVIL))
    built.held.append(Held(camera=EVIL, path=EVIL, begins=EVIL))
    built.write()
    built.release(by=EVIL)
    for language in ("en", "zh_CN"):
        texts.use(language)
        assert exported(tmp_path / "e", tmp_path / "out.zip", language=language) == []
        said = html(tmp_path / "out.zip")
        assert "<script" not in said
        assert said.count("&lt;script&gt;") >= 9
        assert not re.findall(r"(?:src|href)=\"(?:[a-z]+:|//)", said)
        assert "default-src 'none'" in said.replace("&#x27;", "'")


def test_a_browser_plays_and_shows_it_from_a_folder(tmp_path: Path) -> None:
    """Without it the page would look well in tests of text and show black boxes to people."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not here")
    built = Builder(tmp_path / "e")
    built.folder.mkdir(parents=True)
    film(built.folder / "clip-gate.mp4", 2.0)
    photo(built.folder / "01-gate.jpg", 0.0)
    photo(built.folder / "02-yard.jpg", 0.5)
    built.add("02-yard.jpg", camera="yard", after_s=2.2)
    built.add("01-gate.jpg", after_s=0.2, number=1)
    built.add("clip-gate.mp4", kind=CLIP, after_s=-30.0, length_s=90.0)
    built.write()
    assert exported(tmp_path / "e", tmp_path / "out.zip", Log(built.log())) == []
    subprocess.run(
        ["/usr/bin/env", "python3", "-m", "zipfile", "-e", "out.zip", "un"],
        cwd=tmp_path,
        check=True,
    )
    address = (tmp_path / "un" / f"evidence-{ALARM}" / "index.html").as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"], timeout=60_000
        )
        shown = browser.new_page()
        shown.set_default_timeout(60_000)
        said: list[str] = []
        shown.on("console", lambda message: said.append(message.text))
        asked: list[str] = []
        shown.on("request", lambda request: asked.append(request.url))
        shown.goto(address)
        shown.wait_for_function("document.querySelector('video').readyState >= 2", timeout=60_000)
        shown.evaluate(
            "() => { const v = document.querySelector('video'); v.muted = true; return v.play(); }"
        )
        shown.wait_for_function("document.querySelector('video').currentTime > 0", timeout=60_000)
        widths = "[...document.images].map(i => (i.loading = 'eager', i.naturalWidth))"
        shown.wait_for_function(f"{widths}.every(w => w === 320)", timeout=60_000)
        order = shown.evaluate("[...document.images].map(i => i.getAttribute('src'))")
        browser.close()
    assert order == ["01-gate.jpg", "02-yard.jpg"]
    assert said == []
    assert all(url.startswith("file:") for url in asked)
