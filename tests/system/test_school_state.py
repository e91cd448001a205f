"""Birth, orderly farewell and last will: what the district believes of a school that is silent."""

import json
from datetime import datetime
from typing import Any

from gatehouse import __version__
from gatehouse_district.receiver.heard import State
from gatehouse_sim.school import DISTRICT_NAME, GATEWAY, School
from sim.paho_gateway import PahoGateway
from system.seen import LIMIT_S, TAMPER, at_rest, set_pin, told

BIRTH = {
    *("online", "store", "start", "connection", "bootid", "version", "started"),
    *("buttons", "cameras", "faults", "school", "heartbeat_s", "locations"),
}
OFFLINE = {"online", "store", "start", "connection"}


async def state(school: School, count: int) -> State:
    """Wait until the gateway or its will has said so many states; return the newest."""

    def fresh() -> list[State]:  # a broker that restarts tells the one that it has kept again
        return [each for each in school.district.states if not each.retained]

    states = await school.district.wait_for(
        lambda _: fresh() if len(fresh()) >= count else None, timeout_s=LIMIT_S
    )
    return states[-1]


async def retained(school: School) -> dict[str, Any]:
    """Ask the broker, as one who comes later, what it keeps of the gateway's state."""
    late = PahoGateway("late", school.authority.client(DISTRICT_NAME, file="late"))
    assert await late.connect(school.broker.url) == 0
    await late.subscribe(f"gatehouse/v1/{GATEWAY}/state")
    message = await late.next()
    await late.close()
    assert message.retain
    body: dict[str, Any] = json.loads(message.payload)
    return body


async def test_birth_has_every_field_and_is_retained(school: School) -> None:
    """Without it a district that comes later would not know what hangs on this gateway."""
    status = await school.agent.status()
    (first,) = await told(school, "gateway.started")
    birth = (await state(school, 1)).body
    assert set(birth) == BIRTH
    assert birth["online"] is True
    assert birth["store"] == first.event.store
    assert (birth["start"], birth["connection"]) == (1, 1)
    assert birth["bootid"] == status["bootid"]
    assert birth["version"] == __version__
    assert birth["started"] == status["started"]
    assert datetime.fromisoformat(birth["started"]).tzinfo is not None
    assert birth["buttons"] == ["gate", "office", "hall"]
    assert birth["cameras"] == []
    assert birth["faults"] == []
    assert await retained(school) == birth


async def test_birth_names_the_faults_and_an_older_will_its_own_connection(
    school: School,
) -> None:
    """Without it a district would take a faulty school for a sound one, or a living one for dead.

    A broker that is restarted says the wills of all its connections, some of them late.
    """
    set_pin(school, TAMPER, 1)
    await told(school, "tamper.opened")
    await school.broker.restart()
    birth = await school.district.wait_for(
        lambda d: next((s.body for s in d.states if s.online and s.body["connection"] == 2), None)
    )
    (fault,) = birth["faults"]
    assert (fault["subject"], fault["fault"]) == ("gateway", "tamper")
    wills = [state.body for state in school.district.states if not state.online]
    assert wills
    for will in wills:
        assert set(will) == OFFLINE
        assert (will["start"], will["connection"]) == (1, 1)


async def test_orderly_stop_says_so_itself(school: School) -> None:
    """Without it each planned restart would look like a gateway that died."""
    birth = (await state(school, 1)).body
    await school.agent.stop()
    offline = (await state(school, 2)).body
    assert set(offline) == OFFLINE
    assert offline == {key: birth[key] for key in OFFLINE} | {"online": False}
    assert await retained(school) == offline
    assert await told(school, "gateway.stopped")
    assert "the will" not in school.broker.log
    await school.agent.start()
    again = (await state(school, 3)).body
    assert (again["online"], again["start"], again["connection"]) == (True, 2, 1)


async def test_last_will_is_said_after_its_delay_and_belongs_to_its_connection(
    school: School,
) -> None:
    """Without it a gateway that was stolen would stay online, or one that is back go offline."""
    await school.agent.kill()
    await school.agent.start()  # back within the delay: the broker keeps the will to itself
    birth = (await state(school, 2)).body
    assert (birth["online"], birth["start"]) == (True, 2)
    await at_rest(school)

    await school.agent.kill()
    will = await state(school, 3)
    assert will.body == {key: birth[key] for key in OFFLINE} | {"online": False}
    assert await retained(school) == will.body
    await school.agent.start()
    back = (await state(school, 4)).body
    assert (back["online"], back["start"], back["connection"]) == (True, 3, 1)
    assert (back["start"], back["connection"]) > (will.body["start"], will.body["connection"])
    assert len(school.district.states) == 4
