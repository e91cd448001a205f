"""One-time codes at the authority: one gateway, one use, one day."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from enrol.made import NOW, OURS, authority, csr
from gatehouse.enrol import code
from gatehouse_district.errors import AuthorityError

HOUR = timedelta(hours=1)


def test_a_code_is_used_once(tmp_path: Path) -> None:
    """Without it a slip of paper would make gateways for ever."""
    district = authority(tmp_path)
    made = district.code(OURS, NOW)
    secret = code.read(made.text).secret
    signed = district.redeem(OURS, secret, csr(), NOW + HOUR)
    assert signed.entry.name == OURS
    with pytest.raises(AuthorityError, match="no such code"):
        district.redeem(OURS, secret, csr(), NOW + HOUR)
    assert len(district.entries()) == 1


def test_a_code_is_used_once_at_once(tmp_path: Path) -> None:
    """Without it two who use it in the same moment would both be the school."""
    district = authority(tmp_path)
    secret = code.read(district.code(OURS, NOW).text).secret

    def tried(_n: int) -> bool:
        try:
            district.redeem(OURS, secret, csr(), NOW)
        except AuthorityError:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(tried, range(4))) == 1
    assert len(district.entries()) == 1


def test_what_is_refused_is_refused_alike(tmp_path: Path) -> None:
    """Without it a guesser would learn which gateways have a code, and how near a guess was."""
    district = authority(tmp_path)
    secret = code.read(district.code(OURS, NOW).text).secret
    refusals = []
    for gateway, tried, at in (
        (OURS, bytes(5), NOW),
        (OURS, secret + b"\0", NOW),
        (OURS, b"", NOW),
        ("qd-sn-0043", secret, NOW),
        ("district.receiver", secret, NOW),
        (OURS, secret, NOW + 24 * HOUR),
    ):
        with pytest.raises(AuthorityError) as caught:
            district.redeem(gateway, tried, csr([gateway]), at)
        refusals.append(str(caught.value))
    assert len(set(refusals)) == 1
    assert district.redeem(OURS, secret, csr(), NOW + 23 * HOUR).entry.name == OURS


def test_the_request_must_be_for_the_codes_gateway(tmp_path: Path) -> None:
    """Without it the code of one school would open another's; a slip leaves it for a second try."""
    district = authority(tmp_path)
    secret = code.read(district.code(OURS, NOW).text).secret
    with pytest.raises(AuthorityError, match="not for qd-sn-0042"):
        district.redeem(OURS, secret, csr(["qd-sn-0043"]), NOW)
    with pytest.raises(AuthorityError, match="no gateway's id"):
        district.redeem(OURS, secret, csr(["district.receiver"]), NOW)
    assert district.redeem(OURS, secret, csr(), NOW).entry.name == OURS


def test_nobody_gets_a_code_for_the_receiver(tmp_path: Path) -> None:
    """Without it a gateway could become the one that reads every school."""
    district = authority(tmp_path)
    for name in ("district.receiver", "a/b", "+++", "QD-SN-0042"):
        with pytest.raises(AuthorityError, match="no gateway's id"):
            district.code(name, NOW)


def test_a_new_code_voids_the_old_one_and_revoking_voids_both(tmp_path: Path) -> None:
    """Without it a code that was told to the wrong person could not be taken back."""
    district = authority(tmp_path)
    first = code.read(district.code(OURS, NOW).text).secret
    second = code.read(district.code(OURS, NOW).text).secret
    with pytest.raises(AuthorityError, match="no such code"):
        district.redeem(OURS, first, csr(), NOW)
    district.sign_request(csr(), NOW)
    district.revoke(OURS, NOW, "stolen")
    with pytest.raises(AuthorityError, match="no such code"):
        district.redeem(OURS, second, csr(), NOW)


def test_the_code_itself_is_kept_nowhere(tmp_path: Path) -> None:
    """Without it whoever reads a backup of the register could enrol as any school."""
    district = authority(tmp_path)
    made = district.code(OURS, NOW)
    kept = (tmp_path / "register.db").read_bytes()
    assert code.read(made.text).secret not in kept
    assert made.text.encode() not in kept
    assert "…" in repr(code.read(made.text))
