"""One button on trial: what counts as a proof. Pure."""

from dataclasses import replace

import pytest

from gatehouse.config.model import Button
from gatehouse.setup.trial import Trial

MS = 1_000_000
PIN, LOOP, KEY = 17, 27, 24
BUTTON = Button("gate", "南门", PIN, loop=LOOP)
Move = tuple[int, int, int]
GOOD: tuple[Move, ...] = ((LOOP, 1, 0), (PIN, 0, 5), (PIN, 1, 100), (LOOP, 0, 105))


def tried(button: Button, *moves: Move, closed: bool = False, loop_open: bool = False) -> Trial:
    """Move contacts at times in ms, and let two seconds pass."""
    levels = {PIN: 0 if closed else 1, LOOP: int(loop_open), KEY: 1}
    trial = Trial.begin(button, levels, 0)
    for pin, level, at_ms in moves:
        trial.advance(at_ms * MS)
        trial.edge(pin, level, at_ms * MS)
    trial.advance(2_000 * MS)
    return trial


def why(trial: Trial) -> str | None:
    """Return why the press is not proven."""
    return trial.proofs()[0].why


def test_a_press_and_its_end_prove_a_button() -> None:
    """Both, else the service would begin with an alarm."""
    trial = tried(BUTTON, *GOOD)
    assert trial.over
    assert why(trial) is None
    held = tried(BUTTON, *GOOD[:2])
    assert not held.over
    assert why(held) == "pressed, but not let go of"


@pytest.mark.parametrize(
    ("button", "moves", "text"),
    [
        (BUTTON, (), "not pressed"),
        (BUTTON, ((PIN, 0, 5), (PIN, 1, 7)), "not pressed"),
        (BUTTON, ((PIN, 0, 5), (PIN, 1, 100)), "did not open"),
        (BUTTON, GOOD[:3], "its loop is open"),
        (replace(BUTTON, loop=None), ((PIN, 0, 5), (PIN, 1, 100)), None),
    ],
)
def test_what_the_wiring_says_counts(
    button: Button, moves: tuple[Move, ...], text: str | None
) -> None:
    """A spike is no press, and a loop on another pin supervises nothing."""
    said = why(tried(button, *moves))
    assert said == text if text is None else text in (said or "")


def test_a_contact_that_is_closed_already_is_no_press() -> None:
    """A short would else pass for a button."""
    assert why(tried(BUTTON, closed=True)) == "closed all the time"
    opened = tried(BUTTON, (PIN, 1, 100), closed=True)
    assert why(opened) == "closed all the time"
    lone = replace(BUTTON, loop=None)
    pressed = tried(lone, (PIN, 1, 100), (PIN, 0, 505), (PIN, 1, 700), closed=True)
    assert why(pressed) is None


def test_a_loop_that_was_never_closed_is_told() -> None:
    """A wire to the wrong pin shows before anybody leaves."""
    trial = tried(BUTTON, (PIN, 0, 600), (PIN, 1, 700), loop_open=True)
    assert trial.over
    assert why(trial) is not None


def test_a_reset_key_is_a_proof_of_its_own() -> None:
    """A key on a wrong pin would leave alarms standing."""
    button = replace(BUTTON, reset=KEY)
    trial = tried(button, *GOOD)
    assert not trial.over
    assert [proof.why for proof in trial.proofs()] == [None, "the reset key was not turned"]
    trial = tried(button, *GOOD, (KEY, 0, 500))
    assert trial.over
    assert [proof.why for proof in trial.proofs()] == [None, None]
