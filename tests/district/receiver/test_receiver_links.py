"""Links and answers of the receiver, what breaks, who is believed, and who is thrown out."""

import asyncio
import uuid
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from district.receiver.gateway_words import Desk, event
from district.receiver.test_receiver_file import Loop, record
from district.receiver.test_receiver_wire import until
from gatehouse import events
from gatehouse.uplink import frames
from gatehouse.uplink.frames import Incoming
from gatehouse_district.receiver.answering import Answers
from gatehouse_district.receiver.answers import Answer
from gatehouse_district.receiver.heard import Reply
from gatehouse_district.receiver.keeping import Kept
from gatehouse_district.receiver.link import Link
from gatehouse_district.receiver.receiver import Receiver
from gatehouse_district.receiver.silences import Silences
from gatehouse_district.receiver.store import Arrival, Store
from gatehouse_sim.authority import Authority
from gatehouse_sim.broker import Broker
from sim.paho_gateway import connected


class Cable(asyncio.Transport):
    """A connection that knows how to break, and what was said over it."""

    broken = False
    said = b""

    def abort(self) -> None:
        """Break it."""
        self.broken = True

    def is_closing(self) -> bool:
        """Say that it stands."""
        return False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take what is said."""
        self.said += data


class District(Receiver):
    """A receiver that notes its receipts in the order of what else it says."""

    cable: Cable

    def send_receipt(self, gateway: str, ids: Sequence[str]) -> None:
        """Note a receipt."""
        self.cable.said += f"receipt of {gateway} for {len(ids)}, ".encode()


def test_a_commit_is_on_the_disk_and_not_only_on_its_way(kept: Desk) -> None:
    """Without it a power cut would take alarms whose receipts were sent (2 is FULL, 3 EXTRA)."""
    assert kept.keeper.db.execute("PRAGMA synchronous").fetchone()[0] >= 2


def test_no_receipt_for_what_the_event_of_another_gateway_kept_out(kept: Desk) -> None:
    """Without it a gateway would forget an alarm of which the district has nothing.

    What its own event of that id kept out has one: it would be sent again for ever.
    """
    first = event()
    told = [
        kept.hear(
            "up/alarm", events.encode(event(gateway=gateway, id=first.id, count=count)), gateway
        )
        for gateway, count in (("gw-1", 1), ("gw-2", 1), ("gw-1", 2))
    ]
    assert [isinstance(each, Kept) and each.receipt for each in told] == [True, False, True]
    assert kept.refusals() == {"conflict": 2}


async def test_neither_receipt_nor_puback_comes_before_the_disk_has_it(tmp_path: Path) -> None:
    """Without it a power cut could lose an alarm that its guard was shown as received."""
    receiver = District("mqtt://127.0.0.1:1", tmp_path / "district.db")
    receiver.cable, store = Cable(), Store(tmp_path / "district.db", receiver)
    receiver._store = store  # no thread writes yet: whatever is said now was said too early
    link = Link(deque(), lambda _link, _message, _retained: None)
    link.connection_made(receiver.cable)
    raised = Incoming("gatehouse/v1/gw-1/up/alarm", events.encode(event()), mid=7)
    receiver._arrived(link, raised, False)
    assert (receiver.cable.said, store.waiting) == (b"", 1)
    store.open()
    await store.do(lambda _: None)
    assert receiver.cable.said == b"receipt of gw-1 for 1, " + frames.puback(7)
    await store.close()


async def test_what_the_disk_did_not_take_breaks_the_link_it_came_over(tmp_path: Path) -> None:
    """Without it the broker would wait for PUBACKs that never come, and send nothing more."""
    receiver = Receiver("mqtt://127.0.0.1:1", tmp_path / "district.db")
    links = [Link(deque(), lambda _link, _message, _retained: None) for _ in range(2)]
    cables = [Cable(), Cable()]
    for link, cable in zip(links, cables, strict=True):
        link.connection_made(cable)
    receiver.not_stored([Arrival(record(event()), links[0], mid) for mid in (1, 2)])
    assert [cable.broken for cable in cables] == [True, False]


async def test_only_the_gateway_that_was_asked_can_confirm_an_answer(tmp_path: Path) -> None:
    """Without it any school could have another's alarm shown as answered."""
    store, said = Store(tmp_path / "district.db", Loop()), uuid.uuid4()
    answers = Answers(store, Receiver("mqtt://127.0.0.1:1", tmp_path / "district.db").session)
    answers._begin(Answer(1, str(said), "gw-1", "alarm", "acknowledge", "王", 9e9))
    for gateway, outcome in (("gw-2", None), ("gw-1", (True, "no reason"))):
        answers.heard(Reply(gateway, {"ok": True}, said.bytes, 0))
        assert answers._waiting[str(said)].outcome == outcome


async def test_nobody_can_take_the_receivers_session(tmp_path: Path) -> None:
    """Without it one stolen gateway could throw the receiver out, again and again."""
    authority = Authority.make(tmp_path / "authority", datetime.now(UTC))
    mine, server = authority.client("district.receiver"), authority.server()
    async with (
        Broker(tmp_path / "broker", server) as broker,
        Receiver(broker.url, tmp_path / "d.db", mine) as receiver,
    ):
        link = receiver.session._link
        async with connected(broker.url, "district.receiver", authority.client("gw-9")) as thief:
            topic = "gatehouse/v1/gw-9/up/event"
            assert await thief.publish(topic, "{}") == 0
            await until(receiver, receiver.records.refusals)  # it has heard the thief
        assert receiver.session._link is link
        shown = x509.load_pem_x509_certificate(server.cert.read_bytes())
        assert receiver.session.broker_ends_s == shown.not_valid_after_utc.timestamp()


async def test_nobody_falls_silent_while_the_district_hears_nobody() -> None:
    """Without it a broker that is away would be told as the silence of every school."""
    told: asyncio.Queue[str] = asyncio.Queue()
    silences = Silences(told.put)
    silences.expect("gw-1", 0.0)  # it should have been heard by now
    running = asyncio.create_task(silences.run())
    for _ in range(3):
        await asyncio.sleep(0)  # it looks once, and goes to sleep
    assert told.empty()
    silences.hearing(now=True)
    assert await asyncio.wait_for(told.get(), 60) == "gw-1"
    running.cancel()
