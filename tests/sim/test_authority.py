"""The throwaway authority: what it signs is accepted, what tests want refused is refused."""

import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from gatehouse_sim.authority import EXPIRED, NOT_YET, Authority
from gatehouse_sim.identity import Identity

NOW = datetime.now(UTC)


def shake(server: Identity, client: Identity, name: str = "localhost") -> str | None:
    """Shake hands in memory, as strictly as newer Pythons do; return the client's name."""
    here = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=server.ca)
    here.verify_mode = ssl.CERT_REQUIRED
    here.load_cert_chain(server.cert, server.key)
    there = ssl.create_default_context(cafile=client.ca)
    there.load_cert_chain(client.cert, client.key)
    for context in (here, there):
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = here.wrap_bio(up, down, server_side=True)
    asking = there.wrap_bio(down, up, server_hostname=name)
    for _ in range(4):
        for side in (asking, serving):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    shown = serving.getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(shown).subject.rfc4514_string() if shown else None


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_both_sides_accept_each_other(tmp_path: Path, name: str) -> None:
    """Without it no school could be simulated over TLS, by name or by address."""
    authority = Authority.make(tmp_path, NOW)
    assert shake(authority.server(), authority.client("qd-sn-0042"), name) == "CN=qd-sn-0042"


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("expired server", "expired"),
        ("early server", "not yet valid"),
        ("expired client", "expired"),
        ("early client", "not yet valid"),
        ("server of another authority", "unable to get local issuer|self.signed|signature"),
        ("client of another authority", "unable to get local issuer|self.signed|signature"),
        ("server of another name", "mismatch"),
        ("client as server", "purpose"),
    ],
)
def test_what_is_to_be_refused_is(tmp_path: Path, who: str, why: str) -> None:
    """Without it a test could believe in a refusal that never had a cause."""
    ours, theirs = Authority.make(tmp_path / "a", NOW), Authority.make(tmp_path / "b", NOW)
    server, client = ours.server(), ours.client("gateway")
    foreign_server, foreign_client = theirs.server(), theirs.client("gateway")
    servers = {
        "expired server": ours.server(file="old", span=EXPIRED),
        "early server": ours.server(file="early", span=NOT_YET),
        "server of another authority": Identity(ours.ca, foreign_server.cert, foreign_server.key),
        "server of another name": ours.server(["elsewhere.example"], file="other"),
        "client as server": client,
    }
    clients = {
        "expired client": ours.client("gateway", file="old-gw", span=EXPIRED),
        "early client": ours.client("gateway", file="early-gw", span=NOT_YET),
        "client of another authority": Identity(ours.ca, foreign_client.cert, foreign_client.key),
    }
    with pytest.raises(ssl.SSLError, match=f"(?i){why}"):
        shake(servers.get(who, server), clients.get(who, client))


def test_the_moment_is_the_one_handed_in(tmp_path: Path) -> None:
    """Without it a school in a simulated year could not have certificates of that year."""
    authority = Authority.make(tmp_path, NOW + timedelta(days=365))
    with pytest.raises(ssl.SSLError, match="not yet valid"):
        shake(authority.server(), authority.client("gateway"))


def test_only_the_owner_reads_the_files(tmp_path: Path) -> None:
    """Without it a second run, or a loose umask, could leave keys that everybody reads."""
    authority = Authority.make(tmp_path, NOW)
    authority.client("district.receiver")
    again = authority.client("district.receiver")
    assert again.cert.name == "district.receiver.pem"
    assert again.key.name == "district.receiver.key"
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    secret = {"ca.key", "district.receiver.key", "register.db"}
    assert {name for name, mode in modes.items() if mode == 0o600} == secret


def test_a_missing_extra_is_named() -> None:
    """Without it a person without the extra would read about a module, not about what to do."""
    code = "import sys; sys.modules['cryptography'] = None; import gatehouse_sim.authority"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "ModuleNotFoundError" in ended.stderr
    assert "pip install 'gatehouse-agent[sim]'" in ended.stderr
