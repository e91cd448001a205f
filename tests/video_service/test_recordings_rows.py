"""The words for what was found, and the journal of losses: pure tables and properties."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.control import reports
from gatehouse.control.reports import GATEWAY, MOST_TOLD, RETENTION, Report, Told
from gatehouse.video.answers import Answer, Duty
from gatehouse.video.plan import Piece, Refusal
from gatehouse.video.retention import Proof, Span
from gatehouse.video.scan import Progress
from gatehouse.video_service.deletions import Deletions, Part
from gatehouse.video_service.recordings_rows import (
    CleanUp,
    Known,
    Passed,
    Trouble,
    gap_of,
    gap_told,
    unanswered,
)
from video_service.recordings_rig import standing, unknown

DAY = 86_400_000
NOT_RECORDING = "not-recording"
DUTY = Duty("gate", "general", 30, "/srv")
THEIRS = replace(DUTY, ours=False)
SHORT = {"required_days": 30, "proven_days": 25.0}
NEVER = {"text": "its folder has no recording"}
LATE = {"text": "nothing new since 1970-01-02T00:00:00Z"}
PROOF = Proof(25 * DAY, 0, (), 0, ())


def known(verdict: Any, duty: Duty = DUTY, **more: Any) -> Known:
    """Return a camera of this verdict."""
    return Known(Answer(duty, PROOF, 1, 2.5, verdict), **{"sure": True, **more})


@pytest.mark.parametrize(
    ("camera", "stands", "open_"),
    [
        (known("ok"), {}, set()),
        (known("short"), {"shortfall": SHORT}, set()),
        (known("forecast"), {"forecast": {"days_until_short": 2.5}}, set()),
        (known("unknown", young=True), {}, set()),
        (known("unknown"), {}, set(RETENTION)),
        (known("unknown", sure=False, young=True), {}, set(RETENTION)),
        (known("short", sure=False), {"shortfall": SHORT}, set()),
        (known("ok", THEIRS, late=False), {}, set()),
        (known("ok", THEIRS), {}, {NOT_RECORDING}),
        (known("unknown", THEIRS, sure=False), {}, {*RETENTION, NOT_RECORDING}),
        (known("ok", THEIRS, late=True), {NOT_RECORDING: NEVER}, set()),
        (known("ok", THEIRS, late=True, newest_ms=DAY), {NOT_RECORDING: LATE}, set()),
    ],
)  # fmt: skip
def test_row_of_a_camera(camera: Known, stands: dict[str, Any], open_: set[str]) -> None:
    """Each verdict is one fault, none, or not known: a wrong one flaps at the district."""
    rows = Passed((camera,), cleaned=True).rows()
    assert standing(rows) == stands
    assert unknown(rows) == open_


REFUSED = CleanUp("/a", refused=(Refusal("gate", 60, 100),))
FULL = CleanUp("/b", lacking=7)
BROKEN = CleanUp("/c", amiss="cannot clean up /c/yard", cameras=("yard",))


@pytest.mark.parametrize(
    ("passed", "stands", "open_"),
    [
        (Passed(), {}, {"clean-up-refused", "shortfall"}),
        (Passed(cleaned=True), {}, set()),
        (Passed((known("ok", sure=False),), cleaned=True), {}, {"recordings-unreadable"}),
        (
            Passed((known("ok"),), clean_ups=(REFUSED, FULL), cleaned=True),
            {
                "clean-up-refused": {"cameras": [{"camera": "gate", "segments": 60, "of": 100}]},
                "shortfall": {"disks": [{"path": "/b", "lacking_bytes": 7}]},
            },
            set(),
        ),
        (
            Passed((known("ok"),), clean_ups=(FULL,)),
            {"shortfall": {"disks": [{"path": "/b", "lacking_bytes": 7}]}},
            {"clean-up-refused"},
        ),
        (
            Passed((known("ok", sure=False, amiss="cannot read /x"),), (), (BROKEN,), cleaned=True),
            {"recordings-unreadable": {"cameras": ["gate", "yard"], "text": "cannot read /x"}},
            set(),
        ),
        (
            Passed((known("short"),), trouble=Trouble(("gate",), "no answer")),
            {"recordings-unreadable": {"cameras": ["gate"], "text": "no answer"}},
            {"clean-up-refused", "shortfall"},
        ),
    ],
)  # fmt: skip
def test_row_of_the_gateway(passed: Passed, stands: dict[str, Any], open_: set[str]) -> None:
    """What is wrong with a disk is the gateway's, with the cameras and disks it is about."""
    assert standing(passed.rows(), GATEWAY) == stands
    assert unknown(passed.rows(), GATEWAY) == open_


def test_trouble_makes_everything_unknown() -> None:
    """While a disk hangs an old answer must not be given as today's."""
    passed = Passed((known("short"), known("ok", replace(THEIRS, camera="yard"))))
    hung = replace(passed, trouble=Trouble(("gate",), "no answer"), scanning=Progress("gate", 1, 2))
    assert unknown(hung.rows()) == set(RETENTION)
    assert unknown(hung.rows(), "camera/yard") == {*RETENTION, NOT_RECORDING}
    assert standing(hung.rows()) == {}
    document = hung.document()
    assert [each["verdict"] for each in document["cameras"]] == ["unknown", "unknown"]
    assert [each["amiss"] for each in document["cameras"]] == ["no answer", None]
    assert document["scanning"] == {"camera": "gate", "segments": 2}
    assert hung.summary() == {"ok": 0, "short": 0, "forecast": 0, "unknown": 2}


