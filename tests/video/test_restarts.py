"""How long a child that ended waits for the next."""

from gatehouse.video.restarts import Restarts


def test_waits_double_and_begin_anew() -> None:
    """A dead camera must not keep a core busy, one that came back must be watched at once."""
    restarts = Restarts(first_s=1, most_s=30, stable_s=60)
    assert [restarts.next_s(0) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert restarts.next_s(59) == 30
    assert restarts.next_s(60) == 1
    assert restarts.next_s(0) == 2


def test_waits_are_not_in_step() -> None:
    """Twenty cameras behind one switch must not all come back in the same moment."""
    restarts = Restarts(first_s=4, random=lambda: 0.5)
    assert restarts.next_s(0) == 4.5


def test_a_year_of_failures() -> None:
    """A camera that was never mounted must not overflow anything."""
    restarts = Restarts()
    assert {restarts.next_s(0) for _ in range(2000)} == {1, 2, 4, 8, 16, 30}
