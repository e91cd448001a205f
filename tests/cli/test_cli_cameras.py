"""``gatehouse cameras``: each camera's health, for people and for machines."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.typed import STATUS, Answers, Gatehouse, child, ended, shown, typed
from cli.video_documents import CAMERAS, LONG, camera
from gatehouse import texts
from gatehouse.cli import words
from gatehouse.cli.cameras import render
from gatehouse.cli.events import _table
from gatehouse.cli.figures import ago, bar, down, length, number, span
from gatehouse.cli.status import render as render_status
from gatehouse.control import reports
from gatehouse.errors import ControlError

Caps = pytest.CaptureFixture[str]
NOW = datetime(2026, 11, 23, 8, 0, 5, tzinfo=UTC)


def text_of(thing: Any, columns: int) -> str:
    """Return what a thing looks like without its spaces: lines may be broken anywhere."""
    return "".join("".join(shown(thing, columns)).split())


def test_the_document_is_printed_as_it_came(place: Gatehouse, video: Answers, capsys: Caps) -> None:
    """Without it a script would read something else than the contract says."""
    video.said["cameras"] = CAMERAS
    said = typed(capsys, "--config", str(place.config), "cameras", "--json")
    assert (said.code, said.err, said.json) == (0, "", CAMERAS)
    assert video.asked == [{"do": "cameras"}]


def test_json_loads_neither_rich_nor_the_libraries_of_video(
    place: Gatehouse, video: Answers
) -> None:
    """Without it each look at the cameras would cost a second of a small machine."""
    video.said |= {"cameras": CAMERAS, "recordings": {"cameras": []}}
    for command in ("cameras", "recordings"):
        said = ended(
            child(
                "python", "-X", "importtime", "-m", "gatehouse", command, "--json",
                GATEHOUSE_CONFIG=str(place.config),
            )
        )  # fmt: skip
        assert said.code == 0
        for library in ("rich", "numpy", "httpx", "gatehouse.video"):
            assert library not in said.err


def test_a_list_that_is_shown_is_fine_whatever_it_says(
    place: Gatehouse, video: Answers, capsys: Caps
) -> None:
    """Without it "could not ask" could not be told from "a camera is dark"."""
    mute = camera("gate", "unreachable", text="no answer :door: here")
    video.said["cameras"] = {**CAMERAS, "cameras": [*CAMERAS["cameras"], mute]}
    said = typed(capsys, "--config", str(place.config), "cameras")
    assert (said.code, said.err) == (0, "")
    assert "covered, not" in said.out
    assert ":door:" in said.out  # which rich would draw


@pytest.mark.parametrize("words", [("cameras",), ("cameras", "relearn", "gate"), ("recordings",)])
def test_no_video_service_is_three_and_names_its_unit(
    place: Gatehouse, service: Answers, capsys: Caps, words: tuple[str, ...]
) -> None:
    """Without it a technician would start the alarm service, which runs."""
    assert service.asked == []
    said = typed(capsys, "--config", str(place.config), *words)
    assert (said.code, said.out) == (3, "")
    assert "systemctl start gatehouse-video" in said.err


def test_a_camera_is_learnt_anew(place: Gatehouse, video: Answers, capsys: Caps) -> None:
    """Without it a camera that was turned on purpose would be `moved` for ever."""
    where = ("--config", str(place.config))
    said = typed(capsys, *where, "cameras", "relearn", "gate")
    assert (said.code, said.out) == (0, "gate: its view is learnt anew\n")
    assert video.asked == [{"do": "relearn", "camera": "gate"}]
    video.said["relearn"] = ControlError("no camera hall", "unknown")
    said = typed(capsys, *where, "cameras", "relearn", "hall")
    assert (said.code, said.out, said.err) == (2, "", "gatehouse: no camera hall\n")
    assert typed(capsys, *where, "cameras", "relearn").code == 2
    assert typed(capsys, *where, "cameras", "paint").code == 2


ENGLISH = ("gate", "yard", "well", "unreachable", "notknownyet", "clockoff", "2sago", "3hago")
CHINESE = ("正常", "镜头被遮挡、未在录像", "连接不上", "尚未查明", "2秒前", "3小时前", "没有正常")


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("columns", [120, 80, 69, 45])
def test_cameras_are_readable_on_a_small_screen(language: str, columns: int) -> None:
    """Without it a technician on a ladder with a telephone would read broken lines."""
    texts.use(language)
    text = text_of(render(CAMERAS, columns, NOW), columns)
    size = ("1920x1080", "12.5", "11-2309:00:04", "192.0.2.7[port554]", "食堂[后门]")
    chinese = CHINESE if columns in {120, 45} else CHINESE[2:]  # a column breaks the first lines
    for word in (*size, *(ENGLISH if language == "en" else chinese)):
        assert word in text
    if columns == 45:
        assert LONG in text


def test_places_without_a_healthy_camera_are_told() -> None:
    """Without it nobody would see that the yard is not seen."""
    seen = {"cameras": [camera("gate", covers=["校门"])], "uncovered": []}
    assert "every place is seen" in shown(render(seen, 80, NOW), 80)[-1]
    blind = {**seen, "uncovered": ["校门"]}
    assert shown(render(blind, 80, NOW), 80)[-1] == "no healthy camera sees: 校门"
    nowhere = {"cameras": [camera("gate")], "uncovered": []}
    assert len(shown(render(nowhere, 80, NOW), 80)) == 2
    assert shown(render({"cameras": [], "uncovered": []}, 80, NOW), 80)[0].startswith("no cameras")


@pytest.mark.parametrize("columns", [80, 45])
@pytest.mark.parametrize("key", list(camera("gate")))
@pytest.mark.parametrize("value", [None, "[/]", []])
def test_a_camera_of_another_version_is_shown_all_the_same(
    columns: int, key: str, value: object
) -> None:
    """Without it an upgrade would leave `gatehouse cameras` with a traceback until the restart."""
    assert shown(render({"cameras": [{**camera("gate"), key: value}]}, columns, NOW), columns)
    assert shown(render({"cameras": [{}]}, columns, NOW), columns)


def test_every_fault_has_a_word_in_both_languages() -> None:
    """Without it a guard would read `recordings-unreadable` and think nothing of it."""
    told = [("camera/x", fault) for fault in reports.OF_CAMERA]
    told += [("gateway", fault) for fault in reports.OF_GATEWAY]
    told += [("gateway", fault) for fault in words._GATEWAY]
    told += [("button/x", fault) for fault in words.LINE]
    for language in ("en", "zh_CN"):
        texts.use(language)
        for subject, fault in told:
            assert "-" not in fault or words.fault(fault, subject) != fault
            assert words.fault(fault, subject).isascii() is (language == "en"), fault
    assert words.fault("shortfall", "gateway") != words.fault("shortfall", "camera/gate")
    assert words.fault("bent", "camera/gate") == words.fault("bent") == "bent"


@pytest.mark.parametrize("columns", [80, 45])
@pytest.mark.parametrize(
    ("video", "expected"),
    [
        (None, ()),
        ({"state": "never", "reported": None}, ("hasnotreportedyet",)),
        ({"state": "silent", "cameras": {"cameras": 2, "well": 2}}, ("videoserviceissilent",)),
        (
            {
                "state": "running",
                "cameras": {"cameras": 5, "well": 1, "faulty": 3, "unknown": 1, "recording": 2},
                "recordings": {"ok": 2, "short": 1, "forecast": 0, "unknown": 0},
            },
            ("1of5well,3faulty,1notknownyet,2recorded", "2well,1tooshort"),
        ),
    ],
)
def test_the_status_tells_of_cameras(columns: int, video: object, expected: tuple[str]) -> None:
    """Without it one would have to ask twice to know that all is well."""
    text = text_of(render_status({**STATUS, "video": video}), columns)
    assert ("cameras" in text) is bool(expected)
    for part in expected:
        assert part in text
    assert "2of2well" not in text  # what a silent service said last is no longer so


def test_faults_have_their_words_in_the_status_and_the_log() -> None:
    """Without it Chinese lists would hold the English of the contract."""
    texts.use("zh_CN")
    row = {"subject": "camera/gate", "fault": "covered"}
    assert "  camera/gate: 镜头被遮挡" in shown(render_status({"faults": [row]}), 80)
    event = {
        "type": "gatehouse.camera.fault",
        "subject": "camera/gate",
        "time": "2026-11-23T08:00:00.1Z",
        "mode": "real",
        "pending": False,
    }
    assert "camera.fault镜头被遮挡" in text_of(_table([{**event, "data": row}]), 80)
    data = {"from": "2026-11-22T23:50:00Z", "to": "2026-11-23T00:20:00Z", "seconds": 1800}
    gone = {**event, "type": "gatehouse.recording.gap", "data": data}
    assert "11-2223:50–11-2300:20(30分钟)" in text_of(_table([gone]), 80).replace("camera/gate", "")
    odd = {**gone, "data": {"from": 1}}
    assert "recording.gap?" in text_of(_table([odd]), 80)


def test_figures_are_short_and_never_flatter() -> None:
    """Without it 89.996 of 90 days would be shown as proven."""
    assert [length(each) for each in (0, 119, 120, 7199, 7200, 172_800)] == [
        "0 s", "119 s", "2 min", "120 min", "2 h", "2.0 d",
    ]  # fmt: skip
    assert (down(89.996), down(30.0), bar(29.99, 30, 4), bar(30, 30, 4)) == (
        "89.9", "30.0", "███░", "████",
    )  # fmt: skip
    assert (bar(1, 0, 2), bar(-1, 30, 2)) == ("██", "░░")
    assert (number(None), number(True), number(2.5, "g")) == ("–", "–", "2.5")
    assert span("2026-11-22T23:50:00Z", "2026-11-22T23:51:00+00:00") == "11-22 23:50–23:51"
    assert (ago("2026-11-23T08:00:05.5Z", NOW), ago("yesterday", NOW)) == ("0 s ago", "–")
    assert (ago("2026-11-23T08:00:04", NOW), span(None, 3)) == ("–", "?")
