"""``gatehouse recordings``: what is proven, and what is missing."""

from typing import Any

import pytest

from cli.typed import Answers, Gatehouse, shown, typed
from cli.video_documents import LONG, RECORDINGS, kept
from gatehouse import texts
from gatehouse.cli.recordings import gaps, render

Caps = pytest.CaptureFixture[str]


def text_of(thing: Any, columns: int) -> str:
    """Return what a thing looks like without its spaces: lines may be broken anywhere."""
    return "".join("".join(shown(thing, columns)).split())


def test_the_document_is_printed_as_it_came(place: Gatehouse, video: Answers, capsys: Caps) -> None:
    """Without it the district's scripts would read something else than the contract says."""
    video.said["recordings"] = RECORDINGS
    where = ("--config", str(place.config), "recordings")
    for more in (("--json",), ("--json", "--gaps")):
        said = typed(capsys, *where, *more)
        assert (said.code, said.err, said.json) == (0, "", RECORDINGS)
    assert video.asked[0] == {"do": "recordings"}


def test_gaps_are_listed_when_asked_for(place: Gatehouse, video: Answers, capsys: Caps) -> None:
    """Without it an inspector who asks "when?" would be shown JSON."""
    video.said["recordings"] = RECORDINGS
    where = ("--config", str(place.config), "recordings")
    said = typed(capsys, *where)
    assert (said.code, said.err) == (0, "")
    assert "08-20 23:50" not in said.out
    said = typed(capsys, *where, "--gaps")
    assert said.code == 0
    for line in (
        "  08-20 23:50–08-21 00:20  30 min",
        "  08-10 08:00–08:12  12 min",
        "  10-01: 45 s in short gaps",
    ):
        assert line in said.out.splitlines()


ENGLISH = ("critical", "general", "shortsoon", "tooshort", "notknown", "wellsofar", "42min")
CHINESE = ("重点部位", "一般部位", "将不足", "不足", "未知", "目前正常", "42分钟")


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("columns", [120, 80, 75, 45])
def test_recordings_are_readable_on_a_small_screen(language: str, columns: int) -> None:
    """Without it a technician with a telephone in his hand would read broken lines."""
    texts.use(language)
    text = text_of(render(RECORDINGS, columns), columns)
    figures = (
        "89.9/90",
        "31.2/30",
        "21.3",
        "34",
        "/srv/recordings",
        "12.3%",
        "123,456",
        "/[hall]:",
    )
    for word in (*figures, *(ENGLISH if language == "en" else CHINESE)):
        assert word in text
    if columns in {120, 45}:
        assert LONG in text
    text = text_of(gaps(RECORDINGS), columns)
    assert "08-2023:50–08-2100:20" in text


def test_a_proof_that_is_not_whole_does_not_look_so() -> None:
    """Without it a camera that keeps 89 of 90 days would look like one that keeps 90."""
    lines = shown(render({"cameras": [kept("gate", 29.999)]}, 80), 80)
    assert "░ 29.9/30" in lines[-1]
    assert "well so far" in lines[-1]
    lines = shown(render({"cameras": [kept("gate", 30.0)]}, 80), 80)
    assert "█ 30.0/30" in lines[-1]
    assert lines[-1].rstrip().endswith("well")


def test_what_is_not_there_is_not_told() -> None:
    """Without it a school without recorders would see an empty table and wonder."""
    assert shown(render({"cameras": [], "disks": [], "scanning": None}, 80), 80) == [
        "no camera has recordings"
    ]
    assert shown(gaps({"cameras": [kept("gate", 30.0)]}), 80) == ["", "no gaps"]
    lines = shown(render({"cameras": [kept("gate", 30.0)]}, 80), 80)
    assert len(lines) == 2
    disk = {"path": "/srv", "free_percent": None, "min_free_percent": 5, "days_until_short": None}
    lines = shown(render({"cameras": [], "disks": [disk]}, 80), 80)
    assert lines[-1] == "/srv: free – %, at least 5 %"


@pytest.mark.parametrize("columns", [80, 45])
@pytest.mark.parametrize("key", list(kept("gate", 1.0)))
@pytest.mark.parametrize("value", [None, []])
def test_recordings_of_another_version_are_shown_all_the_same(
    columns: int, key: str, value: object
) -> None:
    """Without it an upgrade would leave the command with a traceback until the restart."""
    odd = {"cameras": [{**kept("gate", 1.0), key: value}, {}], "disks": [{}], "scanning": {}}
    assert shown(render(odd, columns), columns)
    assert shown(gaps(odd), columns)
