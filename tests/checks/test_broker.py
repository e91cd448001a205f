"""The brokers, on a real mosquitto with the district's rules, and with rules that are wrong."""

import socket
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from checks.rig import FAIL, OK, SKIP, WARN, Rig, assert_says
from gatehouse.checks import broker
from gatehouse.checks.frame import Outcome, Result
from gatehouse.clock import SystemClock
from gatehouse.config.model import Broker, District
from gatehouse.uplink import probe
from gatehouse.uplink.timing import Timing
from gatehouse_sim.authority import Authority
from gatehouse_sim.broker import Broker as Mosquitto
from gatehouse_sim.identity import Identity
from sim.paho_gateway import PahoGateway, connected

OURS = "qd-sn-0042"
RECEIVER = "district.receiver"
RULES = (Path(__file__).parents[2] / "config/district/acl").read_text(encoding="utf-8")
NEVER_SYNCED = 0.2


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Make the district's authority."""
    return Authority.make(tmp_path_factory.mktemp("authority"), datetime.now(UTC))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for what must not come a little shorter than in the field."""
    monkeypatch.setattr(probe, "_SILENT_S", NEVER_SYNCED)


async def tried(
    port: int, identity: Identity | None, *, host: str = "127.0.0.1", gateway: str = OURS
) -> probe.Answer:
    """Try one broker."""
    scheme = "mqtts" if identity else "mqtt"
    there = Broker(f"{scheme}://{host}:{port}", host, port, identity is not None)
    ca, cert, key = (identity.ca, identity.cert, identity.key) if identity else (None,) * 3
    district = District((there,), ca=ca, cert=cert, key=key)
    timing = Timing(puback_s=5.0, resolve_s=5.0)
    (answer,) = await probe.brokers(gateway, district, SystemClock("boot"), timing)
    return answer


@pytest.fixture
async def mosquitto(tmp_path: Path, authority: Authority) -> AsyncIterator[Mosquitto]:
    """Start the district's broker with its own rules."""
    async with Mosquitto(tmp_path / "broker", authority.server()) as started:
        yield started


async def test_a_broker_that_is_right(mosquitto: Mosquitto, authority: Authority) -> None:
    """Beside the running gateway, which must neither be thrown out nor hear of it."""
    identity = authority.client(OURS)
    district = PahoGateway("receiver", authority.client(RECEIVER))
    assert await district.connect(mosquitto.url) == 0
    async with connected(mosquitto.url, OURS, identity) as gateway:
        await gateway.publish(f"gatehouse/v1/{OURS}/state", b"{}", retain=True)
        alone = await tried(mosquitto.port, identity)
        assert (alone.wrong, alone.heard, alone.judged) == (None, False, True)
        await district.subscribe("gatehouse/v1/+/up/#")
        answer = await tried(mosquitto.port, identity)
        assert (answer.wrong, answer.heard) == (None, True)
        assert answer.login_ms is not None
        assert await gateway.publish(f"gatehouse/v1/{OURS}/up/event", b"x") == 0
    await district.close()


@pytest.mark.parametrize(
    ("rules", "wrong"),
    [
        (RULES.replace("pattern write gatehouse/v1/%u/up/#", ""), "publish"),
        (RULES + "topic readwrite gatehouse/v1/#\n", "foreign"),
        (RULES + "\npattern read gatehouse/v1/+/up/#\n", "foreign-read"),
        (RULES + "\npattern read gatehouse/v1/+/state\n", "foreign-read"),
        (RULES + "\npattern write gatehouse/v1/+/up/#\n", "foreign-publish"),
    ],
)
async def test_rules_that_are_wrong(
    tmp_path: Path, authority: Authority, rules: str, wrong: str
) -> None:
    """A broker that lets one school speak for another looks well until it is misused."""
    if wrong == "foreign":
        rules = "pattern readwrite gatehouse/v1/#\n"
    identity = authority.client(OURS)
    async with Mosquitto(tmp_path / "broker", authority.server(), acl=rules) as started:
        gateway = PahoGateway(OURS, identity)
        assert await gateway.connect(started.url) == 0
        await gateway.publish(f"gatehouse/v1/{OURS}/state", b"{}", retain=True)
        await gateway.close()
        answer = await tried(started.port, identity)
    assert answer.wrong is not None
    assert answer.wrong.startswith(wrong), answer


