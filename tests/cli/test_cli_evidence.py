"""``gatehouse evidence``: what people read, and what they can rely on."""

import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import answering
from cli.schemas import valid
from cli.typed import STATUS, Answers, Gatehouse, Said, shown, typed
from evidence.building import ALARM, JPEG, OTHER, Builder, small
from gatehouse import texts
from gatehouse.cli import evidence_documents as documents
from gatehouse.cli import evidence_lines as lines
from gatehouse.cli.status import render
from gatehouse.errors import ControlError
from gatehouse.evidence import bundles, verify
from gatehouse.evidence.chain import Chain

Caps = pytest.CaptureFixture[str]

GONE = "019ac1f0-0000-7000-8000-00000000e5f6"


def asks(place: Gatehouse, capsys: Caps, *words: str) -> Said:
    """Type ``gatehouse evidence`` with these words."""
    return typed(capsys, "--config", str(place.config), "evidence", *words)


def kept(place: Gatehouse) -> Builder:
    """Keep evidence of three alarms, one of them let go, one damaged."""
    root = place.root / "evidence"
    built = small(root)
    small(root, OTHER).release()
    (root / GONE).mkdir()
    (root / GONE / "manifest.json").write_text("{", encoding="ascii")
    return built


def test_list_shows_each_bundle(place: Gatehouse, capsys: Caps) -> None:
    """Without it nobody would know what is kept, and what of it may go."""
    said = asks(place, capsys, "list")
    assert (said.code, said.out.strip(), said.err) == (0, "no evidence", "")
    kept(place)
    said = asks(place, capsys, "list", "--json")
    assert (said.code, said.err) == (0, "")
    valid("evidence-list", said.json)
    rows = {row["alarm"]: row for row in said.json["bundles"]}
    assert list(rows) == [ALARM, OTHER, GONE]
    row = rows[ALARM]
    assert (row["pictures"], row["clips"], row["lacking"], row["button"]) == (2, 1, 1, "gate")
    assert row["released"] is None
    assert rows[OTHER]["released"]["by"] == "王"
    assert rows[GONE]["state"] == "damaged"
    table = asks(place, capsys, "list").out
    for word in ("00a1b2", "2026-11-26 05:22", "held", "released by", "damaged", GONE):
        assert word in table


def test_show_is_in_the_order_of_time(place: Gatehouse, capsys: Caps) -> None:
    """Without it a person would have to put together what happened when."""
    kept(place)
    said = asks(place, capsys, "show", "00a1b2", "--json")
    assert (said.code, said.err) == (0, "")
    valid("evidence-show", said.json)
    text = asks(place, capsys, "show", "00a1b2").out
    order = [text.index(name) for name in ("clip-gate.mp4", "01-gate.jpg", "02-gate.jpg")]
    assert order == sorted(order)
    for item in said.json["items"]:
        assert item["sha256"] in text
    assert "no picture since 2026-11-26 03:22:11 UTC" in text
    said = asks(place, capsys, "show", GONE, "--json")
    assert said.code == 1
    valid("evidence-show", said.json)


def test_verify_tells_any_changed_byte(place: Gatehouse, capsys: Caps) -> None:
    """Without it evidence would be worth no more than any other file."""
    built = kept(place)
    with answering(place.root / "control.sock", ("history",)) as service:
        service.said["history"] = {"events": built.log(), "next": None}
        said = asks(place, capsys, "verify", "00a1b2", "00c3d4", "--json")
        assert (said.code, said.err) == (0, "")
        first, second = said.json["bundles"]
        assert (first["event"], first["manifest"]) == ("same", "same")
        assert (second["event"], second["manifest"]) == ("not-in-log", "not-in-log")
        (built.folder / "01-gate.jpg").write_bytes(JPEG + b"onE")
        said = asks(place, capsys, "verify", "00a1b2")
    assert said.code == 1
    assert "01-gate.jpg: changed" in said.out
    said = asks(place, capsys, "verify", "--json")
    assert (said.code, said.json["result"]) == (1, "FAIL")
    valid("evidence-verify", said.json)
    words = [[found["what"] for found in each["findings"]] for each in said.json["bundles"]]
    assert words == [["changed"], [], ["damaged"]]
    assert {each["event"] for each in said.json["bundles"]} == {"not-read"}


def test_verify_sees_a_bundle_that_was_made_anew(place: Gatehouse, capsys: Caps) -> None:
    """Without it whoever changes the hashes besides would not be found out."""
    built = kept(place)
    log = built.log()
    built.lacking.clear()
    built.write()
    with answering(place.root / "control.sock", ("history",)) as service:
        service.said["history"] = {"events": log, "next": None}
        said = asks(place, capsys, "verify", ALARM)
    assert said.code == 1
    assert "manifest.json: not what the district was told" in said.out


def test_export_writes_one_zip(place: Gatehouse, capsys: Caps) -> None:
    """Without it evidence could only leave the school as a folder that nobody can read."""
    built = kept(place)
    out = place.root / "out.zip"
    said = asks(place, capsys, "export", "00a1b2", "--out", str(out))
    assert (said.code, said.err) == (0, "")
    assert str(out) in said.out
    with zipfile.ZipFile(out) as opened:
        assert f"evidence-{ALARM}/index.html" in opened.namelist()
    (built.folder / "01-gate.jpg").write_bytes(JPEG + b"onE")
    said = asks(place, capsys, "export", "00a1b2", "--out", str(out))
    assert said.code == 1
    assert "01-gate.jpg: changed" in said.out
    said = asks(place, capsys, "export", GONE, "--out", str(place.root / "no.zip"))
    assert (said.code, said.out) == (1, "")
    assert "copy the folder" in said.err
    assert not (place.root / "no.zip").exists()
    said = asks(place, capsys, "export", "00a1b2", "--out", str(place.root / "no" / "no.zip"))
    assert said.code == 1


