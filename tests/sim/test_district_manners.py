"""The simulated district's bad manners: they are the ones asked for, and they end."""

from pathlib import Path

from gatehouse import events
from gatehouse_sim.broker import Broker
from gatehouse_sim.district import MALFORMED, District, Manners
from sim.district_file import stored
from sim.paho_gateway import PahoGateway, Writer, connected

GW = "gw-1"
ALARM = f"gatehouse/v1/{GW}/up/alarm"
NOBODY_LISTENS = 0x10


async def test_refusing_it_stores_and_sends_no_receipt(
    district: District, gateway: PahoGateway
) -> None:
    """Without it resending could not be tested."""
    writer = Writer(GW)
    first, second = writer.write(), writer.write()
    district.manners = Manners(receipts=False)
    assert await gateway.publish(ALARM, events.encode(first)) == 0
    await district.wait_for(lambda d: d.deliveries(first.id))
    district.manners = Manners()
    await gateway.publish(ALARM, events.encode(second))
    assert await gateway.receipted(1) == [second.id]
    assert district.receipted[first.id] == 0


async def test_receipts_can_be_late_doubled_and_full_of_strangers(
    district: District, gateway: PahoGateway
) -> None:
    """Without it a gateway that trusts the order or the number of receipts would pass."""
    writer = Writer(GW)
    first, second = writer.write(), writer.write()
    district.manners = Manners(delay_s=3600)
    await gateway.publish(ALARM, events.encode(first))
    await district.wait_for(lambda d: d.deliveries(first.id))
    district.manners = Manners(copies=2, unknown=1)
    await gateway.publish(ALARM, events.encode(second))
    ids = await gateway.receipted(4)
    district.hurry()
    ids += await gateway.receipted(2)
    assert ids[0] == ids[2] == second.id
    assert ids[1] == ids[3]
    assert ids[4:] == [first.id, ids[5]]
    assert not {ids[1], ids[5]} & {first.id, second.id}


async def test_malformed_receipts_come_before_the_true_one(
    district: District, gateway: PahoGateway
) -> None:
    """Without it a gateway that stumbles over nonsense would pass."""
    district.manners = Manners(malformed=True)
    event = Writer(GW).write()
    await gateway.publish(ALARM, events.encode(event))
    for nonsense in MALFORMED:
        assert (await gateway.next()).payload == nonsense
    assert await gateway.receipted(1) == [event.id]


async def test_what_it_forgets_it_lacks_and_takes_again(
    district: District, gateway: PahoGateway, tmp_path: Path
) -> None:
    """Without it a district restored from a backup could not be tested."""
    writer = Writer(GW)
    first, second = writer.write(), writer.write()
    for event in (first, second):
        await gateway.publish(ALARM, events.encode(event))
    await gateway.receipted(2)
    await district.forget([first.id, "never seen"])
    assert district.missing(GW) == [first.sequence]
    assert stored(tmp_path / "district.db") == [events.encode(second)]
    await gateway.publish(ALARM, events.encode(first))
    assert await gateway.receipted(1) == [first.id]
    assert district.missing(GW) == []


async def test_away_with_its_session_it_finds_what_came(
    district: District, gateway: PahoGateway
) -> None:
    """Without it a receiver's restart would look like a loss."""
    writer = Writer(GW)
    for goodbye in (True, False):
        event = writer.write()
        await district.go_away(goodbye=goodbye)
        assert await gateway.publish(ALARM, events.encode(event)) == 0
        await district.come_back()
        while await gateway.receipted(1) != [event.id]:
            pass  # the receipt before, once more: it broke off before the broker took it


async def test_away_without_its_session_nobody_listens(
    district: District, gateway: PahoGateway
) -> None:
    """Without it PUBACK 0x10 could not be brought about."""
    event = Writer(GW).write()
    await district.go_away(keep=False)
    assert await gateway.publish(ALARM, events.encode(event)) == NOBODY_LISTENS
    await district.come_back()
    await district.session.unsubscribe()
    assert await gateway.publish(ALARM, events.encode(event)) == NOBODY_LISTENS
    await district.session.subscribe()
    assert await gateway.publish(ALARM, events.encode(event)) == 0
    assert await gateway.receipted(1) == [event.id]


async def test_coming_back_clean_it_has_lost_what_waited(
    district: District, gateway: PahoGateway
) -> None:
    """Without it a gateway that trusts the broker's queue would pass."""
    writer = Writer(GW)
    lost, kept = writer.write(), writer.write()
    await district.go_away()
    assert await gateway.publish(ALARM, events.encode(lost)) == 0
    await district.come_back(clean=True)
    await gateway.publish(ALARM, events.encode(kept))
    assert await gateway.receipted(1) == [kept.id]
    assert district.missing(GW) == [lost.sequence]


async def test_it_comes_back_when_the_broker_does(broker: Broker, district: District) -> None:
    """Without it every test with a broken broker would need to tend the district too."""
    await broker.kill()
    await district.wait_for(lambda d: not d.session.subscribed)
    await broker.start()
    await district.wait_for(lambda d: d.session.subscribed)
    async with connected(broker.url, GW) as gateway:
        event = Writer(GW).write()
        assert await gateway.publish(ALARM, events.encode(event)) == 0
        assert await gateway.receipted(1) == [event.id]


async def test_it_can_leave_a_frozen_broker(broker: Broker, tmp_path: Path) -> None:
    """Without it a test that fails while the broker is frozen would never end."""
    async with District(broker.url, tmp_path / "district.db") as district:
        broker.freeze()
    assert not district.session.subscribed
    broker.thaw()
