"""How often somebody may try."""

from hypothesis import given
from hypothesis import strategies as st

from gatehouse_district.enrolment.limits import WITHIN_S, Tries, place


def test_an_address_has_so_many_tries_and_then_waits() -> None:
    """Without it a code of 40 bits would be guessed in its day."""
    tries = Tries(each=3, all=100)
    assert [tries.wait_s("10.0.0.1", at) for at in (0.0, 1.0, 2.0)] == [0, 0, 0]
    assert tries.wait_s("10.0.0.1", 100.0) == WITHIN_S - 100
    assert tries.wait_s("10.0.0.2", 100.0) == 0
    assert tries.wait_s("10.0.0.1", WITHIN_S + 0.5) == 0
    assert tries.wait_s("10.0.0.1", WITHIN_S + 0.6) > 0


def test_all_together_have_so_many() -> None:
    """Without it a thousand machines would each have their tries."""
    tries = Tries(each=3, all=5)
    waits = [tries.wait_s(f"10.0.0.{n}", 0.0) for n in range(9)]
    assert waits == [0] * 5 + [WITHIN_S] * 4


def test_an_ipv6_network_is_one_address() -> None:
    """Without it one machine would have 2^64 of them."""
    assert place("2001:db8:1:2:3::4") == place("2001:db8:1:2:ffff::1") != place("2001:db8:1:3::1")
    assert place("::ffff:10.0.0.1") == place("10.0.0.1")
    assert place("fe80::1%eth0") == place("fe80::2%eth0")
    assert place("?") == "?"


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0, 300)), max_size=200))
def test_no_more_than_allowed_come_through_in_any_span(steps: list[tuple[int, float]]) -> None:
    """Without it the limit could be walked around by timing."""
    tries, now_s, passed = Tries(each=4, all=9), 0.0, list[tuple[int, float]]()
    for who, after_s in steps:
        now_s += after_s
        if tries.wait_s(f"10.0.0.{who}", now_s) == 0:
            passed.append((who, now_s))
        recent = [one for one in passed if one[1] > now_s - WITHIN_S]
        assert len(recent) <= 9
        assert all(sum(one[0] == who for one in recent) <= 4 for who, _ in recent)
