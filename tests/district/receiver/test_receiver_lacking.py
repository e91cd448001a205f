"""What a district lacks, told from numbers alone (contract section 4)."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse_district.receiver.lacking import Number, missing
from sim.paho_gateway import Writer

S = "store"
SEQUENCE = "{:08d}.{:010d}".format


def known(*counts: int, start: int = 1, previous: tuple[int, int] | None = None) -> list[Number]:
    """Return numbers of one start, the first with what it says of before."""
    return [Number(S, start, count, previous if count == 1 else None) for count in counts]


@pytest.mark.parametrize(
    ("numbers", "running", "lacking"),
    [
        pytest.param([], None, [], id="nothing known, nothing lacking"),
        pytest.param(known(1, 2, 3), None, [], id="whole"),
        pytest.param(known(1, 4), None, [(1, 2), (1, 3)], id="holes in the running start"),
        pytest.param(known(3), None, [(1, 1), (1, 2)], id="its beginning too"),
        pytest.param(
            known(1, 2) + known(1, start=2, previous=(1, 4)),
            None,
            [(1, 3), (1, 4)],
            id="up to previous, also beyond what was seen",
        ),
        pytest.param(
            known(1, 2, 7) + known(1, start=2, previous=(1, 3)),
            None,
            [(1, 3)],
            id="above previous nothing was durable",
        ),
        pytest.param(
            known(1, 3) + known(2, start=2), None, [(2, 1)], id="the next start comes first"
        ),
        pytest.param(
            known(1) + known(1, start=3, previous=(2, 2)),
            None,
            [(2, 1), (2, 2)],
            id="a start of which nothing came",
        ),
        pytest.param(
            known(1, 2) + known(1, 3, start=2) + known(1, start=3, previous=(1, 2)),
            None,
            [],
            id="a start that stored nothing",
        ),
        pytest.param(
            known(1, 3, start=70_000_000), None, [(70_000_000, 2)], id="a random start, running"
        ),
        pytest.param(
            known(1, 3, start=70_000_000) + known(1, start=5, previous=(4, 0)),
            (S, 5),
            [],
            id="a random start, over and never stored",
        ),
        pytest.param(
            known(1, 3, start=4) + known(1, start=70_000_000, previous=(4, 3)),
            (S, 70_000_000),
            [(4, 2)],
            id="a random start tells of before",
        ),
        pytest.param(
            known(1, 3, start=4) + known(1, 3, start=5), (S, 4), [(5, 2)], id="an old birth"
        ),
    ],
)
def test_what_is_lacking(
    numbers: list[Number], running: tuple[str, int] | None, lacking: list[tuple[int, int]]
) -> None:
    """Without it the district could wait for what never was, or not miss what is lost."""
    assert missing(numbers, running) == [SEQUENCE(*pair) for pair in lacking]


def test_stores_are_kept_apart() -> None:
    """Without it a new card would fill the holes of the old one."""
    numbers = [Number("old", 1, 3), Number("new", 1, 1), Number("new", 1, 2)]
    assert missing(numbers, ("new", 1)) == [SEQUENCE(1, 1), SEQUENCE(1, 2)]


def test_a_mad_previous_does_not_fill_the_memory() -> None:
    """Without it one broken gateway could stop the district."""
    numbers = known(1, start=2, previous=(1, 9_999_999_999))
    assert len(missing(numbers, most=100)) == 100


@pytest.mark.parametrize("said", [None, 7, "", "x.y", "00000001", "1.2.3"])
def test_a_previous_that_says_nothing_is_none(said: object) -> None:
    """Without it a malformed event could stop the district's count."""
    event = Writer("gw-1").write("gatehouse.gateway.started", previous=said)
    assert Number.of(event).previous is None


@dataclass(frozen=True)
class History:
    """What a gateway did: for each start how many events were durable, and how many were made."""

    starts: tuple[tuple[int, int], ...]

    def numbers(self) -> tuple[list[Number], list[Number]]:
        """Return the durable numbers, and those that were only ever sent."""
        durable: list[Number] = []
        fleeting: list[Number] = []
        previous = None
        for start, (stored, made) in enumerate(self.starts, 1):
            for count in range(1, made + 1):
                number = Number(S, start, count, previous if count == 1 else None)
                (durable if count <= stored else fleeting).append(number)
            previous = (start, stored) if stored else previous
        return durable, fleeting


@st.composite
def histories(draw: st.DrawFn) -> tuple[History, list[Number]]:
    """Draw a history and what of it came; the last start stores all it makes, in time."""
    starts = draw(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), max_size=5))
    last = draw(st.integers(1, 6))
    history = History((*((stored, stored + more) for stored, more in starts), (last, last)))
    durable, fleeting = history.numbers()
    came = draw(st.lists(st.sampled_from(durable + fleeting), unique=True))
    return history, came


def check(drawn: tuple[History, list[Number]]) -> None:
    """Send what is missing until nothing is."""
    history, came = drawn
    durable, _ = history.numbers()
    stored = {SEQUENCE(number.start, number.count): number for number in durable}
    last = len(history.starts)
    have = set(came) | {stored[SEQUENCE(last, 1)]}  # the last start has said that it is there
    while lacking := missing(have):
        assert all(sequence in stored for sequence in lacking), "waits for what never was"
        assert not have & {stored[sequence] for sequence in lacking}, "misses what it has"
        have |= {stored[sequence] for sequence in lacking}
    told = max(number.count for number in have if number.start == last)
    expected = {n for n in durable if n.start < last or n.count <= told}
    assert expected <= have


@given(histories())
def test_sending_what_is_missing_ends_with_everything(drawn: tuple[History, list[Number]]) -> None:
    """Without it the district could believe to have all while a stored alarm is lost."""
    check(drawn)


@pytest.mark.campaign
@settings(max_examples=4_000, deadline=None)
@given(histories())
def test_sending_what_is_missing_long(drawn: tuple[History, list[Number]]) -> None:
    """Without it rare histories would never be tried."""
    check(drawn)
