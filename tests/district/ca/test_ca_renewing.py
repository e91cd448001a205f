"""Renewal: whoever has not the key of a standing certificate gets nothing."""

from pathlib import Path

import pytest
from cryptography import x509

from enrol.made import DAY, DUE, NOW, OURS, authority, csr, gateway, renewal
from gatehouse.enrol import papers
from gatehouse_district.ca import Authority, Kind
from gatehouse_district.errors import AuthorityError


@pytest.fixture
def district(tmp_path: Path) -> Authority:
    """Lend an authority."""
    return authority(tmp_path / "ca")


def test_a_gateway_gets_its_next_one(district: Authority) -> None:
    """Without it every gateway would need a visit each year."""
    key, cert = gateway(district)
    signed = district.renew(renewal(key, cert), DUE)
    assert signed.entry.name == OURS
    assert signed.entry.ends_s == int((DUE + 365 * DAY).timestamp())
    made = x509.load_pem_x509_certificate(signed.pem)
    assert made.public_key() != x509.load_pem_x509_certificate(cert).public_key()


def test_a_replay_is_refused(district: Authority) -> None:
    """Without it whoever overheard a request could have it answered again and again."""
    key, cert = gateway(district)
    once = renewal(key, cert)
    district.renew(once, DUE)
    with pytest.raises(AuthorityError, match="replay"):
        district.renew(once, DUE)
    with pytest.raises(AuthorityError, match="set the gateway's clock"):
        district.renew(once, DUE + DAY)
    assert len(district.entries()) == 2


def test_who_is_not_who_they_say(district: Authority, tmp_path: Path) -> None:
    """Without it one school's key, or a stranger's authority, could speak for another school."""
    key, cert = gateway(district)
    other_key, other = gateway(district, name="qd-sn-0043")
    strange_key, strange = gateway(authority(tmp_path / "strange"))
    theirs = csr(["qd-sn-0043"])
    for wrong, why in (
        (renewal(key, cert, signed_by=other_key), "not signed by the key"),
        (renewal(key, cert, request=theirs), "names qd-sn-0043"),
        (renewal(other_key, other), "names qd-sn-0042"),
        (renewal(strange_key, strange), "not one of this authority"),
        (renewal(key, b"rubbish"), "not one of this authority"),
        (renewal(key, cert + b"\n" * 20_000), "not one of this authority"),
        (renewal(key, district.pem), "none of a gateway"),
        (renewal(key, cert, nonce=b"short"), "not signed by the key"),
    ):
        with pytest.raises(AuthorityError, match=why):
            district.renew(wrong, DUE)
    assert len(district.entries()) == 2


def test_a_server_or_receiver_cannot_renew_as_a_gateway(district: Authority) -> None:
    """Without it a leaked key of the broker would do for a school."""
    for kind, names in ((Kind.SERVER, [OURS]), (Kind.RECEIVER, [])):
        cert, key = district.issue(kind, names, NOW, file="it")
        asked = renewal(key.read_bytes(), cert.read_bytes())
        with pytest.raises(AuthorityError, match="none of a gateway"):
            district.renew(asked, DUE)


def test_a_revoked_one_is_refused(district: Authority) -> None:
    """Without it a thief would have a fresh certificate before anybody looked."""
    key, cert = gateway(district)
    district.revoke(OURS, DUE, "stolen")
    with pytest.raises(AuthorityError, match="was revoked"):
        district.renew(renewal(key, cert), DUE)


@pytest.mark.parametrize(
    ("days", "why"),
    [(100, "not half through"), (364, None), (394, None), (396, "ended too long ago")],
)
def test_when_it_may_renew(district: Authority, days: int, why: str | None) -> None:
    """Without it a gateway that was off over the holidays would need a visit."""
    key, cert = gateway(district)
    at = NOW + days * DAY
    asked = renewal(key, cert, at=at)
    if why is None:
        assert district.renew(asked, at).entry.name == OURS
    else:
        with pytest.raises(AuthorityError, match=why):
            district.renew(asked, at)


@pytest.mark.parametrize("minutes", [-11, 11])
def test_a_clock_that_is_far_off_is_told(district: Authority, minutes: int) -> None:
    """Without it a request could be kept for years and used then."""
    key, cert = gateway(district)
    with pytest.raises(AuthorityError, match="set the gateway's clock"):
        district.renew(renewal(key, cert, at=DUE + minutes * DAY / 24 / 60), DUE)


def test_a_changed_request_is_refused(district: Authority) -> None:
    """Without it somebody between could have their own key signed."""
    key, cert = gateway(district)
    good = renewal(key, cert)
    swapped = type(good)(
        papers.request(papers.new_key(), OURS), cert, good.nonce, good.at_s, good.signature
    )
    with pytest.raises(AuthorityError, match="not signed by the key"):
        district.renew(swapped, DUE)
