"""Pictures: behind everything else, one at a time, and never at the cost of an alarm."""

import dataclasses
from pathlib import Path
from typing import Final

import pytest

from gatehouse.errors import MessageError
from gatehouse.uplink.frames import Incoming
from gatehouse.uplink.picture_queue import FIRST_BYTES, LEAST_BYTES
from uplink.bundle import picture
from uplink.fakes import FAST, TOPICS, Agent, until
from uplink.far_end import Mosquitto, Office, Script, plain

QUICK: Final = dataclasses.replace(FAST, picture_harm_s=0.05, picture_harm_most_s=0.2)


async def test_pictures_arrive_in_order_for_an_hour(
    mosquitto: Mosquitto, office: Office, tmp_path: Path
) -> None:
    """Without it the desk would show an alarm's pictures out of order, or a broker keep them."""
    async with Agent(plain(mosquitto.port), evidence=tmp_path) as agent:
        for number in (1, 2, 3):
            path = picture(tmp_path, f"gate-{number}.jpg", 1000 + number)
            agent.uplink.pictures.ask("alarm-1", number, path)
        await until(lambda: agent.uplink.pictures.counts.sent == 3)
        await until(lambda: len(office.pictures()) == 3)
    assert office.pictures() == ["alarm-1/1", "alarm-1/2", "alarm-1/3"]
    got = [each for each in office.raw if "/picture/" in str(each.topic)]
    assert [len(each.payload) for each in got] == [1001, 1002, 1003]
    for each in got:
        said = vars(each.properties)
        assert (each.qos, each.retain, said["ContentType"]) == (1, False, "image/jpeg")
        assert 3590 <= said["MessageExpiryInterval"] <= 3600
    assert agent.uplink.pictures.counts == dataclasses.replace(
        agent.uplink.pictures.counts, queued=0, sent=3, dropped=0
    )
    assert agent.heard.faults == []


class Slow:
    """A broker that withholds some PUBACKs."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.withheld: list[Incoming] = []
        self.on: set[str] = set()
        script.puback = self.puback

    def puback(self, message: Incoming) -> int | None:
        """Answer, unless told to withhold."""
        if any(message.topic.startswith(topic) for topic in self.on):
            self.withheld.append(message)
            return None
        return 0

    async def give(self, code: int = 0) -> None:
        """Answer the oldest that was withheld."""
        mid = self.withheld.pop(0).mid
        await self.script.send(bytes([0x40, 3, *mid.to_bytes(2, "big"), code]))

    def topics(self) -> list[str]:
        """Return the topics of what was published with QoS 1, the birth left out."""
        return [each.topic for each in self.script.published if each.mid and "/up/" in each.topic]


async def test_a_press_goes_at_once_beside_a_picture(script: Script, tmp_path: Path) -> None:
    """Without it an alarm would wait for a picture's PUBACK, and so would all events."""
    slow = Slow(script)
    slow.on = {TOPICS.pictures}
    async with Agent(plain(script.port), evidence=tmp_path) as agent:
        for number in (1, 2):
            agent.uplink.pictures.ask("a", number, picture(tmp_path))
        await until(lambda: slow.withheld)
        alarm, other = agent.press(), agent.happens()
        await until(lambda: {alarm, other} <= set(agent.heard.sent))
        assert slow.topics() == [TOPICS.picture("a", 1), TOPICS.alarm, TOPICS.event]
        await slow.give()
        await until(lambda: slow.withheld)
        assert slow.topics()[-1] == TOPICS.picture("a", 2)


async def test_no_picture_takes_the_only_place_that_a_broker_gives(
    script: Script, tmp_path: Path
) -> None:
    """Without it a press would wait for seconds where only one message may be under way."""
    only_one = bytes([0x20, 6, 0, 0, 3, 0x21, 0, 1])  # Receive Maximum 1
    script.connack = lambda _first, _body: only_one
    slow = Slow(script)
    async with Agent(plain(script.port), evidence=tmp_path) as agent:

        async def sent(event: str) -> None:
            await until(lambda: event in agent.heard.sent)

        agent.uplink.pictures.ask("a", 1, picture(tmp_path))
        for _ in range(20):
            await sent(agent.happens())
    assert slow.topics() == [TOPICS.event] * 20


@pytest.mark.parametrize("alarm", [True, False])
async def test_no_picture_goes_while_an_event_has_no_puback(
    script: Script, tmp_path: Path, alarm: bool
) -> None:
    """Without it pictures would lie before an alarm that has to be sent again."""
    slow = Slow(script)
    slow.on = {TOPICS.alarm, TOPICS.event}
    async with Agent(plain(script.port), evidence=tmp_path) as agent:
        await until(lambda: script.published)
        agent.press() if alarm else agent.happens()
        await until(lambda: slow.withheld)
        agent.uplink.pictures.ask("a", 1, picture(tmp_path))
        await slow.give(0x10)  # refused: it waits to be sent again
        await until(lambda: slow.withheld)
        topic = TOPICS.alarm if alarm else TOPICS.event
        assert slow.topics()[:2] == [topic] * 2
        slow.on = set()
        await slow.give()
        await until(lambda: agent.uplink.pictures.counts.sent == 1)
        assert slow.topics()[2:] == [TOPICS.picture("a", 1)]


