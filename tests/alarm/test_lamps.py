"""The guard's language: every row of contract section 6."""

from itertools import product

import pytest

from alarm.lines import S
from gatehouse.alarm.button import Stage
from gatehouse.alarm.lamps import (
    BLIP,
    CHIRP,
    DARK,
    FAST,
    SIREN,
    SLOW,
    STEADY,
    TRIED,
    Look,
    Pattern,
    Trial,
    look,
)


def seen(stage: Stage | None = None, **changed: bool) -> Look:
    """Return what a well, silent button with a red lamp alone shows, apart from what changed."""
    off = ("fault", "walk_test", "chirp_silenced", "has_green", "has_yellow")
    flags = {**dict.fromkeys(off, False), "ready": True, "silent": True, **changed}
    return look(stage, trial=None, **flags)


@pytest.mark.parametrize(
    ("stage", "red"),
    [
        (None, BLIP),
        (Stage.UNDELIVERED, FAST),
        (Stage.STORED, FAST),
        (Stage.SENT, FAST),
        (Stage.RECEIVED, SLOW),
        (Stage.ACKNOWLEDGED, STEADY),
    ],
)
@pytest.mark.parametrize("fault", [True, False])
@pytest.mark.parametrize("ready", [True, False])
def test_red_alone_says_how_far_an_alarm_is(
    stage: Stage | None, red: Pattern, fault: bool, ready: bool
) -> None:
    """Red alone must do, and neither fault nor a lost district may change what it says."""
    if stage is None and (fault or not ready):
        red = DARK  # no blip: not ready
    assert seen(stage, fault=fault, ready=ready).red == red


@pytest.mark.parametrize(
    ("lamps", "ready", "fault", "shown"),
    [
        ({}, True, False, ("red blip",)),
        ({}, False, False, ()),
        ({}, True, True, ()),
        ({"has_yellow"}, True, False, ("red blip",)),
        ({"has_yellow"}, False, False, ()),
        ({"has_yellow"}, True, True, ("red blip", "yellow")),
        ({"has_yellow"}, False, True, ("yellow",)),
        ({"has_green"}, True, False, ("green",)),
        ({"has_green"}, False, False, ()),
        ({"has_green"}, True, True, ()),
        ({"has_green", "has_yellow"}, True, False, ("green",)),
        ({"has_green", "has_yellow"}, True, True, ("yellow", "green")),
        ({"has_green", "has_yellow"}, False, True, ("yellow",)),
    ],
)
def test_ready_and_fault(lamps: set[str], ready: bool, fault: bool, shown: tuple[str, ...]) -> None:
    """A guard must see that the button works, and that it does not, with whatever lamps he has."""
    what = seen(None, ready=ready, fault=fault, **dict.fromkeys(lamps, True))
    lit = {
        "red blip": what.red == BLIP,
        "yellow": what.yellow == STEADY and "has_yellow" in lamps,
        "green": what.green == STEADY and "has_green" in lamps,
    }
    assert tuple(name for name, on in lit.items() if on) == shown
    assert what.red in {BLIP, DARK}
    assert what.green in {STEADY, DARK}


@pytest.mark.parametrize("stage", Stage)
def test_in_an_alarm_green_is_dark_and_a_fault_still_shows(stage: Stage) -> None:
    """The sign of readiness beside an alarm would be a lie."""
    what = seen(stage, has_green=True, has_yellow=True, fault=True)
    assert (what.green, what.yellow) == (DARK, STEADY)


@pytest.mark.parametrize(
    ("stage", "changed", "sound"),
    [
        (Stage.STORED, {}, DARK),  # silent: whoever threatens the guard must not hear it
        (Stage.UNDELIVERED, {"fault": True}, DARK),
        (Stage.STORED, {"silent": False}, SIREN),
        (Stage.RECEIVED, {"silent": False}, SIREN),
        (Stage.ACKNOWLEDGED, {"silent": False}, DARK),
        (Stage.STORED, {"walk_test": True}, SIREN),
        (Stage.STORED, {"silent": False, "walk_test": True}, SIREN),
        (None, {}, DARK),
        (None, {"silent": False}, DARK),
        (None, {"fault": True}, CHIRP),
        (None, {"fault": True, "chirp_silenced": True}, DARK),
        (Stage.STORED, {"fault": True, "silent": False, "chirp_silenced": True}, SIREN),
    ],
)
def test_the_buzzer(stage: Stage | None, changed: dict[str, bool], sound: Pattern) -> None:
    """A silent button that sounds may cost a life; a fault that nobody hears, too."""
    assert seen(stage, **changed).buzzer == sound


def test_a_silent_button_never_sounds_an_alarm() -> None:
    """In no state at all, outside a walk test."""
    for stage, *flags in product([None, *Stage], *[[True, False]] * 5):
        names = ("ready", "fault", "chirp_silenced", "has_green", "has_yellow")
        what = seen(stage, **dict(zip(names, flags, strict=True)))
        assert what.buzzer == DARK or (what.buzzer == CHIRP and stage is None)


def test_three_patterns_can_be_told_apart() -> None:
    """3 Hz, 1 Hz, a blip each 10 s, a chirp each minute (contract section 6)."""
    periods = {pattern: sum(pattern.steps_ns) for pattern in (FAST, SLOW, BLIP, CHIRP)}
    assert periods[FAST] == pytest.approx(S / 3, abs=1)
    assert (periods[SLOW], periods[BLIP], periods[CHIRP]) == (S, 10 * S, 60 * S)
    assert [FAST.moves, STEADY.moves, DARK.moves] == [True, False, False]


def test_a_trial_is_like_no_alarm_and_never_hides_one() -> None:
    """A lamp that is being tried must frighten nobody, and a press in the middle must show."""
    off = ("fault", "walk_test", "chirp_silenced", "has_green", "has_yellow")
    flags = {**dict.fromkeys(off, False), "ready": True, "silent": True}
    assert look(None, trial=Trial(sound=True), **flags) == Look(TRIED, TRIED, TRIED, TRIED)
    assert look(None, trial=Trial(sound=False), **flags).buzzer == DARK
    assert TRIED not in {BLIP, FAST, SLOW, STEADY, SIREN}
    for stage in Stage:
        assert look(stage, trial=Trial(sound=True), **flags) == seen(stage)
