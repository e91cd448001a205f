"""A whole school on a real broker: renewed while the alarm service runs, revoked, and expired."""

from datetime import timedelta
from pathlib import Path

from enrol.port import port
from gatehouse import clock
from gatehouse.uplink import probe
from gatehouse_district.ca import Span
from gatehouse_sim.authority import EXPIRED
from gatehouse_sim.school import GATEWAY, School, opened
from system.seen import (
    PLAN,
    RED,
    RELAY,
    Said,
    at_rest,
    blinking,
    gatehouse,
    lit,
    press,
    pressed,
    stage,
)

DUE = Span(timedelta(days=-25), timedelta(days=5))
"""Two thirds of it are over."""


async def renew(school: School, url: str, *words: str) -> Said:
    """Type the command of the timer, by the school's clock."""
    clock = {"GATEHOUSE_CLOCK": "gatehouse_sim", "GATEHOUSE_SIM_CLOCK": str(school.place.clock)}
    return await gatehouse(school, "enrol", "--renew", "--at", url, *words, **clock)


async def again(school: School) -> None:
    """Restart the broker with the newest list of revocations, which throws everybody out."""
    await school.broker.restart()


async def test_renewed_while_it_runs_then_revoked(school_root: Path) -> None:
    """Without it a gateway needs a visit each year, or a restart; or a thief goes on as the school.

    What a broker (mosquitto 2.0.11) does is seen here too: a new list is read at SIGHUP, and who is
    connected stays so until the connection ends.
    """
    async with opened(school_root, PLAN, agent=False) as school:
        district, old = school.authority.real, school.authority.client(GATEWAY, span=DUE)
        first = district.entries()[-1]
        async with port(district, school.authority.server()) as there:
            await school.agent.start()
            await at_rest(school)
            said = await renew(school, there.url, "--json")
        assert (said.code, said.err) == (0, "")
        assert said.json["state"] == "renewed"
        before = old.cert.read_bytes()

        district.revoke(f"{first.serial:x}", school.authority.moment, "replaced")
        await again(school)
        await pressed(school)  # and received: by the new one, without a restart
        assert old.cert.read_bytes() == before
        shown = await gatehouse(school, "selftest", "--only", "certificates", "--json")
        assert "29" in shown.json["checks"][0]["figure"]  # days left, as long as the authority has

        district.revoke(GATEWAY, school.authority.moment, "stolen")
        await school.broker.reload()
        await pressed(school)  # who is connected stays so
        (anew,) = await probe.brokers(GATEWAY, school.config.district, clock.SystemClock())
        assert anew.wrong == "tls"  # and who comes anew is refused
        await again(school)
        status = await school.agent.wait_for(
            lambda s: any(fault["fault"] == "certificate" for fault in s["faults"])
        )
        (fault,) = (each for each in status["faults"] if each["fault"] == "certificate")
        assert "refused our certificate" in fault["text"]
        assert "REVOKED" in fault["text"].upper()


async def test_an_expired_certificate_never_hinders_the_alarm_on_site(school_root: Path) -> None:
    """Without it a date in a file would decide whether a guard's lamp answers."""
    async with opened(school_root, PLAN, agent=False) as school:
        school.authority.client(GATEWAY, span=EXPIRED)
        await school.agent.start()
        press(school)
        row = await stage(school, "stored", line="normal")
        assert await school.lamp(blinking(3.0), RED)
        assert await school.lamp(lit, RELAY)
        status = await school.agent.wait_for(
            lambda s: any(fault["fault"] == "certificate" for fault in s["faults"])
        )
        assert status["outbox"]["pending_alarms"] == 1
        async with port(school.authority.real, school.authority.server()) as there:
            said = await renew(school, there.url)
        assert (said.code, said.err) == (0, "")
        press(school)  # hurries the link
        await stage(school, "received", line="normal")
        assert school.district.record(row["last_alarm"]) is not None
