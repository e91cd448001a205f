"""Renewal on the gateway: when it asks, what it keeps, and when it begins to use it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest

from enrol.made import DAY, DUE, NOW, OURS, authority, gateway
from gatehouse import config
from gatehouse.config import pairs
from gatehouse.config.model import Config, District
from gatehouse.enrol import papers
from gatehouse.enrol.renewal import Outcome, Renewal, State
from gatehouse.errors import EnrolError
from gatehouse.uplink.probe import Answer
from gatehouse_district.ca import Authority
from gatehouse_district.ca import Renewal as Sent
from gatehouse_district.errors import AuthorityError

TEXT = """
[gateway]
id = "qd-sn-0042"
school = "实验小学"
state_dir = "{root}/state"

[[button]]
name = "gate"
location = "南门"
pin = 17

[district]
brokers = ["mqtts://a.example:8883"]
ca = "ca.pem"
cert = "gateway.pem"
key = "gateway.key"
enrol = "https://a.example:8443"
"""
TAKEN = Answer("a")
AWAY = Answer("a", "tcp", "no route")
REFUSED = Answer("a", "tls", "certificate revoked")


@dataclass
class Site:
    """A gateway and its district, without a network between them."""

    district: Authority
    conf: Config
    answers: Sequence[Answer] = (TAKEN,)
    asked: int = 0
    spoil: bytes | None = None
    tried: list[bytes] = field(default_factory=list)

    def renewal(
        self,
        ca: bytes,
        *,
        request: bytes,
        certificate: bytes,
        nonce: bytes,
        at_s: int,
        signature: bytes,
    ) -> bytes:
        """Sign, as the district's port does."""
        assert ca == self.district.pem
        self.asked += 1
        renewal = Sent(request, certificate, nonce, at_s, signature)
        made = self.district.renew(renewal, datetime.fromtimestamp(at_s, NOW.tzinfo))
        return self.spoil or made.pem

    async def probe(self, district: District) -> Sequence[Answer]:
        """Answer as brokers do."""
        assert district.cert is not None
        assert district.cert == district.key
        (pair,) = pairs.pairs(district)
        self.tried.append(pair.cert.read_bytes())
        return self.answers

    async def look(self, at: datetime, *, dates: bool = True) -> Outcome:
        """Take the look of one day."""
        return await Renewal(
            self.conf, now=at, dates=dates, random=os.urandom, probe=self.probe, desk=lambda: self
        ).run()

    @property
    def in_use(self) -> bytes:
        """The certificate file that the alarm service would take."""
        return next(pairs.pairs(self.conf.district)).cert.read_bytes()

    @property
    def waiting(self) -> list[Path]:
        """What waits to be tried."""
        return list((self.conf.gateway.state_dir / pairs.FOLDER).glob("*.waiting"))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Lend a gateway with a certificate of a year."""
    district = authority(tmp_path / "district")
    path = tmp_path / "gatehouse.toml"
    path.write_text(TEXT.format(root=tmp_path), encoding="utf-8")
    (tmp_path / "state").mkdir()
    key, cert = gateway(district)
    (tmp_path / "ca.pem").write_bytes(district.pem)
    (tmp_path / "gateway.pem").write_bytes(cert)
    (tmp_path / "gateway.key").write_bytes(key)
    return Site(district, config.read(path))


async def test_before_two_thirds_nobody_is_asked(site: Site) -> None:
    """Without it each gateway would have a new certificate a day."""
    outcome = await site.look(NOW + 240 * DAY)
    assert (outcome.state, site.asked, site.tried) == (State.NOT_DUE, 0, [])
    assert outcome.due is not None
    assert NOW + 243 * DAY <= outcome.due <= NOW + 244 * DAY


async def test_a_new_one_is_used_once_a_broker_has_taken_it(site: Site) -> None:
    """Without it a district's mistake would take all its schools off the line in one night."""
    before = site.in_use
    outcome = await site.look(DUE)
    assert outcome.state is State.RENEWED
    assert site.in_use == site.tried[0] != before
    assert papers.life(site.in_use)[1] == outcome.until
    assert site.waiting == []
    assert (await site.look(DUE + DAY)).state is State.NOT_DUE
    assert (site.conf.path.parent / "gateway.pem").read_bytes() == before
    second = await site.look(DUE + 250 * DAY)  # by the renewed one
    assert second.state is State.RENEWED
    assert site.in_use == site.tried[1] != site.tried[0]
    assert len(list((site.conf.gateway.state_dir / pairs.FOLDER).iterdir())) == 1