async def test_certificates_that_are_wrong(
    mosquitto: Mosquitto, authority: Authority, tmp_path: Path
) -> None:
    """The district's authority did not sign it, or the files are gone."""
    strange = Authority.make(tmp_path / "strange", datetime.now(UTC)).client(OURS)
    theirs = await tried(mosquitto.port, strange)
    assert theirs.wrong == "tls"
    assert "another authority" in theirs.text
    ours = Identity(authority.ca, strange.cert, strange.key)
    assert (await tried(mosquitto.port, ours)).wrong == "tls"
    gone = Identity(authority.ca, tmp_path / "none.pem", tmp_path / "none.key")
    assert (await tried(mosquitto.port, gone)).wrong == "tls"


async def test_a_broker_that_is_not_there(
    mosquitto: Mosquitto, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name, or its port: two people to ask."""
    identity = authority.client(OURS)
    port = mosquitto.port
    await mosquitto.close()
    assert (await tried(port, identity)).wrong == "tcp"

    def nobody(_host: str) -> list[str]:
        raise OSError("Name or service not known")

    monkeypatch.setattr("gatehouse.uplink.probe.lookup", nobody)
    answer = await tried(port, identity, host="broker.invalid")
    assert answer.wrong == "name"
    assert "Name or service not known" in answer.text


async def test_a_broker_that_hangs(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen broker still accepts TCP."""
    monkeypatch.setattr(probe, "_ATTEMPT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        answer = await tried(port, authority.client(OURS))
    assert answer.wrong == "tcp"
    assert "in time" in answer.text


async def test_a_plain_broker_tells_nobody_apart(tmp_path: Path) -> None:
    """On this machine alone, and then it is said; elsewhere it is not even tried."""
    async with Mosquitto(tmp_path / "broker") as started:
        answer = await tried(started.port, None)
        assert (answer.wrong, answer.judged) == (None, False)
    assert (await tried(1, None, host="192.0.2.1")).wrong == "tls"


def answers(*given: dict[str, Any]) -> Sequence[probe.Answer]:
    """Return answers of brokers a, b and so on."""
    return [probe.Answer(f"mqtts://{'abc'[n]}:1", login_ms=7.4, **g) for n, g in enumerate(given)]


@pytest.mark.parametrize(
    ("given", "result", "words"),
    [
        ([{}], OK, ("mqtts://a:1: let in after 7 ms",)),
        ([{"heard": False}], WARN, ("nobody listens", "receiver")),
        ([{"judged": False}], WARN, ("without a certificate", "mqtts://")),
        ([{"wrong": "name", "text": "why"}], FAIL, ("mqtts://a:1: why", "name server")),
        ([{"wrong": "tcp", "text": "why"}], FAIL, ("firewall",)),
        ([{"wrong": "tls", "text": "why"}], FAIL, ("ca, cert and key",)),
        ([{"wrong": "login", "text": "why"}], FAIL, ("let this gateway in",)),
        ([{"wrong": "publish", "text": "why"}], FAIL, ("write up/#",)),
        ([{"wrong": "subscribe", "text": "why"}], FAIL, ("read down/#",)),
        ([{"wrong": "foreign-read", "text": "why"}], FAIL, ("hear others",)),
        ([{"wrong": "foreign-publish", "text": "why"}], FAIL, ("speak for others",)),
        ([{}, {"wrong": "tcp", "text": "why"}], WARN, ("mqtts://b:1: why", "firewall")),
        ([{"wrong": "tcp"}, {"wrong": "tcp"}], FAIL, ("firewall",)),
        ([{}, {"wrong": "foreign-read"}], FAIL, ("hear others",)),
    ],
)
async def test_what_is_said_of_it(
    rig: Rig, given: list[dict[str, Any]], result: Result, words: tuple[str, ...]
) -> None:
    """Each step has somebody else to mend it; a second broker that is away is not the end."""

    async def probed() -> Sequence[probe.Answer]:
        return answers(*given)

    outcome: Outcome = await rig.run(broker.CHECK, probe=probed)
    assert_says(outcome, result, *words)


async def test_without_a_probe_it_is_not_tried(rig: Rig) -> None:
    """The health of the gateway has the running connection itself."""
    assert_says(await rig.run(broker.CHECK), SKIP, "not tried")
