"""From the outbox to the broker to the receipt."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from gatehouse import events
from gatehouse.clock import Clock
from gatehouse.events import Event
from gatehouse.uplink import frames, refusals, word
from gatehouse.uplink.failures import UnreachableError
from gatehouse.uplink.in_flight import InFlight
from gatehouse.uplink.lane import OVERHEAD, Flight, Lane
from gatehouse.uplink.patience import Patience
from gatehouse.uplink.ports import Hooks, Outbox
from gatehouse.uplink.proof import Proof
from gatehouse.uplink.refusals import NO_ROOM_FOR_IT, Refusals
from gatehouse.uplink.timing import Timing
from gatehouse.uplink.topics import Topics
from gatehouse.uplink.troubles import Troubles
from gatehouse.uplink.window import Window
from gatehouse.uplink.wire import Limits, Wire
from gatehouse.uplink.word import Word

_REPLY_BYTES: Final = 512
_EVENT_TAIL: Final = frames.properties(content_type=events.CONTENT_TYPE)

NextReply = Callable[[], tuple[bytes, bytes | None] | None]


class Sender:
    """Sends alarms before everything, slides a window over the rest, resends until the receipt."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        topics: Topics,
        hooks: Hooks,
        troubles: Troubles,
        timing: Timing,
        clock: Clock,
        receipts: bool,
        reason_text: Callable[[int], str],
        next_reply: NextReply,
        give_up: Callable[[], None],
    ) -> None:
        self._outbox = outbox
        self._topics = topics
        self._hooks = hooks
        self._timing = timing
        self._clock = clock
        self._receipts = receipts
        self._refusals = Refusals(troubles, reason_text)
        self._next_reply = next_reply
        self._loop = asyncio.get_running_loop()
        self.alarms = self._lane(topics.alarm, timing.resend_alarm_s, alarm=True)
        self.others = self._lane(topics.event, timing.resend_other_s, alarm=False)
        self.patience = Patience(timing, waiting=self.alarm_waits, give_up=give_up)
        self.proof = Proof()
        self._wire: Wire | None = None
        self._window = Window(1)
        self._largest = 0
        self._in_flight = InFlight(timing.puback_s, self._overdue)
        self._words: deque[Word] = deque()
        self._picture: Word | None = None
        self._accepted: set[str] = set()  # alarms without a receipt that a broker has taken

    def _lane(self, topic: str, resend_s: float, *, alarm: bool) -> Lane:
        queue = self._outbox.pending
        return Lane(
            topic=topic,
            head=frames.as_string(topic),
            alarm=alarm,
            resend_s=resend_s,
            timing=self._timing,
            loop=self._loop,
            next_pending=queue.next_alarm if alarm else queue.next_other,
            waits=queue.__contains__,
            bodies=self._outbox.bodies,
            stir=self.pump,
        )

    def attach(self, wire: Wire, limits: Limits) -> None:
        """Begin on a new connection: everything without a receipt goes again, alarms first."""
        self._wire = wire
        self._window = Window(limits.receive_maximum)
        self._largest = limits.maximum_packet
        self.alarms.attach()
        self.others.attach()
        self.patience.restart()

    def detach(self) -> None:
        """The connection is gone."""
        self._wire = None
        self._in_flight.clear()
        self._words.clear()
        self._picture = None
        self.alarms.detach()
        self.others.detach()

    def press(self, event: Event, body: bytes) -> None:
        """Publish a live alarm in this very call; what cannot go now waits in the outbox."""
        self._press(event, body)
        self.patience.pressed()

    def _press(self, event: Event, body: bytes) -> None:
        lane = self.alarms if events.is_alarm_class(event.type, event.data) else self.others
        if event.id in lane.flights:
            return
        if self._wire is None or not self._window.admits_press():
            self._loop.call_soon(self.wake)  # by then it is in outbox.pending
            return
        flight = Flight(event.id, lane.alarm, event.sequence)
        flight.load(body)
        self._launch(lane, flight)
        self._wire.flush()

    def wake(self) -> None:
        """Look for what is new in outbox.pending."""
        self.alarms.hungry.set()
        self.others.hungry.set()
        if self._wire is None and not self.patience.running and self.alarm_waits():
            self.patience.restart()

    def alarm_waits(self) -> bool:
        """Whether an alarm could be sent, if only a broker took it."""
        if self._wire is not None:
            return bool(self.alarms.out or self.alarms.ready)
        return self._outbox.pending.next_alarm(self._accepted) is not None

    @property
    def unanswered(self) -> bool:
        """Whether an alarm is out that the broker has not answered at all."""
        return self.alarms.out > 0

    def say(
        self, topic: str, body: bytes, told: Callable[[int], None], *, retain: bool = False
    ) -> None:
        """Publish what is no event, before all events; ``told`` hears the PUBACK's code."""
        self._words.append(word.message(topic, body, told, retain=retain))
        self.pump()

    def offer(self, picture: Word) -> None:
        """Publish a picture once nothing else waits or is under way; one at a time."""
        self._picture = picture
        self.pump()

    def withdraw(self) -> bool:
        """Take back the picture that was not published yet; False when there is none."""
        picture, self._picture = self._picture, None
        return picture is not None

    def pump(self) -> None:
        """Publish as much as the window admits."""
        if self._wire is None:
            return
        now = self._loop.time()
        while self._publish_next(now):
            pass

    def _publish_next(self, now: float) -> bool:
        """Publish one message: words, alarms, replies, others, a picture; False if none may go."""
        if self._words and self._window.admits_press():
            self._publish(self._words.popleft())
            return True
        flight = self.alarms.first()
        if flight is not None:
            if not self._window.admits(flight.size, now, alarm=True):
                return False
            self._launch(self.alarms, flight)
            return True
        if self._window.admits(_REPLY_BYTES, now, alarm=True) and (reply := self._next_reply()):
            told = partial(self.refusal_of, self._topics.reply)
            body, correlation = reply
            said = word.message(self._topics.reply, body, told, correlation=correlation)
            self._words.append(said)
            return True
        return self._publish_other(now)

    def _publish_other(self, now: float) -> bool:
        flight = self.others.first()
        if flight is None:
            return self._publish_picture()
        if not self._window.admits(flight.size, now):
            return False
        self._launch(self.others, flight)
        return True

    def _publish_picture(self) -> bool:
        """Publish the picture if the line is free for it: nothing of it may hold up a press."""
        picture = self._picture
        if picture is None or not (
            self._window.admits_picture() and self.alarms.idle and self.others.idle
        ):
            return False
        self._picture = None
        if picture.size + OVERHEAD > self._largest:
            if picture.flight.told is not None:
                picture.flight.told(NO_ROOM_FOR_IT)
        else:
            self._publish(picture)
        return True

    def _launch(self, lane: Lane, flight: Flight) -> None:
        lane.launched(flight)
        if len(lane.head) + flight.size > self._largest:
            self._refused(lane, flight, NO_ROOM_FOR_IT)
            return
        self.proof.published(flight)
        self._publish(Word(lane.head, _EVENT_TAIL, flight))
        if flight.alarm:
            self.patience.ensure()

    def _publish(self, said: Word) -> None:
        if self._wire is None:
            return
        flight = said.flight
        mid = self._wire.publish_soon(said.head, said.tail, flight.body, retain=said.retain)
        self._in_flight.add(mid, flight)
        self._window.sent(flight.size, alarm=flight.alarm)

    def _overdue(self) -> None:
        if self._wire is not None:
            self._wire.fail(UnreachableError(f"no PUBACK within {self._timing.puback_s:g} s"))

    def acknowledged(self, mid: int, code: int) -> None:
        """Act on a PUBACK (contract section 3: 0x00 is sent, all else is not)."""
        flight = self._in_flight.pop(mid)
        if flight is None:
            return
        self._window.acknowledged(flight.size, self._loop.time(), alarm=flight.alarm)
        lane = self.alarms if flight.alarm else self.others
        if flight.told is not None:
            flight.told(code)
        elif code == 0:
            self._taken(lane, flight)
        else:
            self._refused(lane, flight, code)

    def _taken(self, lane: Lane, flight: Flight) -> None:
        self._refusals.taken(lane.topic, flight)
        first = not flight.published and flight.id not in self._accepted
        if flight.alarm:
            self.patience.progress()
            if not flight.over:
                self._accepted.add(flight.id)
        at_ns = self._clock.reading().monotonic_ns
        lane.accepted(flight)
        if not flight.proof and first:
            self._outbox.sent(flight.id)
            self._hooks.sent(flight.id, at_ns)
        if not self._receipts:
            self.proof.at_ns = at_ns
            self._end(self._outbox.received([flight.id]))

    def _refused(self, lane: Lane, flight: Flight, code: int) -> None:
        self._refusals.refused(lane.topic, flight, code)
        alone, of_topic = refusals.alone(code), refusals.of_topic(code)
        lane.refused(flight, alone=alone, first_again=of_topic)

    def refusal_of(self, topic: str, code: int) -> bool:
        """Note the answer to a publication that is no event; return whether it was refused."""
        return self._refusals.of_word(topic, code)

    def received(self, ids: Sequence[str]) -> int:
        """Act on a receipt; return how many of its ids are unknown. Doubled ones are harmless."""
        named = set(ids)
        known = self._outbox.received(ids)
        asked = self.proof.asks in named
        self._end(known)
        if known or asked:
            self.proof.at_ns = at_ns = self._clock.reading().monotonic_ns
            if known:
                self._hooks.received(known, at_ns)
        return max(0, len(named) - len(known) - asked)

    def _end(self, known: Sequence[str]) -> None:
        """Forget events that the district has."""
        self.proof.received(known)
        for event_id in known:
            if self.alarms.done(event_id) is None:
                self.others.done(event_id)
            self._accepted.discard(event_id)
            self._refusals.over(event_id)

    async def prove(self) -> None:
        """Ask the district for a sign of life when none came for a while."""
        while True:
            wait_s = self.proof.wait_s(self._clock.reading().monotonic_ns, self._timing.proof_s)
            question = self.proof.question()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            elif question is not None and question.id not in self.others.flights:
                self.others.again(question, self._loop.time())
            else:
                await asyncio.sleep(self._timing.proof_s)
