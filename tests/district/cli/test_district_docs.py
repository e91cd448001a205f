"""The one-hour page in both languages names what there is (tests/nspawn follows it)."""

import re
from pathlib import Path

import pytest

from gatehouse_district.cli import COMMANDS

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ("district.md", "district.zh-CN.md")
_IN_ENGLISH = ("; s/zh_CN/en/", 'language = "en"\n')


def blocks(name: str) -> list[str]:
    """Return the blocks of a page, in its order."""
    text = (DOCS / name).read_text(encoding="utf-8")
    return re.findall(
        r"^```(sh (?:server|gateway|later)\n.*?)^```$", text, re.MULTILINE | re.DOTALL
    )


def test_both_pages_have_the_same_commands() -> None:
    """Without it the Chinese page would be the one that nobody has tried."""
    english, chinese = map(blocks, PAGES)
    for each in _IN_ENGLISH:
        english = [block.replace(each, "") for block in english]
    assert english == chinese
    assert len(english) > 10


@pytest.mark.parametrize("name", PAGES)
def test_every_command_is_one(name: str) -> None:
    """Without it a renamed command would live on in the page."""
    text = (DOCS / name).read_text(encoding="utf-8")
    typed = r"^(?:\S*\$\()?gatehouse-district ([a-z]+)\b"
    named = re.findall(typed, "\n".join(blocks(name)), re.MULTILINE)
    said = re.findall(r"`gatehouse-district ([a-z]+)\b", text)
    assert {*named, *said} <= COMMANDS.keys()
    assert {"ca", "user", "alarms", "acknowledge", "gateways", "export"} <= {*named, *said}
