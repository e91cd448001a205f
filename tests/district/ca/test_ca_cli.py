"""``gatehouse-district ca`` as it is typed."""

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from enrol.made import OURS, csr
from gatehouse_district.ca import Authority, Kind, own, soon
from gatehouse_district.cli import ca
from gatehouse_district.errors import AuthorityError


class Typed:
    """Types commands about one folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *words: str) -> str:
        """Type one, and return what it prints. Raises AuthorityError, SystemExit."""
        parser = argparse.ArgumentParser()
        shared = argparse.ArgumentParser(add_help=False)
        shared.add_argument("--config", default=None)
        ca.add(parser.add_subparsers(dest="command"), shared)
        args = parser.parse_args(["ca", *words, "--dir", str(self.folder)])
        assert args.run(args) == 0
        return self._capsys.readouterr().out

    def listed(self) -> list[dict[str, Any]]:
        """Return the document of the list."""
        found: list[dict[str, Any]] = json.loads(self("list", "--json"))["certificates"]
        return found


@pytest.fixture
def typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Lend a district that has made its authority."""
    typed = Typed(tmp_path / "ca", capsys)
    assert "ca.key" in typed("init")
    return typed


def test_from_init_to_revoke(typed: Typed, tmp_path: Path) -> None:
    """Without it the one-hour page would end at its first line."""
    with pytest.raises(AuthorityError, match="already"):
        typed("init")
    assert "server.key" in typed("sign", "--server", "broker.example", "10.0.0.5")
    assert "desk.pem" in typed("sign", "--server", "desk.example", "--as", "desk")
    assert "district.receiver.pem" in typed("sign", "--receiver")
    request = tmp_path / "gw.csr"
    request.write_bytes(csr())
    pem = typed("sign", str(request))
    assert x509.load_pem_x509_certificate(pem.encode()).subject.rfc4514_string() == f"CN={OURS}"
    out = tmp_path / "gw.pem"
    assert OURS in typed("sign", str(request), "--gateway", OURS, "--out", str(out))
    assert x509.load_pem_x509_certificate(out.read_bytes()).serial_number
    rows = typed.listed()
    assert [row["kind"] for row in rows] == ["server", "server", "receiver", "gateway", "gateway"]
    assert {row["state"] for row in rows} == {"valid"}
    said = typed("revoke", OURS, "--reason", "stolen")
    assert said.count("revoked: ") == 2
    assert "restart it" in said
    assert {row["state"] for row in typed.listed() if row["name"] == OURS} == {"revoked"}
    assert "before" in typed("revoke", OURS, "--reason", "stolen")
    assert "crl.pem" in typed("crl")
    shown = typed("list")
    assert shown.count("revoked") == 2
    assert "broker.example" in shown


def test_renewing_changes_one_file_and_keeps_key_and_names(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it every second year the district's server would go silent, or be half renewed."""
    typed("sign", "--server", "broker.example", "10.0.0.5", "--as", "broker")
    typed("sign", "--receiver")
    before = {path.name: path.read_bytes() for path in typed.folder.iterdir()}
    at = datetime.now(UTC) + timedelta(days=800)
    monkeypatch.setattr(ca, "_now", lambda: at)
    assert [each.path.stem for each in soon(own(typed.folder), at)] == [
        "broker",
        "district.receiver",
    ]
    said = typed("renew")
    assert "restart mosquitto" in said
    after = {path.name: path.read_bytes() for path in typed.folder.iterdir()}
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"broker.pem", "district.receiver.pem", "register.db"}
    old, new = (x509.load_pem_x509_certificate(each["broker.pem"]) for each in (before, after))
    assert new.public_key() == old.public_key()
    assert new.not_valid_after_utc - old.not_valid_after_utc == timedelta(days=800)
    for kind in (x509.SubjectAlternativeName, x509.ExtendedKeyUsage):
        same = [each.extensions.get_extension_for_class(kind).value for each in (old, new)]
        assert same[0] == same[1]
    assert new.subject == old.subject
    assert soon(own(typed.folder), at) == []
    assert "broker.pem" in typed("renew", "broker")


def test_what_is_not_renewed(typed: Typed, tmp_path: Path) -> None:
    """Without it a revoked server would be trusted again, or a stranger's file be signed."""
    typed("sign", "--server", "broker.example", "--as", "broker")
    typed("revoke", "broker.example", "--reason", "stolen")
    other = Authority.init(tmp_path / "other", datetime.now(UTC), name="other")
    cert, _key = other.issue(Kind.SERVER, ["a.example"], datetime.now(UTC), file="a")
    (typed.folder / "strange.pem").write_bytes(cert.read_bytes())
    request = tmp_path / "gw.csr"
    request.write_bytes(csr())
    typed("sign", str(request), "--out", str(typed.folder / "gw.pem"))
    for name, why in (
        ("broker", "revoked"),
        ("strange", "no certificate of this authority"),
        ("gw", "renews itself"),
        ("none", "cannot be read"),
        ("../ca", "letters"),
        ("ca", "letters"),
    ):
        with pytest.raises(AuthorityError, match=why):
            typed("renew", name)


def test_a_code_is_shown_once(typed: Typed) -> None:
    """Without it somebody would look for it where it is not kept."""
    first, _, rest = typed("code", OURS).partition("\n")
    assert len(first.replace("-", "")) == 25
    assert OURS in rest
    document = json.loads(typed("code", OURS, "--json"))
    assert document.keys() == {"gateway", "code", "ends"}
    assert document["code"] != first


@pytest.mark.parametrize(
    "words",
    [
        ("sign",),
        ("sign", "a.csr", "--receiver"),
        ("revoke", OURS),
        ("revoke", OURS, "--reason", "because"),
        ("code",),
        (),
    ],
)
def test_half_a_command_is_refused(typed: Typed, words: tuple[str, ...]) -> None:
    """Without it a slip would sign or revoke something else."""
    with pytest.raises(SystemExit) as caught:
        typed(*words)
    assert caught.value.code == 2


def test_what_cannot_be_done_is_told(typed: Typed, tmp_path: Path) -> None:
    """Without it a person would read a traceback."""
    request = tmp_path / "gw.csr"
    request.write_bytes(csr(["qd-sn-0043"]))
    for words, why in (
        (("sign", str(tmp_path / "none.csr")), "cannot be read"),
        (("sign", str(request), "--gateway", OURS), "not for qd-sn-0042"),
        (("sign", "--server", "a.example", "--as", "../ca"), "--as takes"),
        (("sign", "--server", "a.example", "--as", "ca"), "--as takes"),
        (("code", "district.receiver"), "no gateway's id"),
        (("revoke", "nobody", "--reason", "lost"), "no name"),
    ):
        with pytest.raises(AuthorityError, match=why):
            typed(*words)
