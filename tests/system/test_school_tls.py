"""Certificates that do not fit: a clear fault, and the alarm on site unharmed."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatehouse_sim.authority import EXPIRED, Authority
from gatehouse_sim.school import GATEWAY, School, opened
from system.seen import PLAN, RED, RELAY, at_rest, blinking, gatehouse, lit, press, stage, told


def wrong_authority(school: School) -> None:
    """Let the gateway trust somebody else."""
    other = Authority.make(school.place.root / "other", datetime.now(UTC))
    shutil.copy(other.ca, school.place.root / "ca.pem")


def foreign_certificate(school: School) -> None:
    """Give the gateway a certificate that another authority made."""
    other = Authority.make(school.place.root / "other", datetime.now(UTC)).client(GATEWAY)
    shutil.copy(other.cert, school.place.root / f"{GATEWAY}.pem")
    shutil.copy(other.key, school.place.root / f"{GATEWAY}.key")


def expired_certificate(school: School) -> None:
    """Give the gateway a certificate of the past."""
    school.authority.client(GATEWAY, span=EXPIRED)


def missing_key(school: School) -> None:
    """Lose the gateway's key."""
    (school.place.root / f"{GATEWAY}.key").unlink()


async def unharmed(school: School) -> str:
    """Press and see that lamp, relay and disk do their part; return the alarm's id."""
    press(school)
    row = await stage(school, "stored", line="normal")
    assert await school.lamp(blinking(3.0), RED)
    assert await school.lamp(lit, RELAY)
    alarm: str = row["last_alarm"]
    return alarm


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (wrong_authority, "another authority"),
        (foreign_certificate, "refused our certificate"),
        (expired_certificate, "refused our certificate"),
        (missing_key, "cannot read the certificates"),
    ],
)
async def test_refused_with_a_fault_that_says_what_to_do(
    school_root: Path, spoil: Callable[[School], None], words: str
) -> None:
    """Without it a certificate of the wrong school would look like a network that is down."""
    async with opened(school_root, PLAN, agent=False) as school:
        spoil(school)
        await school.agent.start()
        status = await school.agent.wait_for(
            lambda s: any(f["fault"] == "certificate" for f in s["faults"])
        )
        (fault,) = status["faults"]
        assert words in fault["text"]
        assert fault["broker"] == school.broker.url
        shown = await gatehouse(school, "status")
        assert words.split(maxsplit=1)[0] in shown.out
        alarm = await unharmed(school)
        assert school.district.events() == []

        shutil.copy(school.brokers[0].folder / "etc" / "ca.pem", school.place.root / "ca.pem")
        school.authority.client(GATEWAY)
        press(school)  # hurries the link, which may be sitting out a pause
        await stage(school, "received", line="normal")
        assert (await at_rest(school))["faults"] == []
        assert school.district.record(alarm) is not None
        (begun,) = await told(school, "gateway.fault", fault="certificate")
        assert words in begun.event.data["text"]
        await told(school, "gateway.restored", fault="certificate")


async def test_fault_that_was_mended_while_the_agent_was_down_ends(school_root: Path) -> None:
    """Without it a fault of the line would stand for ever once the agent was restarted in it."""
    async with opened(school_root, PLAN, agent=False) as school:
        school.authority.client(GATEWAY, span=EXPIRED)
        await school.agent.start()
        await school.agent.wait_for(lambda s: bool(s["faults"]))
        await school.agent.stop()
        school.authority.client(GATEWAY)
        await school.agent.start()
        assert (await at_rest(school))["faults"] == []
        await told(school, "gateway.restored", fault="certificate")


async def test_gateway_under_a_foreign_name_gets_nothing_through(school_root: Path) -> None:
    """Without it one school's stolen certificate could speak for every other school."""
    async with opened(school_root, PLAN, agent=False) as school:
        district = f'brokers = ["{school.broker.url}"]\nca = "ca.pem"\n'
        files = f'cert = "{GATEWAY}.pem"\nkey = "{GATEWAY}.key"\n'
        gateway = school.place.config.read_text(encoding="utf-8").partition("[[button]]")[0]
        school.write_config(
            gateway=gateway.replace(GATEWAY, "qd-sn-0043"),
            district=f"[district]\n{district}{files}",
        )
        await school.agent.start()
        status = await school.agent.wait_for(
            lambda s: any(f["fault"] == "publish-refused" for f in s["faults"])
        )
        text = next(f["text"] for f in status["faults"] if f["fault"] == "publish-refused")
        assert "Not authorized" in text
        await unharmed(school)
        school.district.command("qd-sn-0043", {"id": "x", "expires": 0, "command": "selftest"})
        status = await school.agent.wait_for(lambda s: s["outbox"]["pending_alarms"] == 1)
        assert school.district.events() == []
        assert school.district.states == []
        assert school.district.replies == []