def test_forecast_is_remembered_while_it_cannot_be_told() -> None:
    """A pass without an answer must not end a forecast early, and so begin it twice."""
    before = frozenset({"gate"})
    assert Passed((known("forecast"),)).forecasts(frozenset()) == before
    assert Passed((known("unknown", sure=False),)).forecasts(before) == before
    assert Passed((known("unknown", sure=False),)).forecasts(frozenset()) == frozenset()
    assert Passed((known("ok"),)).forecasts(before) == frozenset()


cameras = st.builds(
    Known,
    st.builds(
        Answer,
        st.builds(
            Duty,
            st.sampled_from(["a", "b", "c"]),
            st.just("general"),
            st.integers(1, 92),
            st.sampled_from(["", "/"]),
            st.booleans(),
        ),
        st.just(PROOF),
        st.none() | st.integers(0, 10**15),
        st.none() | st.floats(0, 100),
        st.sampled_from(["ok", "short", "forecast", "unknown"]),
    ),
    st.booleans(),
    st.booleans(),
    st.none() | st.booleans(),
    st.none() | st.integers(0, 2**41),
    st.none() | st.text(max_size=9),
)


@given(
    st.lists(cameras, unique_by=lambda each: each.answer.duty.camera),
    st.lists(st.sampled_from([REFUSED, FULL, BROKEN])),
    st.booleans(),
    st.none() | st.just(Trouble(("a",), "hangs")),
)
def test_every_report_is_understood(
    found: list[Known], clean_ups: list[CleanUp], cleaned: bool, trouble: Trouble | None
) -> None:
    """Whatever was found, the alarm service must be able to read it, or it hears nothing at all."""
    passed = Passed(tuple(found), (), tuple(clean_ups), cleaned, trouble=trouble)
    rows = passed.rows()
    assert reports.read(json.loads(json.dumps(reports.request(Report(rows))))).rows == rows
    assert sorted(row.subject for row in rows) == sorted(
        [GATEWAY, *(f"camera/{each.answer.duty.camera}" for each in found)]
    )
    for row in rows:
        stands = [each.fault for each in row.stands]
        assert len(set(stands)) == len(stands)
        assert not set(stands) & set(row.unknown)
    assert sum(passed.summary().values()) == len(found)


@given(st.from_regex("[a-z0-9-]{1,32}", fullmatch=True), st.integers(0, 2**41), st.integers(0))
def test_a_gaps_key_means_that_gap(camera: str, from_ms: int, length: int) -> None:
    """The key comes back after restarts and is all that is left of what was told."""
    gap = Span(from_ms, min(from_ms + length, 2**42))
    assert gap_of(gap_told(camera, gap).key) == (camera, gap)


@pytest.mark.parametrize(
    "key", ["", "gap", "gap/", "gap/a", "gap/a/1", "gap/a/1-", "deleted/a/1-2-3"]
)
def test_other_keys_mean_no_gap(key: str) -> None:
    """A strange key must not make a gap be taken for told."""
    assert gap_of(key) is None


def test_unanswered_camera_is_in_the_document() -> None:
    """A camera is listed from the first second on."""
    assert unanswered(DUTY).document()["verdict"] == "unknown"


def piece(number: int, camera: str) -> Piece:
    """Return a recording of a minute."""
    return Piece(camera, number * 60_000, (number + 1) * 60_000, 10, (number, 1, f"{number}.mp4"))


steps = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.lists(st.booleans(), min_size=1, max_size=4),
        st.sampled_from(["receive", "start", "nothing", "nothing"]),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=20)
@given(steps, st.sampled_from([0, 0, 0, 260]))
def test_every_loss_is_told_once(history: list[tuple[str, list[bool], str]], ahead: int) -> None:
    """Whatever happens in between, what was told sums up to what went; a key never changes."""
    went, heard = Counter[str](), dict[str, Told]()
    received: set[str] = set()
    number = 0
    history = [("a", [True], "nothing")] * ahead + history
    with TemporaryDirectory() as folder:
        path = Path(folder) / "deletions.json"
        journal = Deletions(path)
        for camera, goes, then in [*history, *[("", [], "receive")] * 20]:
            gone: set[str] = set()
            if camera:
                pieces = [piece(number + at, camera) for at in range(len(goes))]
                number += len(pieces)
                gone = {each.key[2] for each, does in zip(pieces, goes, strict=True) if does}
                journal.intend({camera: pieces}, at_ms=number)
                if then == "start":
                    journal = Deletions(path)
                assert journal.intended() == {camera}
                journal.count(camera, lambda part, gone=gone: _in(part, gone))  # type: ignore[misc]
                went[camera] += len(gone)
            assert journal.intended() == set()
            told = [each for _at, each in journal.told()]
            assert len(told) <= MOST_TOLD
            assert all(heard.setdefault(each.key, each) == each for each in told)
            assert not received & {each.key for each in told}
            if then == "receive":
                received |= {each.key for each in told}
                journal.received(received)
            if camera and number % 7 == 0:
                journal.write()
        assert journal.told() == []
    counted = Counter[str]()
    for each in heard.values():
        counted[each.subject.removeprefix("camera/")] += each.data["segments"]
    assert +counted == +went


def _in(part: Part, names: set[str]) -> bool:
    return part.name in names
