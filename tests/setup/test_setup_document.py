"""What setup writes, and what it accepts: pure."""

from dataclasses import fields
from pathlib import Path

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.config import ConfigError, model, values
from gatehouse.setup import answers, document
from gatehouse.setup.answers import Wishes
from setup.site import BUTTONS, answers_text

EXAMPLE = Path(__file__).parents[2] / "config" / "gateway.toml"
TARGET = Path("/etc/gatehouse/gatehouse.toml")


def accepted(said: str) -> bool:
    """Whether a text may stand in the file."""
    try:
        values.text(said)
    except values.WrongError:
        return False
    return True


def test_all_that_may_be_said_comes_back() -> None:
    """Without it a key of the answers could get lost on its way into the file."""
    found = tomli.loads(EXAMPLE.read_text(encoding="utf-8"))
    text = document.configuration(found)
    assert tomli.loads(text) == found
    made, mistakes = answers.check(tomli.loads(text), text, TARGET, folder=TARGET.parent)
    assert made is not None
    assert not mistakes
    wishes = Wishes(set_time=True, time_server="ntp.example", time_zone="Asia/Shanghai")
    again = tomli.loads(document.answers(found, wishes))
    assert again.pop("setup") == {
        "set_time": True,
        "time_server": "ntp.example",
        "time_zone": "Asia/Shanghai",
    }
    assert again == found


@settings(max_examples=50)
@given(st.text(max_size=20).filter(accepted))
def test_any_text_comes_back(said: str) -> None:
    """Without it a school with a quotation mark in its name would have no configuration."""
    assert tomli.loads(f"a = {document.value([said])}") == {"a": [said]}


@pytest.mark.parametrize(
    ("section", "shape"),
    [
        ("gateway", model.Gateway),
        ("button", model.Button),
        ("enclosure", model.Enclosure),
        ("district", model.District),
        ("camera", model.Camera),
        ("retention", model.Retention),
    ],
)
def test_every_key_is_explained_in_both_languages(section: str, shape: type) -> None:
    """Without it a key that is added later would stand in the file without a word."""
    for each in fields(shape):
        if each.name in {"named_key", "renewed"}:  # follow from other keys
            continue
        chinese, dot, english = document.COMMENTS[f"{section}.{each.name}"].partition(" · ")
        assert dot
        assert not chinese.isascii()
        assert english.isascii()


def test_answers_are_told_every_mistake_at_once(tmp_path: Path) -> None:
    """Without it a file for forty schools would be mended forty times."""
    file = tmp_path / "answers.toml"
    wrong = BUTTONS.replace("pin = 13", "pin = 17").replace("latching", "laching")
    more = "[setup]\ntime_zone = 8\nserver = 1\n"
    file.write_text(answers_text(tmp_path, ["mqtt://far.example"], wrong) + more, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        answers.read(file, TARGET)
    said = str(caught.value)
    for key in ('button "office".pin', "laching", "brokers[1]", "setup.time_zone", "setup.server"):
        assert key in said
    assert all(mistake.line for mistake in caught.value.mistakes)
    assert said.startswith(f"{file}:")


@pytest.mark.parametrize("content", [None, b"\xff", b"a = ", b"a = " + b"[" * 5000])
def test_what_is_no_answers_file_is_said_to_be_none(tmp_path: Path, content: bytes | None) -> None:
    """Without it a wrong file would end in a traceback on a telephone's screen."""
    file = tmp_path / "answers.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"cannot be read|is not TOML"):
        answers.read(file, TARGET)


def test_a_password_in_an_address_is_refused(tmp_path: Path) -> None:
    """Without it the answers, which are copied from stick to stick, would carry a secret."""
    file = tmp_path / "answers.toml"
    camera = '[[camera]]\nname = "c"\narea = "general"\nsource = "rtsp://u:secret@h/1"\n'
    file.write_text(answers_text(tmp_path, ["mqtt://localhost"], BUTTONS + camera))
    with pytest.raises(ConfigError) as caught:
        answers.read(file, TARGET)
    assert "secret" not in str(caught.value)
