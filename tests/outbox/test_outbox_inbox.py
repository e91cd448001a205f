"""What waits for the disk: in order, alarms alone when need be, and without growing for ever."""

import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.events import Event
from gatehouse.outbox.inbox import Inbox
from gatehouse.outbox.orders import Acknowledged, Drop, Mend, Order, Put, Received, Seen, Sent
from outbox.house import LIMIT_S, alarm, other, put, scribe


def filled(*orders: Order) -> Inbox:
    """Return an inbox with these orders."""
    inbox = Inbox()
    for order in orders:
        inbox.add(order)
    return inbox


def test_order_is_kept() -> None:
    """An alarm that was reset before it was raised would stand for ever."""
    made = scribe()
    orders: list[Order] = [put(other(made)), put(alarm(made)), Sent("x"), put(other(made))]
    assert filled(*orders).hand(others=True) == orders


def test_alarms_go_alone_where_the_others_do_not_fit() -> None:
    """On a full disk an alarm must not wait behind what cannot be written."""
    made = scribe()
    first, raised, last = put(other(made)), put(alarm(made)), put(other(made))
    mark = Acknowledged((raised.event.id,), "李")
    inbox = filled(first, raised, last, mark)
    assert inbox.hand(others=False) == [raised, mark]
    inbox.done()
    assert inbox.hand(others=False) == []
    assert inbox.hand(others=True) == [first, last]
    inbox.done()
    assert len(inbox) == 0


def test_what_was_not_carried_out_waits_where_it_was() -> None:
    """A failed commit must neither lose nor reorder, nor double what was done of it."""
    made = scribe()
    orders: list[Order] = [put(other(made)), put(alarm(made)), put(other(made))]
    inbox = filled(*orders)
    assert inbox.hand(others=True) == orders
    late = put(alarm(made))
    inbox.add(late)
    inbox.done(1)
    inbox.give_back()
    assert inbox.hand(others=True) == [*orders[1:], late]


def test_what_becomes_known_of_an_event_that_waits_is_noted_in_it() -> None:
    """A receipt that overtook its event would leave it waiting for the district for ever."""
    made = scribe()
    one, two = put(other(made)), put(alarm(made))
    inbox = filled(one, two, Sent(one.event.id), Received((one.event.id, two.event.id, "stored")))
    assert inbox.hand(others=False) == [
        Put(two.event, two.body, alarm=True, sent=True, received=True),
        Received(("stored",)),
    ]
    inbox.done()
    [held] = inbox.hand(others=True)
    assert held == Put(one.event, one.body, alarm=False, sent=True, received=True)


def test_what_becomes_known_during_a_failed_commit_is_noted_too() -> None:
    """The same while the disk hangs over just that event."""
    made = scribe()
    one = put(other(made))
    inbox = filled(one)
    inbox.hand(others=True)
    inbox.add(Sent(one.event.id))
    inbox.add(Received((one.event.id,)))
    inbox.give_back()
    assert inbox.hand(others=False) == []
    [held] = inbox.hand(others=True)
    assert isinstance(held, Put)
    assert (held.sent, held.received) == (True, True)


def test_what_gave_way_is_taken_back() -> None:
    """A disk that hangs for days must not fill the memory with what was dropped."""
    made = scribe()
    gone, kept, raised = put(other(made)), put(other(made)), put(alarm(made))
    inbox = filled(gone, kept, raised, Drop((gone.event.id, "on disk")))
    assert len(inbox) == 3
    assert inbox.hand(others=True) == [kept, raised, Drop(("on disk",))]


def test_memory_is_bounded_but_for_alarms() -> None:
    """A hundred thousand others that come and go beside a dead disk leave nothing behind."""
    made = scribe()
    inbox = Inbox()
    for _ in range(3000):
        order = put(other(made))
        for each in (order, Sent(order.event.id), Received((order.event.id,))):
            inbox.add(each)
        inbox.add(Drop((order.event.id,)))
    assert len(inbox) == 0
    assert inbox._puts == {}


