"""Which of the district's certificates end soon, as service and commands find them."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gatehouse_district.ca import Authority, Kind
from gatehouse_district.config import read
from gatehouse_district.serve.certificates import Watch, ending, told

LIMIT_S = 30.0
CONFIG = """
[district]
name = "实验区"
state_dir = "state"

[broker]
url = "mqtt://127.0.0.1:1883"

[desk]
cert = "ca/desk.pem"
key = "ca/desk.key"

[ca]
dir = "ca"
"""


async def test_what_ends_within_a_month_is_told_and_nothing_else(tmp_path: Path) -> None:
    """Without it the first sign of an old certificate would be a district that hears nothing."""
    (tmp_path / "district.toml").write_text(CONFIG, encoding="utf-8")
    config = read(tmp_path / "district.toml")
    now = datetime.now(UTC)
    assert ending(config, now) == []
    old = Authority.init(tmp_path / "ca", now - timedelta(days=800), name="district")
    old.issue(Kind.SERVER, ["broker.example"], now, file="broker")
    old.issue(Kind.SERVER, ["desk.example"], now - timedelta(days=800), file="desk")
    (found,) = ending(config, now)
    assert found.path == tmp_path / "ca" / "desk.pem"
    watch = Watch(config, lambda: None)
    task = asyncio.create_task(watch.run(lambda: None))
    async with asyncio.timeout(LIMIT_S):
        while not watch.said():  # noqa: ASYNC110  # it looks in a thread
            await asyncio.sleep(0.01)
    (said,) = watch.said()
    assert "desk.pem" in said
    assert "ca renew" in said
    task.cancel()
    old.reissue("desk", now)
    assert ending(config, now) == []


def test_a_certificate_that_nobody_here_can_read_is_left_out(tmp_path: Path) -> None:
    """Without it one odd file in the folder would end the service, and again at each start."""
    (tmp_path / "district.toml").write_text(CONFIG, encoding="utf-8")
    now = datetime.now(UTC)
    made = Authority.init(tmp_path / "ca", now, name="district")
    cert, _key = made.issue(Kind.SERVER, ["desk.example"], now - timedelta(days=810), file="desk")
    config = read(tmp_path / "district.toml")
    assert len(ending(config, now)) == 1
    der = x509.load_pem_x509_certificate(cert.read_bytes()).public_bytes(Encoding.DER)
    odd = base64.encodebytes(der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x04", 1))
    cert.write_bytes(b"-----BEGIN CERTIFICATE-----\n%b-----END CERTIFICATE-----\n" % odd)
    assert ending(config, now) == []


def test_what_our_authority_did_not_make_is_not_to_be_renewed_by_it(tmp_path: Path) -> None:
    """Without it a district with an authority of its own would be told to type what cannot work."""
    (tmp_path / "district.toml").write_text(
        CONFIG.replace("ca/desk", "desk").partition("[ca]")[0], encoding="utf-8"
    )
    now = datetime.now(UTC)
    made = Authority.init(tmp_path, now, name="its own")
    made.issue(Kind.SERVER, ["desk.example"], now - timedelta(days=810), file="desk")
    config = read(tmp_path / "district.toml")
    (found,) = ending(config, now)
    assert "ca renew" not in told(found, config)
    assert "desk.pem" in told(found, config)


def test_a_broker_that_still_uses_the_old_one_is_told_of(tmp_path: Path) -> None:
    """Without it who renews and forgets the broker's copy would be told that all is well."""
    (tmp_path / "district.toml").write_text(CONFIG, encoding="utf-8")
    now_s = int(datetime.now(UTC).timestamp())
    for ends_s, lines in ((None, 0), (now_s + 40 * 86_400, 0), (now_s + 20 * 86_400, 1)):
        said = Watch(read(tmp_path / "district.toml"), lambda ends_s=ends_s: ends_s).said()  # type: ignore[misc]  # bound now
        assert len(said) == lines
