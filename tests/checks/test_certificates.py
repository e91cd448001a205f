"""Certificates: dates, name, key and purpose, each as it is wrong in the field."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from checks.rig import FAIL, OK, SKIP, WARN, Rig, assert_says
from gatehouse.checks import certificates
from gatehouse.checks.frame import Outcome, Result
from gatehouse_sim.authority import EXPIRED, NOT_YET, Authority, Span

TLS = """
[gateway]
id = "qd-sn-0042"
school = "实验小学"
state_dir = "{root}/state"
runtime_dir = "{root}/run"
[[button]]
name = "gate"
location = "南门"
pin = 17
[district]
brokers = ["mqtts://127.0.0.1:1"]
ca = "ca.pem"
cert = "qd-sn-0042.pem"
key = "qd-sn-0042.key"
"""
OURS = "qd-sn-0042"
NOW = datetime.now(UTC)
HALF_A_DAY = timedelta(hours=12)


@pytest.fixture
def authority(rig: Rig) -> Authority:
    """Make an authority whose own certificate lasts 30 days and a half: no finding yet."""
    rig.text = TLS
    rig.clock.unix_s = (NOW - HALF_A_DAY).timestamp()
    return Authority.make(rig.folder, NOW)


def lasting(days: float) -> Span:
    """Be valid for so many days more by the clock of these tests."""
    return Span(timedelta(days=-30), timedelta(days=days, minutes=5) - HALF_A_DAY)


async def look(rig: Rig, **more: object) -> Outcome:
    """Run the check with a key that is ours alone."""
    key = rig.folder / f"{OURS}.key"
    if key.exists():
        key.chmod(0o600)
    return await rig.run(certificates.CHECK, **more)


@pytest.mark.parametrize(
    ("days", "result", "words", "fault"),
    [
        (30, OK, ("30 days left",), ""),  # as long as the authority of these tests
        (29, WARN, ("29 days left", "renew"), ""),
        (14, WARN, ("14 days left", "renew"), certificates.EXPIRES),
        (0, FAIL, ("0 days left", "renew"), certificates.EXPIRES),
        (-2, FAIL, ("expired", "renew"), certificates.EXPIRES),
    ],
)
async def test_days_left(
    rig: Rig, authority: Authority, days: int, result: Result, words: tuple[str, ...], fault: str
) -> None:
    """An expired certificate silences a whole school, on a day that was known for years."""
    authority.client(OURS, span=lasting(days))
    outcome = await look(rig)
    assert_says(outcome, result, *words)
    assert {f.fault for f in outcome.findings if f.fault} == ({fault} if fault else set())


async def test_the_name_is_the_gateways(rig: Rig, authority: Authority) -> None:
    """The broker's rules go by it: another name may write nothing."""
    authority.client("another-school", file=OURS, span=lasting(100))
    assert_says(await look(rig), FAIL, "another-school", "get one for qd-sn-0042")


async def test_the_key_is_the_certificates(rig: Rig, authority: Authority) -> None:
    """Two files copied from two places."""
    authority.client(OURS, span=lasting(100))
    other = authority.client("other", span=lasting(100))
    (rig.folder / f"{OURS}.key").write_bytes(other.key.read_bytes())
    assert_says(await look(rig), FAIL, "does not belong to", "both together")


async def test_a_servers_certificate_is_no_clients(rig: Rig, authority: Authority) -> None:
    """The broker would refuse it, with a word that nobody understands."""
    authority.server([OURS], file=OURS, span=lasting(100))
    assert_says(await look(rig), FAIL, "cannot be used", "both together")


async def test_not_valid_yet(rig: Rig, authority: Authority) -> None:
    """A clock in the past, or a certificate of tomorrow."""
    authority.client(OURS, span=lasting(100))
    rig.clock.unix_s -= 3600 * 24 * 365
    assert_says(await look(rig), FAIL, "not valid yet", "look at the clock")


async def test_dates_by_an_unset_clock(rig: Rig, authority: Authority) -> None:
    """They mean nothing, and must be no fault."""
    authority.client(OURS, span=lasting(5))
    rig.clock.by_server = False
    outcome = await look(rig)
    assert_says(outcome, WARN, "a clock that is not set", "set the clock first")
    assert not [f for f in outcome.findings if f.fault]


async def test_the_authoritys_own_days_count(rig: Rig, authority: Authority) -> None:
    """When it ends nobody's certificate is worth anything."""
    authority.client(OURS, span=lasting(100))
    rig.clock.unix_s = (NOW + timedelta(days=19.5)).timestamp()
    assert_says(await look(rig), WARN, "the authority's certificate: 10 days left", "renew")


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        (f"{OURS}.pem", None, ("No such file", "put the file there")),
        ("ca.pem", None, ("No such file", "put the file there")),
        (f"{OURS}.pem", b"no certificate", ("cannot be used", "both together")),
        (f"{OURS}.key", b"no key", ("cannot be used", "both together")),
        ("ca.pem", b"nothing", ("ca.pem cannot be used", "get ca.pem")),
    ],
)
async def test_files_that_cannot_be_used(
    rig: Rig, authority: Authority, file: str, content: bytes | None, words: tuple[str, ...]
) -> None:
    """A copy that was cut short, or a file that was forgotten."""
    authority.client(OURS, span=lasting(100))
    path = rig.folder / file
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert_says(await look(rig), FAIL, *words)


async def test_a_key_that_everybody_reads(rig: Rig, authority: Authority) -> None:
    """Whoever has it speaks for the school."""
    authority.client(OURS, span=lasting(100))
    (rig.folder / f"{OURS}.key").chmod(0o644)
    assert_says(await rig.run(certificates.CHECK), WARN, "by everybody", "chmod o=")


async def test_whoever_may_not_read_is_told_to_use_sudo(
    rig: Rig, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is for the service alone: that is right so."""
    authority.client(OURS, span=lasting(100))
    given = Path.open

    def refuse(path: Path, *args: object, **kwargs: object) -> object:
        if path.suffix == ".key":
            raise PermissionError(13, "Permission denied")
        opened: Callable[..., object] = given
        return opened(path, *args, **kwargs)

    context = rig.context()
    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    (found,) = certificates._look(context)
    assert found.result is SKIP
    assert "use sudo" in str(found.figure)


async def test_without_tls_there_is_nothing_to_look_at(rig: Rig) -> None:
    """A loopback broker needs none."""
    assert_says(await rig.run(certificates.CHECK), SKIP, "no broker speaks TLS")


def test_spans_of_the_stand_in_are_what_they_say(rig: Rig) -> None:
    """The dates are read from the certificate itself, not from what made it."""
    authority = Authority.make(rig.folder, NOW)
    for span in (EXPIRED, NOT_YET):
        made = authority.client(OURS, span=span)
        read = certificates.read(made.cert, made.key)
        ends = certificates._seconds(read, "notAfter")
        assert abs(ends - (NOW + span.ends).timestamp()) < 2
