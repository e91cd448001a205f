"""From the outbox to the broker to the receipt."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from gatehouse import events
from gatehouse.clock import Clock
from gatehouse.events import Event
from gatehouse.uplink import frames, word
from gatehouse.uplink.failures import UnreachableError
from gatehouse.uplink.lane import OVERHEAD, Flight, Lane
from gatehouse.uplink.patience import Patience
from gatehouse.uplink.ports import Hooks, Outbox
from gatehouse.uplink.proof import Proof
from gatehouse.uplink.timing import Timing
from gatehouse.uplink.topics import Topics
from gatehouse.uplink.troubles import Troubles
from gatehouse.uplink.window import Window
from gatehouse.uplink.wire import Limits, Wire
from gatehouse.uplink.word import Word

NO_SUBSCRIBER: Final = 0x10
NO_ROOM_FOR_IT: Final = 0x95

_OF_THE_EVENT: Final = frozenset({NO_ROOM_FOR_IT, 0x99})  # its own size or content: others may go
_OF_THE_TOPIC: Final = frozenset({NO_SUBSCRIBER, 0x87, 0x97})  # nobody there, no right, no quota
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
        self._troubles = troubles
        self._timing = timing
        self._clock = clock
        self._receipts = receipts
        self._reason_text = reason_text
        self._next_reply = next_reply
        self._loop = asyncio.get_running_loop()
        self.alarms = self._lane(topics.alarm, timing.resend_alarm_s, alarm=True)
        self.others = self._lane(topics.event, timing.resend_other_s, alarm=False)
        self.patience = Patience(timing, waiting=self.alarm_waits, give_up=give_up)
        self.proof = Proof()
        self._wire: Wire | None = None
        self._window = Window(1)
        self._largest = 0
        self._in_flight: dict[int, Flight] = {}
        self._words: deque[Word] = deque()
        self._picture: Word | None = None
        self._deadline: asyncio.TimerHandle | None = None
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
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

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
            self._say(self._words.popleft())
            return True
        flight = self.alarms.first()
        if flight is not None:
            if not self._window.admits(flight.size, now, alarm=True):
                return False
            self._launch(self.alarms, flight)
            return True
        if self._window.admits(_REPLY_BYTES, now, alarm=True) and (reply := self._next_reply()):
            said = word.message(
                self._topics.reply, reply[0], self._reply_told, correlation=reply[1]
            )
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
            self._say(picture)
        return True

    def _say(self, said: Word) -> None:
        self._publish(said.head, said.tail, said.flight, retain=said.retain)

    def _launch(self, lane: Lane, flight: Flight) -> None:
        lane.launched(flight)
        if len(lane.head) + flight.size > self._largest:
            self._refused(lane, flight, NO_ROOM_FOR_IT)
            return
        self.proof.published(flight)
        self._publish(lane.head, _EVENT_TAIL, flight)
        if flight.alarm:
            self.patience.ensure()

    def _publish(self, head: bytes, tail: bytes, flight: Flight, *, retain: bool = False) -> None:
        if self._wire is None:
            return
        mid = self._wire.publish_soon(head, tail, flight.body, retain=retain)
        self._in_flight[mid] = flight
        self._window.sent(flight.size, alarm=flight.alarm)
        flight.sent_s = self._loop.time()
        if self._deadline is None:
            self._deadline = self._loop.call_later(self._timing.puback_s, self._check_deadline)

    def _check_deadline(self) -> None:
        """End a connection whose broker answers nothing: its kernel still acknowledges TCP."""
        self._deadline = None
        if not self._in_flight or self._wire is None:
            return
        oldest = next(iter(self._in_flight.values()))
        due = oldest.sent_s + self._timing.puback_s
        if due > self._loop.time():
            self._deadline = self._loop.call_at(due, self._check_deadline)
        else:
            self._wire.fail(UnreachableError(f"no PUBACK within {self._timing.puback_s:g} s"))

    def acknowledged(self, mid: int, code: int) -> None:
        """Act on a PUBACK (contract section 3: 0x00 is sent, all else is not)."""
        flight = self._in_flight.pop(mid, None)
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
        for fault in ("no-subscriber", "publish-refused"):
            self._troubles.end(fault, on=lane.topic)
        self._troubles.end("publish-refused", on=flight.id)
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
        fault = "no-subscriber" if code == NO_SUBSCRIBER else "publish-refused"
        on = flight.id if code in _OF_THE_EVENT else lane.topic
        if fault == "no-subscriber":
            self._troubles.end("publish-refused", on=on)
        else:
            self._troubles.end("no-subscriber", on=on)
        self._troubles.begin(fault, self._told_of(lane.topic, code), on=on)
        lane.refused(flight, alone=code in _OF_THE_EVENT, first_again=code in _OF_THE_TOPIC)

    def _told_of(self, topic: str, code: int) -> dict[str, Any]:
        return {"topic": topic, "code": f"0x{code:02x}", "text": self._reason_text(code)}

    def _reply_told(self, code: int) -> None:
        self.refusal_of(self._topics.reply, code)

    def refusal_of(self, topic: str, code: int) -> bool:
        """Note the answer to a publication that is no event; return whether it was refused.

        Nobody need be subscribed to ``state`` or ``up/reply``: 0x10 is no fault there.
        """
        if code < 0x80:
            self._troubles.end("publish-refused", on=topic)
            return False
        self._troubles.begin("publish-refused", self._told_of(topic, code), on=topic)
        return True

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
            self._troubles.end("publish-refused", on=event_id)

    async def prove(self) -> None:
        """Ask the district for a sign of life when none came for a while."""
        while True:
            at_ns = self.proof.at_ns
            late_s = (self._clock.reading().monotonic_ns - at_ns) / 1e9 if at_ns else 0.0
            wait_s = self._timing.proof_s - late_s
            question = self.proof.question()
            if at_ns and wait_s > 0:
                await asyncio.sleep(wait_s)
            elif question is not None and question.id not in self.others.flights:
                self.others.again(question, self._loop.time())
            else:
                await asyncio.sleep(self._timing.proof_s)
