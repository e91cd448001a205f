"""The authority's folder: made once, remembered, revoked, and never beyond its own end."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from enrol.made import DAY, NOW, OURS, authority, csr, gateway
from gatehouse_district.ca import RECEIVER, Authority, Kind
from gatehouse_district.errors import AuthorityError


def crl(district: Authority) -> x509.CertificateRevocationList:
    """Read the list of revocations."""
    return x509.load_pem_x509_crl(district.crl.read_bytes())


def test_it_is_made_once(tmp_path: Path) -> None:
    """Without it a second init would shut every gateway of the district out."""
    district = authority(tmp_path / "ca")
    made = {path.name: path.stat().st_mode & 0o777 for path in district.folder.iterdir()}
    assert made == {"ca.key": 0o600, "ca.pem": 0o644, "crl.pem": 0o644, "register.db": 0o600}
    before = district.ca.read_bytes()
    with pytest.raises(AuthorityError, match="already"):
        authority(tmp_path / "ca")
    assert district.ca.read_bytes() == before
    root = x509.load_pem_x509_certificate(before)
    basic = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert 3650 * DAY < root.not_valid_after_utc - NOW < 3653 * DAY


def test_a_folder_without_one_says_what_to_do(tmp_path: Path) -> None:
    """Without it somebody would read about a missing file."""
    with pytest.raises(AuthorityError, match="ca init"):
        Authority.open(tmp_path)
    authority(tmp_path / "a")
    authority(tmp_path / "b")
    (tmp_path / "a" / "ca.key").write_bytes((tmp_path / "b" / "ca.key").read_bytes())
    with pytest.raises(AuthorityError, match="does not belong"):
        Authority.open(tmp_path / "a")
    (tmp_path / "a" / "ca.key").write_text("no key", encoding="ascii")
    with pytest.raises(AuthorityError, match="cannot be used"):
        Authority.open(tmp_path / "a")


def test_an_empty_list_of_revocations_lasts_as_long_as_the_authority(tmp_path: Path) -> None:
    """Without it the broker would one day refuse every school at once."""
    district = authority(tmp_path)
    assert list(crl(district)) == []
    assert crl(district).next_update_utc == district.ends
    key = x509.load_pem_x509_certificate(district.pem).public_key()
    assert crl(district).is_signature_valid(key)  # type: ignore[arg-type]  # EC by now


def test_what_was_signed_is_remembered_and_can_be_taken_back(tmp_path: Path) -> None:
    """Without it a stolen gateway could not be shut out, or only with all others."""
    district = authority(tmp_path)
    gateway(district)
    gateway(district, NOW + DAY)
    gateway(district, name="qd-sn-0043")
    district.issue(Kind.RECEIVER, [], NOW, file=RECEIVER)
    again = Authority.open(tmp_path)
    assert [entry.name for entry in again.entries()] == [OURS, "qd-sn-0043", RECEIVER, OURS]
    assert len({entry.serial for entry in again.entries()}) == 4
    assert min(entry.serial.bit_length() for entry in again.entries()) > 64
    revoked = again.revoke(OURS, NOW + 2 * DAY, "stolen")
    assert [entry.name for entry in revoked] == [OURS, OURS]
    assert {one.serial_number for one in crl(again)} == {entry.serial for entry in revoked}
    assert again.revoke(OURS, NOW + 3 * DAY, "lost") == []
    told = [entry for entry in again.entries() if entry.name == OURS]
    stamp = int((NOW + 2 * DAY).timestamp())
    assert {(entry.revoked_s, entry.reason) for entry in told} == {(stamp, "stolen")}
    serial = f"{again.entries()[1].serial:x}"
    assert [entry.name for entry in again.revoke(serial, NOW, "lost")] == ["qd-sn-0043"]
    with pytest.raises(AuthorityError, match="no name and no serial"):
        again.revoke("qd-sn-9999", NOW, "lost")
    numbers = crl(again).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    again.remake_list(NOW + 4 * DAY)
    assert len(list(crl(again))) == 3
    after = crl(again).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    assert after == numbers + 1


def test_nothing_outlives_the_authority(tmp_path: Path) -> None:
    """Without it a certificate would look good on the day on which nothing works any more."""
    district = authority(tmp_path)
    late = district.ends - 10 * DAY
    signed = district.sign_request(csr(), late)
    assert signed.entry.ends_s == int(district.ends.timestamp())
    with pytest.raises(AuthorityError, match="has ended"):
        district.sign_request(csr(), district.ends + DAY)


def test_a_server_has_its_names_and_addresses(tmp_path: Path) -> None:
    """Without it no gateway could tell the broker from whoever answers there."""
    district = authority(tmp_path)
    names = ["Broker.example", "10.0.0.5", "fd00::5"]
    cert, key = district.issue(Kind.SERVER, names, NOW, file="server")
    assert key.stat().st_mode & 0o777 == 0o600
    found = x509.load_pem_x509_certificate(cert.read_bytes())
    said = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert said.get_values_for_type(x509.DNSName) == ["broker.example"]
    assert [str(ip) for ip in said.get_values_for_type(x509.IPAddress)] == ["10.0.0.5", "fd00::5"]
    assert found.not_valid_after_utc - NOW <= 825 * DAY
    for wrong in ("*.example", "a b", "broker.example/", "1.2.3", "", "-a.example"):
        with pytest.raises(AuthorityError, match="neither"):
            district.issue(Kind.SERVER, [wrong], NOW, file="server")
    with pytest.raises(AuthorityError, match="at least one"):
        district.issue(Kind.SERVER, [], NOW, file="server")


def test_a_request_of_another_gateway_is_refused(tmp_path: Path) -> None:
    """Without it one school's technician could bring another school's name."""
    district = authority(tmp_path)
    with pytest.raises(AuthorityError, match="not for qd-sn-0043"):
        district.sign_request(csr(), NOW, gateway="qd-sn-0043")
    assert district.entries() == []


def test_moments_are_those_handed_in(tmp_path: Path) -> None:
    """Without it a simulated year could have no certificates of that year."""
    at = datetime(2040, 2, 29, tzinfo=UTC)
    district = Authority.init(tmp_path, at, name="later")
    cert = x509.load_pem_x509_certificate(district.sign_request(csr(), at).pem)
    assert cert.not_valid_before_utc < at < cert.not_valid_after_utc
    assert cert.not_valid_after_utc - at == 365 * DAY


@pytest.mark.parametrize(
    ("kind", "use"),
    [
        (Kind.GATEWAY, ExtendedKeyUsageOID.CLIENT_AUTH),
        (Kind.RECEIVER, ExtendedKeyUsageOID.CLIENT_AUTH),
        (Kind.SERVER, ExtendedKeyUsageOID.SERVER_AUTH),
    ],
)
def test_a_certificate_is_for_one_end_of_a_connection(
    tmp_path: Path, kind: Kind, use: x509.ObjectIdentifier
) -> None:
    """Without it a stolen gateway could pose as the broker, or a desk's key as the receiver."""
    district = authority(tmp_path)
    pem, _key = district.issue(kind, [OURS], NOW, file="it")
    found = x509.load_pem_x509_certificate(pem.read_bytes())
    assert list(found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [use]