def test_release_asks_the_video_service(place: Gatehouse, capsys: Caps) -> None:
    """Without it evidence would be let go by nobody, or while clean-up looks at it."""
    kept(place)
    said = asks(place, capsys, "release", "00a1b2", "--by", "王")
    assert (said.code, said.out) == (3, "")
    assert "gatehouse-video" in said.err
    with answering(place.root / "video.sock", ("evidence-release",)) as video:
        video.said["evidence-release"] = {"alarm": ALARM, "already": False}
        said = asks(place, capsys, "release", "00a1b2", "--by", " 王 ")
        assert (said.code, said.out, said.err) == (0, f"{ALARM}: released\n", "")
        assert video.asked == [
            {"do": "evidence-release", "alarm": ALARM, "by": "王", "via": "site"}
        ]
        video.said["evidence-release"] = {"alarm": ALARM, "already": True}
        assert "before" in asks(place, capsys, "release", "00a1b2", "--by", "王").out
        video.said["evidence-release"] = ControlError("still gathering", "busy")
        assert asks(place, capsys, "release", "00a1b2", "--by", "王").code == 1
        assert asks(place, capsys, "release", "00a1b2", "--by", " ").code == 2


@pytest.mark.parametrize(("queued", "dropped"), [(0, 0), (3, 0), (0, 1)])
def test_the_status_says_how_pictures_stand(queued: int, dropped: int) -> None:
    """Without it nobody would see that a district does not get the pictures."""
    counts = {"queued": queued, "sent": 8, "dropped": dropped}
    text = "\n".join(shown(render({**STATUS, "pictures": counts}), 80))
    assert (f"{queued} waiting, {dropped} dropped" in text) == bool(queued or dropped)


@pytest.mark.parametrize("action", ["show", "verify", "release", "export"])
@pytest.mark.parametrize("alarm", ["ffffff", "019ac1f0", "../outside"])
def test_an_alarm_that_is_none_or_several_is_wrong_usage(
    place: Gatehouse, capsys: Caps, video: Answers, action: str, alarm: str
) -> None:
    """Without it a slip of the finger could release the evidence of another alarm."""
    kept(place)
    more = {"release": ("--by", "x"), "export": ("--out", str(place.root / "x.zip"))}
    said = asks(place, capsys, action, alarm, *more.get(action, ()))
    assert (said.code, said.out) == (2, "")
    assert alarm in said.err
    assert video.asked == []


def test_a_folder_that_may_not_be_read_is_said(
    place: Gatehouse, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a technician without the rights would read that there is no evidence."""
    (place.root / "evidence").mkdir()

    def refused(path: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refused)
    said = asks(place, capsys, "list")
    assert (said.code, said.out) == (1, "")
    assert "Permission denied" in said.err


ENGLISH = ("held", "released by", "damaged", "recording", "picture", "changed", "no picture since")
CHINESE = ("锁定中", "王", "损坏", "录像", "图片", "被改动", "无图像")


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("columns", [120, 80, 45])
def test_evidence_is_readable_on_a_small_screen(
    tmp_path: Path, language: str, columns: int
) -> None:
    """Without it a technician with a telephone in his hand would read broken lines."""
    texts.use(language)
    built = small(tmp_path, location="[南门]")
    small(tmp_path, OTHER).release()
    (tmp_path / GONE).mkdir()
    found = [bundles.read(tmp_path, name) for name in bundles.names(tmp_path)]
    (built.folder / "01-gate.jpg").write_bytes(JPEG + b"onE")
    told = Chain("same", "differs")
    rows = [documents.verified(each, verify.check(each), told) for each in found]
    things = (
        lines.table(documents.listed(found), columns),
        lines.bundle(documents.shown(found[0])),
        lines.bundle(documents.shown(found[2])),
        lines.verdicts(documents.judged(rows)),
    )
    text = "".join("".join("".join(shown(thing, columns)) for thing in things).split())
    for item in built.items:
        assert item.sha256 in text
    for word in ("00a1b2", "[南门]", "up/picture/1", "noroutetohost", "FAIL"):
        assert word in text
    for word in ENGLISH if language == "en" else CHINESE:
        assert word.replace(" ", "") in text, word


def test_a_manifest_that_was_tampered_with_can_be_shown(
    place: Gatehouse, capsys: Caps, tmp_path: Path
) -> None:
    """Without it whoever changes one could hide it: by markup, a screen cleared, an odd time."""
    manifest = kept(place).folder / "manifest.json"
    body = manifest.read_bytes().replace(b'"picture"', b'"[/]\\u001b[2J"')
    for time in (b"0001-01-01T00:00:00+00:00", b"9999-12-31T23:59:59+00:00"):
        manifest.write_bytes(re.sub(rb'"begins": "[^"]*"', b'"begins": "%s"' % time, body))
        for said in (asks(place, capsys, "list"), asks(place, capsys, "show", "00a1b2")):
            assert said.code == 0
            assert "\x1b" not in said.out
        out = asks(place, capsys, "export", "00a1b2", "--out", str(tmp_path / "e.zip"))
        assert (tmp_path / "e.zip").exists(), out.err
