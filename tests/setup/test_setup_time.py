"""The machine's clock: set with consent, else shown how."""

import subprocess
from pathlib import Path

import pytest

from gatehouse.errors import GatehouseError
from gatehouse.setup import timeserver
from gatehouse.setup.answers import Wishes
from gatehouse.setup.timeserver import DROP_IN, Step, System
from setup.site import Machine

WISHES = Wishes(set_time=True, time_server="ntp.a.example ntp.b.example", time_zone="Asia/Shanghai")


def test_the_steps_in_their_order() -> None:
    """A clock cannot be set by hand while a server sets it."""
    words = [step.words for step in timeserver.steps(WISHES, "2026-11-26 08:30")]
    assert words == [
        ("timedatectl", "set-timezone", "Asia/Shanghai"),
        ("timedatectl", "set-ntp", "false"),
        ("timedatectl", "set-time", "2026-11-26 08:30"),
        (),
        ("systemctl", "try-restart", "systemd-timesyncd.service"),
        ("timedatectl", "set-ntp", "true"),
    ]
    assert not list(timeserver.steps(Wishes()))


def test_steps_are_shown_as_they_are_typed() -> None:
    """Where setup may not do it, somebody else must be able to."""
    shown = [step.shown() for step in timeserver.steps(WISHES, "2026-11-26 08:30")]
    assert "sudo timedatectl set-time '2026-11-26 08:30'" in shown
    (piped,) = (line for line in shown if line.startswith("printf"))
    assert "NTP=ntp.a.example ntp.b.example" in piped
    assert "\n" not in piped
    printed = subprocess.run(piped.partition("|")[0], shell=True, capture_output=True, check=True)  # noqa: S602
    assert printed.stdout.decode() == "[Time]\nNTP=ntp.a.example ntp.b.example\n"


def test_nothing_is_done_after_a_step_that_failed() -> None:
    """What failed is told, with its reason."""
    machine = Machine(fails="set-timezone")
    (proof,) = timeserver.carry_out(WISHES, machine, 1.0, None)
    assert proof.why == "it does not want to"
    assert not machine.done
    machine = Machine()
    (proof,) = timeserver.carry_out(WISHES, machine, 1.0, None)
    assert proof.why is None
    assert machine.done == [step.shown() for step in timeserver.steps(WISHES)]


def test_nothing_is_set_without_consent_or_timesyncd() -> None:
    """Another time service would be switched off behind its owner's back."""
    assert timeserver.refused(WISHES, Machine()) is None
    assert timeserver.refused(WISHES, Machine(timesyncd=False)) is not None
    assert timeserver.refused(Wishes(time_server="a"), Machine()) is not None


def test_the_machine_itself(tmp_path: Path) -> None:
    """The drop-in lies where timesyncd reads it; a command that fails says why."""
    system = System(tmp_path)
    assert not system.there()
    system.do(Step(text="[Time]\nNTP=a\n"), 1.0)
    assert (tmp_path / DROP_IN.relative_to("/")).read_text() == "[Time]\nNTP=a\n"
    with pytest.raises(GatehouseError, match="exit code 1"):
        system.do(Step(("false",)), 30.0)
    with pytest.raises(GatehouseError, match="no end within"):
        system.do(Step(("sleep", "60")), 0.1)
    with pytest.raises(OSError, match="no-such-program"):
        system.do(Step(("no-such-program",)), 30.0)
