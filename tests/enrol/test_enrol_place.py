"""Files in their places: whatever moment the power goes, a pair that fits is there."""

import itertools
import ssl
from pathlib import Path

import pytest

from enrol.made import NOW, OURS, authority, gateway
from gatehouse import files
from gatehouse.config import pairs
from gatehouse.config.model import District
from gatehouse.enrol import first, papers, place
from gatehouse.enrol.place import Place
from gatehouse.errors import EnrolError
from gatehouse.uplink.tls import _build
from gatehouse_district.ca import Authority, Kind


class PowerCutError(BaseException):
    """The end of everything, at one write."""


@pytest.fixture
def district(tmp_path: Path) -> Authority:
    """Lend an authority."""
    return authority(tmp_path / "ca")


@pytest.fixture
def where(tmp_path: Path) -> Place:
    """Lend the places of a gateway."""
    etc, state = tmp_path / "etc", tmp_path / "state"
    etc.mkdir()
    state.mkdir()
    return Place(OURS, etc / "ca.pem", etc / "gateway.pem", etc / "gateway.key", state)


def configured(where: Place) -> District:
    """Return what the configuration says of these files."""
    renewed = where.state_dir / pairs.FOLDER
    return District((), where.ca, where.cert, where.key, renewed=renewed)


def loaded(where: Place) -> None:
    """Load it as the alarm service does. Raises OSError."""
    _build(configured(where), dates=True)


def test_a_request_a_signature_and_it_is_in_place(district: Authority, where: Place) -> None:
    """Without it nobody without an HTTPS port could enrol a gateway."""
    request = first.make_request(where)
    assert where.asked.stat().st_mode & 0o777 == 0o600
    signed = district.sign_request(request, NOW)
    first.install(where, signed.pem, district.pem, NOW)
    loaded(where)
    assert where.key.stat().st_mode & 0o777 == 0o600
    assert not where.asked.exists()
    assert {path.name for path in where.cert.parent.iterdir()} == {
        "ca.pem",
        "gateway.pem",
        "gateway.key",
    }


def test_what_does_not_fit_changes_nothing(
    district: Authority, where: Place, tmp_path: Path
) -> None:
    """Without it a mix-up of two envelopes would take a working gateway off the line."""
    request = first.make_request(where)
    first.install(where, district.sign_request(request, NOW).pem, district.pem, NOW)
    before = {path.name: path.read_bytes() for path in where.cert.parent.iterdir()}
    request = first.make_request(where)
    good = district.sign_request(request, NOW).pem
    strange = authority(tmp_path / "strange")
    other = place.Place("qd-sn-0043", where.ca, where.cert, where.key, where.state_dir)
    server = district.issue(Kind.SERVER, ["a.example"], NOW, file="s")[0].read_bytes()
    for cert, ca, at, why in (
        (gateway(district)[1], None, where, "another key"),
        (good, strange.pem, where, "not signed by this authority"),
        (good, b"no pem", where, "no authority"),
        (good, None, other, f"made out to '{OURS}'"),
        (server, None, where, "another key"),
        (b"rubbish", None, where, "no certificate"),
    ):
        with pytest.raises(EnrolError, match=why):
            first.install(at, cert, ca, NOW)
    with pytest.raises(EnrolError, match="not valid today"):
        first.install(where, good, None, NOW.replace(year=2030))
    after = {path.name: path.read_bytes() for path in where.cert.parent.iterdir()}
    assert {name: after[name] for name in before} == before
    first.install(where, good, None, None)  # an unset clock judges no dates
    loaded(where)


def cut_off(where: Place, pair: tuple[bytes, bytes], ca: bytes, after: int) -> bool:
    """Install a pair until the power goes after so many writes; whether it did."""
    key, cert = pair
    left = iter(range(after))
    real = files.replace

    def replace(path: Path, content: bytes, *, mode: int, to_owner: bool = False) -> None:
        if next(left, None) is None:
            raise PowerCutError
        real(path, content, mode=mode, to_owner=to_owner)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "replace", replace)
        try:
            where.install(cert, key, ca)
        except PowerCutError:
            return True
    return False