def test_batches_are_bounded() -> None:
    """A commit of a whole backlog would hold up the alarm behind it, and outgrow the WAL."""
    made = scribe()
    inbox = filled(*(put(other(made)) for _ in range(2500)))
    assert len(inbox.hand(others=True)) == 2000
    inbox.done()
    assert len(inbox.hand(others=True)) == 500
    inbox.done()
    large = filled(*(Put(other(made), bytes(1 << 20), alarm=False) for _ in range(9)))
    assert len(large.hand(others=True)) == 4


def test_damage_that_was_heard_is_not_told_again() -> None:
    """The file would be replaced once for each time that it could not be read."""
    inbox = filled(Mend("a"), Seen("c", 1.0))
    inbox.hand(others=True)
    inbox.give_back()
    assert inbox.hand(others=True) == [Seen("c", 1.0)]


def test_waiting_ends_with_news_and_at_the_end() -> None:
    """The thread would sleep over an alarm, or never end."""
    inbox = Inbox()
    heard: list[bool] = []

    def listen() -> None:
        while inbox.wait(LIMIT_S):
            heard.append(True)
            inbox.hand(others=True)
            inbox.done()
            told.set()

    told = threading.Event()
    thread = threading.Thread(target=listen)
    thread.start()
    inbox.add(Sent("a"))
    assert told.wait(LIMIT_S)
    inbox.end()
    thread.join(LIMIT_S)
    assert not thread.is_alive()
    assert heard == [True]
    assert filled(Sent("a")).wait(0.0)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["alarm", "other", "sent", "received", "drop", "fail", "do", "alarms"]),
        st.integers(0, 8),
    ),
    max_size=60,
)


class Disk:
    """What is told, what becomes known of it, and what a disk would make of the orders."""

    def __init__(self) -> None:
        self.made = scribe()
        self.inbox = Inbox()
        self.told: list[Event] = []
        self.rows: dict[str, list[bool]] = {}
        self.truth: dict[str, list[bool]] = {}

    def tell(self, event: Event) -> None:
        """Put an event."""
        self.told.append(event)
        self.truth[event.id] = [False, False]
        self.inbox.add(put(event))

    def learn(self, what: str, event: Event) -> None:
        """Learn something of an event that did not give way."""
        if event.id not in self.truth:
            return
        if what == "sent":
            self.truth[event.id][0] = True
            self.inbox.add(Sent(event.id))
        elif what == "received":
            self.truth[event.id] = [True, True]
            self.inbox.add(Received((event.id,)))
        elif not put(event).alarm:
            del self.truth[event.id]
            self.inbox.add(Drop((event.id,)))

    def carry_out(self, orders: list[Order]) -> None:
        """Do what the orders say."""
        for order in orders:
            match order:
                case Put():
                    assert order.event.id not in self.rows
                    self.rows[order.event.id] = [order.sent, order.received]
                case Sent():
                    self.rows[order.id][0] = True
                case Received():
                    for id_ in order.ids:
                        self.rows[id_] = [True, True]
                case Drop():
                    for id_ in order.ids:
                        del self.rows[id_]
        self.inbox.done()


@settings(max_examples=200, deadline=None)
@given(MOVES)
def test_nothing_is_lost_and_alarms_keep_their_order(moves: list[tuple[str, int]]) -> None:
    """Whatever fails and whatever becomes known meanwhile, the disk ends with the same rows."""
    disk = Disk()
    for what, which in moves:
        if what in {"alarm", "other"}:
            disk.tell((alarm if what == "alarm" else other)(disk.made))
        elif what == "fail":
            disk.inbox.hand(others=bool(which % 2))
            disk.inbox.give_back()
        elif what in {"do", "alarms"}:
            disk.carry_out(disk.inbox.hand(others=what == "do"))
        elif disk.told:
            disk.learn(what, disk.told[which % len(disk.told)])
    while orders := disk.inbox.hand(others=True):
        disk.carry_out(orders)
    assert disk.rows == disk.truth
    alarms = [event.id for event in disk.told if put(event).alarm]
    assert [id_ for id_ in disk.rows if id_ in alarms] == alarms
    assert len(disk.inbox) == 0