async def test_while_no_broker_is_there_it_waits(site: Site) -> None:
    """Without it an outage would lose it, or each day of one would ask for another."""
    before = site.in_use
    site.answers = (AWAY, replace(AWAY, wrong="name"))
    outcome = await site.look(DUE)
    assert (outcome.state, site.in_use) == (State.WAITING, before)
    assert "no route" in outcome.text
    assert [path.stat().st_mode & 0o777 for path in site.waiting] == [0o600]
    assert (await site.look(DUE + DAY)).state is State.WAITING
    site.answers = (AWAY, TAKEN)
    assert (await site.look(DUE + 2 * DAY)).state is State.RENEWED
    assert (site.asked, site.waiting) == (1, [])
    assert site.in_use == site.tried[-1] == site.tried[0]


async def test_one_that_is_refused_is_thrown_away(site: Site) -> None:
    """Without it a gateway would try the same bad one for ever, or go on with it."""
    before = site.in_use
    site.answers = (AWAY, REFUSED)
    outcome = await site.look(DUE)
    assert (outcome.state, site.in_use, site.waiting) == (State.REFUSED, before, [])
    assert outcome.text == "a: certificate revoked"
    site.answers = (TAKEN,)
    assert (await site.look(DUE + DAY)).state is State.RENEWED
    assert site.asked == 2


async def test_a_damaged_waiting_one_is_asked_for_again(site: Site) -> None:
    """Without it a half-written file would be the end of renewing."""
    site.answers = (AWAY,)
    await site.look(DUE)
    site.waiting[0].write_bytes(site.waiting[0].read_bytes()[:300])
    site.answers = (TAKEN,)
    assert (await site.look(DUE + DAY)).state is State.RENEWED
    assert site.asked == 2


async def test_what_the_district_sends_must_fit(site: Site, tmp_path: Path) -> None:
    """Without it a mistake there would be installed here."""
    before = site.in_use
    for spoil in (gateway(site.district)[1], gateway(authority(tmp_path / "o"))[1], b"rubbish"):
        site.spoil = spoil
        with pytest.raises(EnrolError):
            await site.look(DUE)
        assert (site.in_use, site.waiting, site.tried) == (before, [], [])


async def test_a_refusal_changes_nothing(site: Site) -> None:
    """Without it a revoked gateway could end up without even its old certificate."""
    before = site.in_use
    site.district.revoke(OURS, NOW, "stolen")
    with pytest.raises(AuthorityError, match="revoked"):
        await site.look(DUE)
    assert (site.in_use, site.waiting) == (before, [])


async def test_an_expired_one_still_renews_for_a_month(site: Site) -> None:
    """Without it a summer without power would mean a visit to each school."""
    assert (await site.look(NOW + 390 * DAY)).state is State.RENEWED


async def test_a_clock_that_no_server_sets_is_good_enough_if_it_is_right(site: Site) -> None:
    """Without it a school whose network has no time server would be off the line after a year."""
    assert (await site.look(DUE, dates=False)).state is State.RENEWED


async def test_without_a_certificate_it_says_which_file(site: Site) -> None:
    """Without it somebody would look for a network fault."""
    (site.conf.path.parent / "gateway.pem").unlink()
    with pytest.raises(EnrolError, match=r"gateway\.pem"):
        await site.look(DUE)
