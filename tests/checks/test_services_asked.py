"""Checks that ask the running services: wiring, lamps, district, cameras and others."""

import asyncio
import threading
from typing import Any

import pytest

from checks.rig import FAIL, OK, SKIP, WARN, Rig, assert_says
from gatehouse import texts
from gatehouse.checks import cameras, configuration, district, lamps, recordings, wiring
from gatehouse.checks.frame import Result
from gatehouse.config import keep_last_good, read_for_alarm
from gatehouse.control import protocol
from gatehouse.errors import ControlError

BUTTONS = [{"name": "gate", "line": "normal"}, {"name": "office", "line": "normal"}]
STATUS: dict[str, Any] = {"board": "simulated", "buttons": BUTTONS, "faults": []}
CAMERA = """
[[camera]]
name = "yard"
source = "rtsp://h/p"
area = "general"
covers = ["操场"]
recordings = "/nowhere"
"""
OLDER = ControlError("what?", protocol.UNKNOWN)
BUSY = ControlError("all connections are in use", protocol.BUSY)


async def test_configuration_in_order(rig: Rig) -> None:
    """What is well must not be told as a fault."""
    assert_says(await rig.run(configuration.CHECK), OK, "2 buttons, 0 cameras, 1 brokers")
    keep_last_good(rig.context().config)
    async with rig.service({"status": STATUS}):
        assert_says(await rig.run(configuration.CHECK), OK, "2 buttons")


async def test_mistakes_are_counted_and_the_first_is_said(rig: Rig) -> None:
    """A camera with a mistake is not watched, and nobody would know."""
    rig.text += '[[camera]]\nname = "yard"\n'
    assert_says(await rig.run(configuration.CHECK), FAIL, "mistakes", "gatehouse config check")


async def test_the_last_good_copy_is_no_configuration(rig: Rig) -> None:
    """The service runs, on what was right once."""
    rig.context()
    keep_last_good(read_for_alarm(rig.file, {}).config)
    rig.text = rig.text.replace("pin = 17", "pin = 99")
    assert_says(await rig.run(configuration.CHECK), FAIL, "last good copy", "config check")


async def test_an_older_file_in_force_is_told(rig: Rig) -> None:
    """A change that was never restarted into is one that does not count."""
    keep_last_good(rig.context().config)
    rig.text += "# changed\n"
    assert_says(await rig.run(configuration.CHECK), OK, "2 buttons")
    async with rig.service({"status": STATUS}):
        assert_says(await rig.run(configuration.CHECK), WARN, "older file", "systemctl restart")


async def test_a_busy_service_is_no_fault_of_the_check(rig: Rig) -> None:
    """Sixteen clients at once are not a broken installation."""
    async with rig.service({"status": BUSY}):
        outcome = await rig.run(wiring.CHECK)
    assert outcome.result is WARN
    assert not outcome.known
    assert "in use" in outcome.figure()


@pytest.mark.parametrize(
    ("line", "result", "words"),
    [
        ("normal", OK, ("2 buttons normal, 1 with loop", "simulated")),
        ("active", WARN, ("gate: pressed", "let it go")),
        ("open", FAIL, ("gate: open", "cut wire", "GPIO 17, GPIO 27")),
        ("short", FAIL, ("gate: short", "wires touch")),
        ("stuck", FAIL, ("gate: stuck", "free the contact")),
        ("chatter", FAIL, ("gate: chatter", "tighten")),
        ("of-tomorrow", FAIL, ("gate", "look at its wiring")),
    ],
)
async def test_lines(rig: Rig, line: str, result: Result, words: tuple[str, ...]) -> None:
    """Each fault of a wire has its own place to look at."""
    status = {**STATUS, "buttons": [{"name": "gate", "line": line}, BUTTONS[1]]}
    async with rig.service({"status": status}):
        assert_says(await rig.run(wiring.CHECK), result, *words)


@pytest.mark.parametrize(
    ("fault", "result", "words"),
    [
        ({"fault": "board", "pins": {"17": "busy"}}, FAIL, ("GPIO 17", "gpioinfo")),
        ({"fault": "missed-edge", "pin": 27}, WARN, ("GPIO 27", "10 min")),
    ],
)
async def test_the_board(
    rig: Rig, fault: dict[str, Any], result: Result, words: tuple[str, ...]
) -> None:
    """A pin that cannot be read is a button that nobody hears."""
    async with rig.service({"status": {**STATUS, "faults": [{"subject": "gateway", **fault}]}}):
        assert_says(await rig.run(wiring.CHECK), result, *words)