async def test_pictures_follow_all_that_waited_in_an_outage(script: Script, tmp_path: Path) -> None:
    """Without it the pictures of one alarm would go before the next alarm."""
    slow = Slow(script)
    agent = Agent(plain(script.port), evidence=tmp_path)
    for number in (1, 2):
        agent.uplink.pictures.ask("a", number, picture(tmp_path))
    waited = [agent.press() for _ in range(3)] + [agent.happens() for _ in range(100)]
    async with agent:
        await until(lambda: agent.uplink.pictures.counts.sent == 2)
        assert set(waited) <= set(agent.heard.sent)
    topics = slow.topics()
    assert topics[-2:] == [TOPICS.picture("a", 1), TOPICS.picture("a", 2)]
    assert topics[:3] == [TOPICS.alarm] * 3
    assert len(topics) == 105


async def test_an_unheard_picture_is_tried_again(script: Script, tmp_path: Path) -> None:
    """Without it a district that restarts would miss the pictures of an alarm; it is no fault."""
    codes = iter([0x10, 0x10, 0])
    script.puback = lambda said: next(codes) if "/picture/" in said.topic else 0
    async with Agent(plain(script.port), evidence=tmp_path, timing=QUICK) as agent:
        agent.uplink.pictures.ask("a", 1, picture(tmp_path))
        await until(lambda: agent.uplink.pictures.counts.sent == 1)
        assert agent.heard.faults == []


async def test_a_refused_picture_is_a_fault_until_none_is_refused(
    script: Script, tmp_path: Path
) -> None:
    """Without it nobody would learn that the broker's rules lack the pictures' topic."""
    codes = iter([0x87, 0])
    script.puback = lambda said: next(codes) if "/picture/" in said.topic else 0
    async with Agent(plain(script.port), evidence=tmp_path, timing=QUICK) as agent:
        agent.uplink.pictures.ask("a", 1, picture(tmp_path))
        await until(lambda: agent.uplink.pictures.counts.sent == 1)
        assert [told[:2] for told in agent.heard.faults] == [
            ("publish-refused", True),
            ("publish-refused", False),
        ]


async def test_what_cannot_be_read_or_is_too_large_does_not_stop_the_others(
    script: Script, tmp_path: Path
) -> None:
    """Without it one file that was deleted would keep all pictures back."""
    limit = 5000
    script.connack = lambda _first, _body: bytes(
        [0x20, 8, 0, 0, 5, 0x27, *limit.to_bytes(4, "big")]
    )
    async with Agent(plain(script.port), evidence=tmp_path, timing=QUICK) as agent:
        pictures = agent.uplink.pictures
        pictures.ask("a", 1, str(tmp_path / "bundle" / "gone.jpg"))
        pictures.ask("a", 2, picture(tmp_path, "large.jpg", limit))
        pictures.ask("a", 3, picture(tmp_path, "small.jpg", 1000))
        await until(lambda: (pictures.counts.sent, pictures.counts.dropped) == (1, 2))
        assert pictures.counts.queued == 0


async def test_pictures_wait_for_a_connection_until_their_deadline(
    script: Script, tmp_path: Path
) -> None:
    """Without it an outage would lose the pictures of an alarm, or send those of last week."""
    slow = Slow(script)
    slow.on = {TOPICS.pictures}
    async with Agent(plain(script.port), evidence=tmp_path, timing=QUICK) as agent:
        pictures = agent.uplink.pictures
        pictures.ask("a", 1, picture(tmp_path))
        await until(lambda: slow.withheld)
        slow.on = set()
        script.drop()  # the picture was under way
        pictures.ask("a", 2, picture(tmp_path), 0.01)
        await until(lambda: (pictures.counts.sent, pictures.counts.dropped) == (1, 1))
        assert slow.topics() == [TOPICS.picture("a", 1)] * 2
        assert pictures.counts.queued == 0
        assert script.connects() == 2


async def test_the_next_picture_is_smaller_when_the_connection_ended_under_one(
    script: Script, tmp_path: Path
) -> None:
    """Without it pictures would end the connection that alarms need again and again."""
    slow = Slow(script)
    slow.on = {TOPICS.pictures}  # none is answered
    async with Agent(plain(script.port), evidence=tmp_path) as agent:
        agent.uplink.pictures.ask("a", 1, picture(tmp_path))
        await until(lambda: slow.withheld)
        assert agent.uplink.pictures.most_bytes == FIRST_BYTES
        script.drop()
        await until(lambda: agent.uplink.pictures.most_bytes == LEAST_BYTES)


@pytest.mark.parametrize(
    ("alarm", "number", "deadline_s"),
    [("a/b", 1, 9.0), ("", 1, 9.0), ("#", 1, 9.0), ("a", 0, 9.0), ("a", 100, 9.0), ("a", 1, 0.0)],
)
async def test_what_cannot_be_a_topic_is_refused(
    tmp_path: Path, alarm: str, number: int, deadline_s: float
) -> None:
    """Without it a picture could be published on another topic than its own."""
    agent = Agent(plain(1), evidence=tmp_path)
    with pytest.raises(MessageError):
        agent.uplink.pictures.ask(alarm, number, picture(tmp_path), deadline_s)
    with pytest.raises(MessageError):
        agent.uplink.pictures.ask("a", 1, picture(tmp_path), float("nan"))