def test_power_cuts_leave_a_pair_that_fits(district: Authority, where: Place) -> None:
    """Without it a gateway would be off the line from a cut between two files until a visit."""
    now, new, newer = (gateway(district) for _ in range(3))
    for first_cut, second_cut in itertools.product(range(6), repeat=2):
        for path in where.cert.parent.iterdir():
            path.unlink()
        where.install(now[1], now[0], district.pem)
        assert cut_off(where, new, district.pem, first_cut) == (first_cut < 5)
        loaded(where)
        cut_off(where, newer, district.pem, second_cut)
        loaded(where)


def test_a_renewed_pair_follows_its_certificate_and_no_other(
    district: Authority, where: Place
) -> None:
    """Without it a gateway that was given a new certificate by hand would go on with an old one."""
    key, cert = gateway(district)
    where.install(cert, key, district.pem)
    own = pairs.renewed(configured(where))
    assert own is not None
    both = b"".join(gateway(district))
    waiting = place.keep_waiting(own, both)
    assert waiting.stat().st_mode & 0o777 == 0o600
    assert own.parent.stat().st_mode & 0o777 == 0o700
    assert next(pairs.pairs(configured(where))).cert == where.cert
    place.promote(own, waiting)
    assert next(pairs.pairs(configured(where))).cert == own
    loaded(where)
    own.write_text("damaged", encoding="ascii")
    loaded(where)  # by the configured one
    newer, by_hand = gateway(district)
    where.install(by_hand, newer, district.pem)
    keys = [path for path in where.key.parent.iterdir() if b"PRIVATE" in path.read_bytes()]
    assert [path.stat().st_mode & 0o777 for path in keys] == [0o600, 0o600]  # the old one too
    assert next(pairs.pairs(configured(where))).cert == where.cert
    again = pairs.renewed(configured(where))
    assert again is not None
    place.promote(again, place.keep_waiting(again, both))
    assert [path.name for path in own.parent.iterdir()] == [again.name]


def test_a_key_that_systemd_handed_over_long_ago_is_not_in_the_way(
    district: Authority, where: Place, tmp_path: Path
) -> None:
    """Without it a new certificate would need a restart of the alarm service."""
    key, cert = gateway(district)
    where.install(cert, key, district.pem)
    handed = tmp_path / "gateway.key"
    handed.write_bytes(key)
    district_conf = District((), where.ca, where.cert, handed, named_key=where.key)
    _build(district_conf, dates=True)
    newer, by_hand = gateway(district)
    where.install(by_hand, newer, district.pem)
    _build(district_conf, dates=True)
    where.key.unlink()
    where.cert.with_name("gateway.pem.old").unlink()
    with pytest.raises(ssl.SSLError, match="KEY_VALUES_MISMATCH"):
        _build(district_conf, dates=True)


def test_a_folder_that_cannot_be_written_is_told(where: Place) -> None:
    """Without it a read-only card would end in a traceback."""
    where.key.parent.rmdir()
    where.key.parent.write_text("no folder", encoding="ascii")
    with pytest.raises(EnrolError, match="cannot be written"):
        where.keep_asked(papers.new_key())
    with pytest.raises(EnrolError, match="cannot be read"):
        place.read(where.key)


def test_a_file_is_replaced_and_never_written_over(tmp_path: Path) -> None:
    """Without it a power cut in the middle would leave half a key, or half a manifest."""
    path, before = tmp_path / "it", tmp_path / "before"
    path.write_bytes(b"old")
    before.hardlink_to(path)
    files.replace(path, b"new", mode=0o600)
    assert (before.read_bytes(), path.read_bytes()) == (b"old", b"new")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_certificate_that_is_not_for_clients_is_refused(
    district: Authority, where: Place
) -> None:
    """Without it a gateway could put the broker's certificate in place, which no broker takes."""
    cert, key = district.issue(Kind.SERVER, [OURS], NOW, file="server")
    with pytest.raises(EnrolError, match="for a client"):
        papers.check(
            cert.read_bytes(), key.read_bytes(), district.pem, gateway=where.gateway, now=NOW
        )
