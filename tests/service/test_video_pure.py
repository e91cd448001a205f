"""The pure parts below the reports: the allowance, and the faults as they fit into a message."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.service.allowance import Allowance
from gatehouse.service.brief import MOST_BYTES, brief_faults


def test_an_allowance_is_spent_and_comes_back_slowly() -> None:
    """Without it there would be no end to what a flapping camera says."""
    allowance = Allowance(3, 6.0, 0.0)
    assert [allowance.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert not allowance.take(5.0)
    assert allowance.take(6.5)
    assert not allowance.take(6.5)
    assert [allowance.take(1000.0) for _ in range(4)] == [True, True, True, False]


@given(st.lists(st.floats(0, 100), max_size=60))
def test_never_more_than_the_allowance_and_what_came_in(pauses: list[float]) -> None:
    """Without it odd pauses could earn more than time does."""
    allowance, now_s, taken = Allowance(5, 6.0, 0.0), 0.0, 0
    for pause in pauses:
        now_s += pause
        taken += allowance.take(now_s)
        assert taken <= 5 + now_s / 6.0 + 0.001


def entry(subject: str, fault: str, text: str = "") -> dict[str, Any]:
    """Return a fault as the documents show it."""
    since = "2026-11-23T08:00:00.000000Z"
    return {"subject": subject, "fault": fault, "since": since, "text": text}


def test_faults_that_fit_are_said_whole() -> None:
    """Without it the district would miss the details that a technician needs."""
    faults = [entry("camera/gate", "dark", "x" * 9000), entry("button/gate", "open")]
    assert brief_faults(faults) == faults
    assert brief_faults([]) == []


def test_too_many_faults_are_named_and_then_counted() -> None:
    """Without it a birth over the broker's limit would cut the line again and again."""
    cameras = [entry(f"camera/c{n}", f"fault-{m}", "x" * 200) for n in range(64) for m in range(13)]
    said = brief_faults([*cameras, entry("button/gate", "open", "cut")])
    assert said[0] == entry("button/gate", "open", "cut")
    assert said[-1]["fault"] == "more"
    assert said[-1]["count"] == len(cameras) + 1 - (len(said) - 1)
    assert {"subject", "fault", "since"} == said[-2].keys()
    assert len(said) > 100
    assert len(msgspec.json.encode(said)) <= MOST_BYTES


@given(st.lists(st.integers(0, 20_000), max_size=40))
def test_faults_never_take_more_than_their_room(sizes: list[int]) -> None:
    """Without it one fault with an endless text could do what a thousand cannot."""
    faults = [entry("gateway", f"f{n}", "x" * size) for n, size in enumerate(sizes)]
    said = brief_faults(faults)
    assert len(msgspec.json.encode(said)) <= MOST_BYTES
    assert [each["fault"] for each in said] == [each["fault"] for each in faults]
