"""The questions, answered at a keyboard, with each thing proven before the next one."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import tomli

from gatehouse import config, unproven
from gatehouse.config.model import Button, Lamps
from gatehouse.setup import session
from setup.site import BUTTONS, NOW, PATIENT, QUICK, Machine, Technician, answers_text, press, site

GATE = ["gate", "南门门卫室", "17", "27", "n", "24", "22", "", "6", "23", "y", "26"]
"""Name, place, pin, loop, latching, reset, red, yellow, green, buzzer, silent, relay."""
SCHOOL = ["2", "qd-sn-0042", "实验小学"]
END = ["mqtt://127.0.0.1:1", "y", "g", "y", "", ""]
"""A broker that does not answer: go on; the clock is right, nothing to set."""
BUTTON = Button("gate", "南门", 17, 27, reset=24, lamps=Lamps(22, None, 6), buzzer=23, relay=26)


OLD = """
[[button]]
name = "old"
location = "旧"
pin = 4
"""


def folders(root: Path, buttons: str = OLD) -> None:
    """Leave answers of an earlier setup, so that its folders are those of the test."""
    text = answers_text(root, ["mqtt://127.0.0.1:1"], buttons)
    (root / "etc" / "gateway.answers.toml").write_text(text, encoding="utf-8")


def asked(root: Path, technician: Technician, **more: Any) -> bool:
    """Answer all questions."""
    return session.run(technician, site(root, **more), None)


def test_a_school_is_asked_for_and_proven(root: Path) -> None:
    """Each answer stands in the file as it was given, and what was not seen does not pass."""
    folders(root)
    looked = ["y", "y", "n"]  # lamps seen; the relay may close; the alarm host showed nothing
    typed = [*SCHOOL, *GATE, *looked, "g", "n", "12", "-", "n", *END]
    press_it = partial(press, root / "sim.sock", BUTTON)
    technician = Technician(typed, {"reset key once, too": press_it})
    assert not asked(root, technician, limits=PATIENT)
    shown = technician.done()
    assert not technician.typed
    made = config.read(root / "etc" / "gatehouse.toml")
    (button,) = made.buttons
    expected = (17, 27, 24, Lamps(22, None, 6), 23, 26)
    fields = (button.pin, button.loop, button.reset, button.lamps, button.buzzer, button.relay)
    assert fields == expected
    assert made.enclosure.tamper == 12
    assert made.enclosure.mains is None
    left = {(item.subject, item.what) for item in unproven.read(made.gateway.state_dir)}
    assert left == {("button/gate", "relay"), ("broker/mqtt://127.0.0.1:1", "connection")}
    assert "OK: gate, reset key" in shown
    assert "gate: pressed" in shown


def test_an_answer_that_cannot_stand_is_asked_for_again(root: Path) -> None:
    """A mistake that is found at the end is one that nobody remembers making."""
    folders(root)
    bad_name = ["Gate!", "gate"]
    bad_pins = ["x", "28", "17", "17", "-"]
    typed = ["3", "2", "X", "qd-sn-0042", "", *bad_name, "南门", *bad_pins, "maybe", "n"]
    typed += ["-", "-", "-", "-", "g", "y", "", "gate", "hall", "厅", "18", *["-", "n"], *"----"]
    typed += ["g", "n", "-", "-", "n", "mqtt://far.example", *END]
    technician = Technician(typed)
    assert not asked(root, technician, limits=QUICK)
    shown = technician.done()
    assert not technician.typed
    for said in (
        "One of: 1, 2",
        "small letters",
        "must be a GPIO number",
        "between 0 and 27",
        "GPIO 17 is that of gate already",
        "y for yes",
        "must be answered",
        '"gate" is used twice',
        "only for loopback",
    ):
        assert said in shown
    assert config.read(root / "etc" / "gatehouse.toml").gateway.school == "实验小学"


def test_a_button_on_another_pin_is_described_anew(root: Path) -> None:
    """The technician finds out at the button, and need not begin from the start."""
    folders(root)
    lone = ["17", "-", "n", "-", "-", "-", "-"]
    again = ["", "", "18", "", "", "", "", "", "", "g"]
    typed = [*SCHOOL, "gate", "南门", *lone, "c", *again, "n", "-", "-", "n", *END]
    technician = Technician(typed)
    assert not asked(root, technician, limits=QUICK)
    assert not technician.typed
    (button,) = config.read(root / "etc" / "gatehouse.toml").buttons
    assert button.pin == 18
    assert len(unproven.read(root / "state")) == 2  # told once, as it ended


def test_cameras_and_time_are_asked_for(root: Path) -> None:
    """And the clock is set only when somebody says so."""
    folders(root)
    camera = ["yard", "rtsp://127.0.0.1:1/a", "2", "操场,大门", "yard.cred", "/srv/r/yard", "n"]
    button = ["gate", "南门", "17", "-", "n", "-", "-", "-", "-", "g", "n"]
    district = ["mqtt://127.0.0.1:1", "y", "g"]
    time = ["n", "2026-11-26 8.30", "2026-11-26 08:31", "Asia/Shanghai", "ntp.example", "y"]
    typed = [*SCHOOL, *button, "-", "-", "y", *camera, "n", "yard", *district, *time]
    technician, machine = Technician(typed), Machine()
    assert not asked(root, technician, limits=QUICK, machine=machine)
    shown = technician.done()
    assert not technician.typed
    made = config.read(root / "etc" / "gatehouse.toml")
    assert made.buttons[0].cameras == ("yard",)
    (camera_made,) = made.cameras
    assert camera_made.covers == ("操场", "大门")
    assert not camera_made.record
    assert "NOT PROVEN: yard, camera" in shown
    assert f"{NOW:%Y-%m-%d %H:%M}" in shown
    assert any("set-time '2026-11-26 08:31'" in line for line in machine.done)
    kept = tomli.loads((root / "etc" / "gateway.answers.toml").read_text())
    assert kept["setup"]["time_server"] == "ntp.example"


def test_a_camera_must_agree_with_the_others(root: Path) -> None:
    """Two cameras in one folder would delete each other's recordings."""
    folders(root)
    button = ["gate", "南门", "17", "-", "n", "-", "-", "-", "-", "g", "n", "-", "-"]
    yard = ["yard", "rtsp://127.0.0.1:1/a", "2", "-", "-", "/srv/r", "y"]
    hall = ["hall", "rtsp://127.0.0.1:1/b", "2", "-", "-", "/srv/r", "y"]
    mended = ["", "", "", "-", "-", "/srv/h", "y"]
    typed = [*SCHOOL, *button, "y", *yard, "y", *hall, *mended, "n", "-", *END]
    technician = Technician(typed)
    assert not asked(root, technician, limits=QUICK)
    assert 'is that of camera "yard" already' in technician.done()
    assert not technician.typed
    cameras = config.read(root / "etc" / "gatehouse.toml").cameras
    assert [str(camera.recordings) for camera in cameras] == ["/srv/r", "/srv/h"]


def test_enter_takes_what_was_answered_before(root: Path) -> None:
    """A second setup, after a change of one wire, is a minute's work."""
    folders(root, BUTTONS)
    technician = Technician([""] * 60)
    assert not asked(root, technician, limits=QUICK)
    made = config.read(root / "etc" / "gatehouse.toml")
    assert [button.name for button in made.buttons] == ["gate", "office"]
    assert made.buttons[0].reset == 24
    assert made.buttons[1].latching


def test_nothing_is_written_when_the_answers_end(root: Path) -> None:
    """A telephone whose connection breaks leaves the gateway as it was."""
    folders(root)
    technician = Technician([*SCHOOL, "gate"])
    with pytest.raises(EOFError):
        asked(root, technician, limits=QUICK)
    assert not (root / "etc" / "gatehouse.toml").exists()
    assert not (root / "state" / "unproven.json").exists()