async def test_pins_that_the_kernel_uses(rig: Rig) -> None:
    """I2C holds its pins high: such a button seems well and never presses."""
    rig.text = rig.text.replace("pin = 13", "pin = 2")
    assert_says(await rig.run(wiring.CHECK), SKIP, "does not run")
    rig.tree.put({"dev/i2c-1": "", "dev/spidev0.0": ""})
    assert_says(await rig.run(wiring.CHECK), FAIL, "GPIO 2 is used by I2C", "raspi-config")


async def test_lamps_without_anybody(rig: Rig) -> None:
    """At night lamps blip for a moment and nothing sounds."""
    async with rig.service({"blink": {"failed": {}}}) as asked:
        assert_says(await rig.run(lamps.CHECK), OK, "nobody looked")
    assert asked == [{"do": "blink", "seconds": lamps.SHORT_S, "sound": False}]


@pytest.mark.parametrize(
    ("seen", "result", "words"),
    [(True, OK, ("2 outputs seen",)), (False, FAIL, ("not seen", "GPIO 22, 23"))],
)
async def test_lamps_with_a_person(
    rig: Rig, seen: bool, result: Result, words: tuple[str, ...]
) -> None:
    """Only a person sees that a lamp is dark."""
    questions: list[str] = []

    def person(question: str) -> bool:
        questions.append(question)
        return seen

    async with rig.service({"blink": {"failed": {}}}) as asked:
        assert_says(await rig.run(lamps.CHECK, person=person), result, *words)
    assert "did you see" in questions[0]
    assert asked == [{"do": "blink", "seconds": lamps.LONG_S, "sound": True}]


