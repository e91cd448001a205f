"""Links and answers of the receiver, what breaks, who is believed, and who is thrown out."""

import asyncio
import uuid
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from district.receiver.gateway_words import event
from district.receiver.test_receiver_file import Loop, record
from district.receiver.test_receiver_wire import until
from gatehouse_district.receiver.answering import Answers
from gatehouse_district.receiver.answers import Answer
from gatehouse_district.receiver.heard import Reply
from gatehouse_district.receiver.link import Link
from gatehouse_district.receiver.receiver import Receiver
from gatehouse_district.receiver.store import Arrival, Store
from gatehouse_sim.authority import Authority
from gatehouse_sim.broker import Broker
from sim.paho_gateway import connected


class Cable(asyncio.Transport):
    """A connection that only knows how to break."""

    broken = False

    def abort(self) -> None:
        """Break it."""
        self.broken = True


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
