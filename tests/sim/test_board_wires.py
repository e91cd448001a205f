"""How the simulated wires move: bounce, change-over, and what healthy wiring is. Pure."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse_sim.wires import CHANGEOVER_NS, CLOSED, OPEN, Wires, bounce, healthy, press

START = 1_000_000_000
MS = 1_000_000
FORM_C = Wires({17: OPEN, 27: CLOSED}, {17: 27})


def test_healthy_wiring_is_what_the_contract_says() -> None:
    """Wrong levels at start would be alarms and faults on every simulated school."""
    wires = healthy(
        {
            "button": [{"name": "gate", "pin": 17, "loop": 27, "reset": 24}, {"pin": 5}],
            "enclosure": {"tamper": 12, "mains": 16},
        }
    )
    assert wires.levels == {17: 1, 24: 1, 27: 0, 5: 1, 12: 0, 16: 0}
    assert wires.loops == {17: 27}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"button": 3, "enclosure": [1]},
        {"button": [3, {"pin": "17", "loop": True, "reset": 99}], "enclosure": {"tamper": -1}},
        {"button": {"pin": 17}},
    ],
)
def test_a_wrong_configuration_is_read_leniently(document: dict[str, object]) -> None:
    """The agent starts in spite of a typing mistake: the board under it must as well."""
    assert healthy(document) == Wires({}, {})


def test_partners_are_both_contacts_of_a_button() -> None:
    """A hand on the loop moves the same button as a hand on the contact."""
    assert FORM_C.partners(17) == FORM_C.partners(27) == {17, 27}
    assert FORM_C.partners(5) == {5}


@given(st.integers(), st.integers(0, 10**9), st.sampled_from([OPEN, CLOSED]))
def test_a_bounce_starts_and_ends_at_its_level(seed: int, length_ns: int, level: int) -> None:
    """A train that ended at the wrong level would leave a released button pressed."""
    rng = random.Random(seed)  # noqa: S311  # repeatable, not secret
    moves = bounce(rng, 17, level, START, length_ns)
    assert moves[0].at_ns == START
    assert moves[0].level == moves[-1].level == level
    assert all(a.level != b.level and a.at_ns < b.at_ns for a, b in pairwise(moves))
    assert moves[-1].at_ns - START <= length_ns
    assert length_ns < 2 or len(moves) > 1


@settings(max_examples=200)
@given(
    st.floats(0, 10), st.floats(0, 1000), st.integers(), st.sampled_from([FORM_C, Wires({17: 1})])
)
def test_a_press_is_whole(for_s: float, bounce_ms: float, seed: int, wires: Wires) -> None:
    """Whatever its length and bounce: contacts come back, and never are both closed at once."""
    moves = press(wires, 17, start_ns=START, for_s=for_s, bounce_ms=bounce_ms, seed=seed)
    assert list(moves) == sorted(moves, key=lambda move: move.at_ns)
    levels = dict(wires.levels)
    for move in moves:
        assert levels[move.pin] != move.level
        levels[move.pin] = move.level
        assert CLOSED not in levels.values() or list(levels.values()).count(CLOSED) == 1
    assert levels == wires.levels


def test_a_press_lasts_from_the_first_closing_to_the_first_opening() -> None:
    """``filter_ms`` is tested with presses of a known length."""
    moves = press(Wires({17: OPEN}), 17, start_ns=START, for_s=0.005, bounce_ms=0)
    assert [(m.at_ns, m.level) for m in moves] == [(START, CLOSED), (START + 5 * MS, OPEN)]


def test_the_loop_breaks_before_the_contact_makes() -> None:
    """Form C: `changeover_ms` exists because both are open on the way."""
    moves = press(FORM_C, 17, start_ns=START, for_s=0.2, bounce_ms=0)
    closes, opens = START + CHANGEOVER_NS, START + CHANGEOVER_NS + 200 * MS
    assert [(m.at_ns, m.pin, m.level) for m in moves] == [
        (START, 27, OPEN),
        (closes, 17, CLOSED),
        (opens, 17, OPEN),
        (opens + CHANGEOVER_NS, 27, CLOSED),
    ]


def test_the_same_seed_bounces_alike() -> None:
    """A failure that cannot be repeated cannot be mended."""

    def moves(seed: int) -> object:
        return press(FORM_C, 17, start_ns=START, for_s=0.2, bounce_ms=5, seed=seed)

    assert moves(7) == moves(7) != moves(8)