async def test_lamps_blink_until_the_person_answers(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lamp may be in another house than the terminal."""
    monkeypatch.setattr(lamps, "_AGAIN_S", 0.01)
    there = threading.Event()

    def person(_question: str) -> bool:
        return there.wait(60)

    async with rig.service({"blink": {"failed": {}}}) as asked:
        looking = asyncio.ensure_future(rig.run(lamps.CHECK, person=person))
        async with asyncio.timeout(60):
            while len(asked) < 3:  # noqa: ASYNC110  # the fake service tells nobody
                await asyncio.sleep(0.01)
        there.set()
        assert_says(await looking, OK, "2 outputs seen")


@pytest.mark.parametrize(
    ("answer", "result", "words"),
    [
        ({"failed": {"22": "no such line"}}, FAIL, ("GPIO 22", "no such line", "wiring")),
        (ControlError("an alarm stands", "alarm-stands"), SKIP, ("an alarm stands",)),
        (OLDER, SKIP, ("older",)),
    ],
)
async def test_lamps_that_cannot_be_tried(
    rig: Rig, answer: Any, result: Result, words: tuple[str, ...]
) -> None:
    """An output that fails is named; while an alarm stands the lamps are the guard's."""
    async with rig.service({"blink": answer}):
        assert_says(await rig.run(lamps.CHECK), result, *words)


async def test_no_lamps_no_check(rig: Rig) -> None:
    """A button alone is an installation, too."""
    rig.text = "\n".join(
        line for line in rig.text.splitlines() if not line.startswith(("lamps", "buzzer", "relay"))
    )
    assert_says(await rig.run(lamps.CHECK), SKIP, "no lamp")


@pytest.mark.parametrize(
    ("ms", "result", "words"),
    [
        ((1.0, 3.0, 8.0), OK, ("8 ms",)),
        ((1.0, 3.0, 2500.0), WARN, ("2500 ms", "line")),
        ((1.0, 3.0, None), FAIL, ("no receipt", "receiver")),
        ((1.0, None, None), FAIL, ("did not get out", "broker first")),
        ((None, None, None), FAIL, ("not stored", "outbox first")),
    ],
)
async def test_district(
    rig: Rig, ms: tuple[float | None, ...], result: Result, words: tuple[str, ...]
) -> None:
    """Only a receipt proves that the district has anything."""
    answer = dict(zip(("stored_ms", "sent_ms", "received_ms"), ms, strict=True))
    async with rig.service({"selftest-trial": answer}):
        assert_says(await rig.run(district.CHECK), result, *words)


async def test_a_district_without_receipts_ends_at_the_broker(rig: Rig) -> None:
    """Some send none: then a PUBACK is all that can be had."""
    rig.text += "receipts = false\n"
    async with rig.service({"selftest-trial": {"stored_ms": 1.0, "sent_ms": 4.0}}):
        assert_says(await rig.run(district.CHECK), OK, "4 ms")


@pytest.mark.parametrize("answer", [OLDER, ControlError("too many self-tests", "too-many")])
async def test_a_district_that_cannot_be_tried(rig: Rig, answer: ControlError) -> None:
    """That is no fault of the district's."""
    async with rig.service({"selftest-trial": answer}):
        assert (await rig.run(district.CHECK)).result is SKIP


VERDICTS = sorted(cameras._VERDICTS)


@pytest.mark.parametrize("verdict", ["ok", "unknown", *VERDICTS, "of-tomorrow"])
async def test_each_camera(rig: Rig, verdict: str) -> None:
    """A blind camera looks at nothing while everybody believes that it does."""
    rig.text += CAMERA
    document = {"cameras": [{"name": "yard", "verdict": verdict}], "uncovered": []}
    expected = {"ok": OK, "unknown": WARN}.get(verdict, FAIL)
    async with rig.service({"cameras": document}, "video.sock"):
        outcome = await rig.run(cameras.CHECK)
    assert_says(outcome, expected, *(["yard"] if expected is FAIL else []))
    assert f"{int(verdict == 'ok')} of 1 well" in outcome.figure()


async def test_a_place_that_nobody_sees(rig: Rig) -> None:
    """One camera's fault may leave a place without any."""
    rig.text += CAMERA
    document = {"cameras": [{"name": "yard", "verdict": "ok"}], "uncovered": ["操场"]}
    async with rig.service({"cameras": document}, "video.sock"):
        assert_says(await rig.run(cameras.CHECK), FAIL, "no healthy camera sees: 操场", "mend")


@pytest.mark.parametrize("check", [cameras.CHECK, recordings.CHECK], ids=lambda each: each.name)
async def test_a_silent_video_service(rig: Rig, check: Any) -> None:
    """Where cameras are configured, its silence is a fault; where there are none, it is not."""
    assert_says(await rig.run(check), SKIP, "no camera")
    rig.text += CAMERA
    assert_says(await rig.run(check), FAIL, "does not answer", "gatehouse-video")


@pytest.mark.parametrize(
    ("verdict", "proven", "result", "words"),
    [
        ("ok", 31.0, OK, ("1 of 1",)),
        ("short", 12.5, FAIL, ("12.5 of 30 days", "recordings --gaps")),
        ("forecast", 31.0, WARN, ("yard", "larger")),
        ("unknown", None, WARN, ("not read yet", "in a minute")),
    ],
)
async def test_each_cameras_recordings(
    rig: Rig, verdict: str, proven: float | None, result: Result, words: tuple[str, ...]
) -> None:
    """The inspector asks for 30 days; finding 12 of them then is too late."""
    rig.text += CAMERA
    row = {"name": "yard", "verdict": verdict, "proven_days": proven, "required_days": 30}
    async with rig.service({"recordings": {"cameras": [row]}}, "video.sock"):
        assert_says(await rig.run(recordings.CHECK), result, *words)


async def test_a_disk_without_anything_to_delete(rig: Rig) -> None:
    """Clean-up leaves what must stay: then the disk is too small."""
    rig.text += CAMERA
    disks = [{"path": "/srv", "free_percent": 1.0, "min_free_percent": 5.0}, {"path": "/x"}]
    async with rig.service({"recordings": {"cameras": [], "disks": disks}}, "video.sock"):
        assert_says(await rig.run(recordings.CHECK), FAIL, "/srv: free 1.0 %", "larger disk")


async def test_the_question_is_in_the_persons_language(rig: Rig) -> None:
    """It is asked in a thread, and threads begin without one."""
    texts.use("zh_CN")
    questions: list[str] = []

    def person(question: str) -> bool:
        questions.append(question)
        return True

    async with rig.service({"blink": {"failed": {}}}):
        await rig.run(lamps.CHECK, person=person)
    texts.use("en")
    assert "蜂鸣器" in questions[0]
