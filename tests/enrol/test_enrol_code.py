"""The code that is read over the telephone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.enrol import code
from gatehouse.enrol.code import Code
from gatehouse.errors import EnrolError

secrets = st.binary(min_size=code.SECRET_BYTES, max_size=code.SECRET_BYTES)
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@given(st.binary(), secrets)
def test_what_was_written_is_read(authority: bytes, secret: bytes) -> None:
    """Without it some codes could never be used."""
    made = Code.make(authority, secret)
    text = made.text()
    assert [len(group) for group in text.split("-")] == [5] * 5
    assert code.read(text) == made
    assert made.fits(authority)
    assert not made.fits(authority + b"x")


@given(secrets)
def test_it_may_be_typed_as_it_was_heard(secret: bytes) -> None:
    """Without it a technician on a ladder would read it out five times."""
    text = Code.make(b"ca", secret).text()
    heard = text.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert code.read(f" {heard}\n") == code.read(text)
    assert code.read(text.replace("-", "").replace("1", "i")) == code.read(text)


@given(secrets, st.integers(0, 23), st.sampled_from(ALPHABET))
def test_most_slips_are_found_before_they_cost_a_try(secret: bytes, at: int, letter: str) -> None:
    """Without it each slip would be one of the ten tries; what is not found is another code."""
    whole = Code.make(b"ca", secret).text().replace("-", "")
    slip = whole[:at] + letter + whole[at + 1 :]
    try:
        read = code.read(slip)
    except EnrolError:
        assert slip != whole
    else:
        assert (read == code.read(whole)) == (slip == whole)


def test_about_one_slip_in_32_passes() -> None:
    """Without it the last letter could be there and check nothing."""
    whole = Code.make(b"ca", b"12345").text().replace("-", "")
    slips = [
        whole[:at] + letter + whole[at + 1 :]
        for at in range(24)
        for letter in ALPHABET
        if letter != whole[at]
    ]
    passed = 0
    for slip in slips:
        try:
            code.read(slip)
        except EnrolError:
            continue
        passed += 1
    assert passed < len(slips) / 16


@pytest.mark.parametrize(
    "typed", ["", "12345", "U" * 25, "0" * 26, "网" * 25, "\u0130" * 25, "0000-" * 5 + "!!!!!"]
)
def test_what_is_no_code_is_told(typed: str) -> None:
    """Without it a letter that no code has would end in a traceback."""
    with pytest.raises(EnrolError, match="25 letters"):
        code.read(typed)


def test_a_slip_is_told() -> None:
    """Without it somebody would ask the district for a new code for nothing."""
    text = Code.make(b"ca", b"12345").text()
    wrong = text[:-1] + next(each for each in ALPHABET if each != text[-1])
    with pytest.raises(EnrolError, match="mistyped"):
        code.read(wrong)
