"""What people read: every text is there in both languages, and the words are the right ones."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from gatehouse import texts
from gatehouse.texts import _, language_of

ROOT = Path(__file__).parents[2]
SOURCES = [
    ROOT / "agent" / "gatehouse",
    ROOT / "district" / "gatehouse_district",
    ROOT / "hardware-sim" / "gatehouse_sim",
]
PO = texts.LOCALE_DIR / "zh_CN" / "LC_MESSAGES" / "gatehouse.po"
NEVER = {
    "恐慌按钮": "一键报警按钮",
    "保留": "保存时间",
    "已接警": "已送达 (a machine has it) or 接警确认 (a person has answered)",
    "解除": "手动复位 or 接警确认",
}
"""Words that design.md section 5 forbids, and what to write instead."""
MUST = {
    "alarm": "报警",
    "line": "线路",
    "short": "短路",
    "sent": "已发出",
    "received": "已送达",
    "acknowledged": "接警确认",
    "drill": "演练",
    "faults": "故障",
    "waiting": "待上传",
}
"""Words of design.md section 5 that stand alone in the catalog."""


@pytest.fixture(autouse=True)
def speak_english_again() -> Iterator[None]:
    """Leave no language behind."""
    yield
    texts.use("en")


def marked() -> dict[str, str]:
    """Return every literal text marked in the sources, and where it stands."""
    found: dict[str, str] = {}
    for root in SOURCES:
        for path in sorted(root.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                    continue
                if node.func.id not in {"_", "N_"} or len(node.args) != 1:
                    continue
                (text,) = node.args
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    found[text.value] = f"{path.relative_to(ROOT)}:{node.lineno}"
                at = f"{path}:{node.lineno}"
                assert not isinstance(text, ast.JoinedStr), f"{at}: an f-string is no key"
        for path in sorted(root.rglob("templates/**/*.html")):
            with path.open("rb") as template:
                for line, _, message, _ in babel_extract(template, ["_"], [], {}):
                    found[str(message)] = f"{path.relative_to(ROOT)}:{line}"
    return found


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Read the Chinese catalog."""
    with PO.open("rb") as stream:
        return read_po(stream, locale="zh_CN", abort_invalid=True)


def placeholders(text: str, percent: bool) -> list[str]:
    """Return what a text leaves open, in no order: ``{name:spec}`` or ``%(name)s``."""
    if percent:
        return sorted(re.findall(r"%\([^)]+\)[a-z]|%[a-z]", text))
    return sorted(
        f"{name}:{spec}" for _, name, spec, _ in string.Formatter().parse(text) if name is not None
    )


def test_every_text_is_there_in_chinese(catalog: Catalog) -> None:
    """Without it a guard would read an English line in the middle of a Chinese screen."""
    lacking = {
        text: at for text, at in marked().items() if not (m := catalog.get(text)) or not m.string
    }
    assert lacking == {}


def test_no_text_is_kept_that_nobody_says(catalog: Catalog) -> None:
    """Without it translations would go on living for texts that were changed under them."""
    said = marked()
    assert [message.id for message in catalog if message.id and message.id not in said] == []
    assert list(catalog.obsolete) == []
    assert [message.id for message in catalog if message.fuzzy and message.id] == []


def test_both_languages_leave_the_same_open(catalog: Catalog) -> None:
    """Without it a translated message would raise KeyError just when something is wrong."""
    for message in catalog:
        if message.id:
            given, translated = str(message.id), str(message.string)
            percent = bool(re.search(r"%\(|%[srd]\b", given))
            assert placeholders(given, percent) == placeholders(translated, percent), given
            assert given.endswith("\n") == translated.endswith("\n"), given


def test_the_words_are_those_of_the_standards(catalog: Catalog) -> None:
    """Without it two words for one thing would confuse guard, technician and inspector."""
    for text, word in MUST.items():
        message = catalog.get(text)
        assert message is not None
        assert message.string == word
    for message in catalog:
        for word, better in NEVER.items():
            assert word not in str(message.string), f"{message.id}: write {better}"


@pytest.mark.parametrize("name", ["README.zh-CN.md", "README.md"])
def test_the_readmes_use_no_forbidden_word(name: str) -> None:
    """Without it the label beside the lamp could promise that a person has answered."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for word, better in NEVER.items():
        assert word not in text, f"write {better}"


def test_the_compiled_catalog_is_the_committed_one(catalog: Catalog) -> None:
    """Without it the build could ship no catalog, or an old one, and nobody would see it."""
    texts.use("zh_CN")
    assert {str(m.id): _(str(m.id)) for m in catalog if m.id} == {
        str(m.id): m.string for m in catalog if m.id
    }


def test_english_is_spoken_until_told_otherwise_and_where_chinese_is_lacking() -> None:
    """Without it a text without a translation would be shown as nothing, or as the head."""
    assert _("drill") == "drill"
    texts.use("zh_CN")
    assert _("drill") == "演练"
    assert _("no such text") == "no such text"
    assert _("") == ""
    texts.use("en")
    assert _("drill") == "drill"


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "ZH_cn"}, "zh_CN"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "C", "LC_MESSAGES": "C", "LC_ALL": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en:zh_CN"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": ""}, "zh_CN"),
    ],
)
def test_the_locale_is_read_in_gettexts_own_order(environ: dict[str, str], language: str) -> None:
    """Without it a person would be answered in another language than every other command uses."""
    assert language_of(environ) == language


def test_without_a_language_the_locale_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it a configuration without `language` would mean English in every school."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    texts.use(None)
    assert _("drill") == "演练"
