"""Windows, waits, packets and messages: the pure parts of the uplink."""

import random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehouse.errors import MessageError
from gatehouse.uplink import frames, messages
from gatehouse.uplink.backoff import Jitter, doubling
from gatehouse.uplink.lane import Flight
from gatehouse.uplink.proof import Proof
from gatehouse.uplink.topics import Topics
from gatehouse.uplink.troubles import Troubles
from gatehouse.uplink.window import GROWTH_BYTES, Window


@pytest.mark.parametrize(
    ("first", "most", "waits"),
    [
        (1, 15, [1, 2, 4, 8, 15, 15]),  # refused
        (5, 60, [5, 10, 20, 40, 60, 60]),  # failover
        (15, 300, [15, 30, 60, 120, 240, 300, 300]),  # alarms resent
        (60, 300, [60, 120, 240, 300, 300]),  # others resent
    ],
)
def test_waits_double_to_their_most(first: float, most: float, waits: list[float]) -> None:
    """A wait that grew for ever would leave an alarm unsent for ever."""
    assert [doubling(first, most, attempt) for attempt in range(len(waits))] == waits
    assert doubling(first, most, 10**9) == most


@given(st.integers())
def test_jitter_stays_within_its_bounds_and_begins_anew(seed: int) -> None:
    """Gateways that all come back at once, or one that never does, would be the result."""
    jitter = Jitter(0.5, 30.0, random.Random(seed).random)  # noqa: S311  # no secret
    last = 0.5
    for _ in range(50):
        wait = jitter.next_s()
        assert 0.5 <= wait <= min(30.0, 3 * last + 1e-9)
        last = wait
    jitter.reset()
    assert jitter.next_s() <= 1.5


@given(
    receive_maximum=st.integers(1, 65535),
    steps=st.lists(
        st.tuples(st.booleans(), st.integers(1, 70_000), st.booleans(), st.floats(0, 0.2)),
        max_size=200,
    ),
)
def test_window_never_passes_its_limits(
    receive_maximum: int, steps: list[tuple[bool, int, bool, float]]
) -> None:
    """Too much under way ends in DISCONNECT 0x93, or holds an alarm up on a slow line."""
    window = Window(receive_maximum)
    out: list[tuple[int, bool]] = []
    acknowledged: list[tuple[float, int]] = []
    now = 0.0
    for sends, size, alarm, passes in steps:
        now += passes
        if sends and window.admits(size, now, alarm=alarm):
            recent = sum(each for at, each in acknowledged if at >= now - 0.25)
            under_way = sum(each for each, _ in out)
            assert not out or under_way + size <= recent + GROWTH_BYTES
            assert alarm or not any(is_alarm for _, is_alarm in out)
            window.sent(size, alarm=alarm)
            out.append((size, alarm))
            assert len(out) <= max(1, min(20, receive_maximum) - 1)
            assert receive_maximum == 1 or window.admits_press()
        elif not sends and out:
            first, was_alarm = out.pop(0)
            window.acknowledged(first, now, alarm=was_alarm)
            acknowledged.append((now, first))
        assert window.count == len(out)
        assert out or window.admits(10**6, now)


def test_window_grows_on_a_line_with_a_long_round_trip() -> None:
    """With one message a round trip, a satellite line would drain three events a second."""
    window, now, size = Window(20), 0.0, 500
    for _ in range(40):
        batch = 0
        while window.admits(size, now):
            window.sent(size)
            batch += 1
        now += 0.6
        for _ in range(batch):
            window.acknowledged(size, now)
    assert batch == 19


@given(st.lists(st.binary(max_size=400), max_size=20), st.integers(1, 50), st.booleans())
def test_packets_survive_any_cutting(bodies: list[bytes], piece: int, qos: bool) -> None:  # drawn
    """TCP cuts where it likes; a packet lost at a cut would be a receipt lost."""
    head, tail = frames.as_string("a/b"), frames.properties(content_type="x", correlation=b"\0c")
    stream = b"".join(
        frames.publish(head, tail, body, mid=number if qos else 0)
        for number, body in enumerate(bodies, 1)
    )
    cut = frames.Frames(1000)
    got = []
    for at in range(0, len(stream), piece):
        for first, body in cut.feed(stream[at : at + piece]):
            got.append(frames.read_publish(first, body))
    assert [each.payload for each in got] == bodies
    assert all(each.topic == "a/b" and each.correlation == b"\0c" for each in got)
    assert [each.mid for each in got] == [n if qos else 0 for n in range(1, len(bodies) + 1)]


@given(st.integers(0, 268_435_455))
def test_variable_integers_go_there_and_back(value: int) -> None:
    """A wrong length desynchronises the whole stream."""
    assert frames.variable(frames.as_variable(value), 0) == (value, len(frames.as_variable(value)))


@given(st.binary(max_size=200), st.integers(0, 255))
@settings(max_examples=300)
def test_garbage_is_refused_and_nothing_else(data: bytes, first: int) -> None:
    """Another exception than MessageError would be an unforeseen end of the connection."""
    for read in (
        lambda: frames.Frames(100).feed(data),
        lambda: frames.read_publish(first, data),
        lambda: frames.read_puback(data),
        lambda: messages.receipt(data),
        lambda: messages.command(data),
    ):
        try:
            read()
        except MessageError:
            continue


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["ids", "id", "expires", "command", "alarm", "by", "x"]), _json)
)
@settings(suppress_health_check=[HealthCheck.too_slow])  # it builds its table of Unicode first
def test_json_of_any_shape_is_read_or_refused(said: dict[str, object]) -> None:
    """The district's programmers make mistakes too; none may reach the loop as an exception."""
    try:
        body = msgspec.json.encode(said)
    except (UnicodeEncodeError, OverflowError):
        return
    try:
        ids = messages.receipt(body)
        assert all(isinstance(each, str) for each in ids)
    except MessageError:
        pass
    try:
        command = messages.command(body)
        messages.expiry(command.expires)
    except MessageError:
        pass


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[" * 100_000,
        b'{"ids":' + b"[" * 10_000,
        b'{"ids":["a",1]}',
        b'{"ids":"a"}',
        b'{"ids":null}',
        b"\xff\xfe",
        b'{"ids":["\xff"]}',
        b'{"x":' + b'{"x":' * 5000,
    ],
)
def test_receipts_that_are_none(payload: bytes) -> None:
    """A receipt that is half understood would end an event that the district does not have."""
    with pytest.raises(MessageError):
        messages.receipt(payload)


@pytest.mark.parametrize(
    ("expires", "unix_s"),
    [
        (0, 0.0),
        (1.5, 1.5),
        ("1970-01-01T00:00:10Z", 10.0),
        ("1970-01-01T08:00:00+08:00", 0.0),
        ("soon", None),
        ("1970-01-01T00:00:10", None),
        ("0001-01-01T00:00:00+23:59", None),
    ],
)
def test_expiry_is_rfc_3339_or_unix_seconds(expires: str | float, unix_s: float | None) -> None:
    """Without a time zone a command would be valid eight hours too long."""
    if unix_s is None and not expires.startswith("0001"):  # type: ignore[union-attr]  # a str here
        with pytest.raises(MessageError):
            messages.expiry(expires)
    elif unix_s is not None:
        assert messages.expiry(expires) == unix_s
    else:
        assert messages.expiry(expires) < 0


def test_topics_are_those_of_the_contract() -> None:
    """The broker's access rules let a gateway use these and no others."""
    topics = Topics.of("gw")
    assert topics.state == "gatehouse/v1/gw/state"
    assert topics.receipt == "gatehouse/v1/gw/down/receipt"
    assert topics.for_event("gatehouse.alarm.reset", {}) == topics.alarm
    assert topics.for_event("gatehouse.line.fault", {"fault": "open"}) == topics.alarm
    assert topics.for_event("gatehouse.line.fault", {"fault": "short"}) == topics.event


def test_fault_is_told_once_however_many_topics_it_stands_on() -> None:
    """A fault for each refused publication would flood the outbox."""
    told: list[tuple[str, bool]] = []
    troubles = Troubles(lambda fault, begins, _: told.append((fault, begins)))
    for on in ("alarm", "event", "alarm"):
        troubles.begin("no-subscriber", {}, on=on)
    troubles.end("no-subscriber", on="alarm")
    troubles.end("no-subscriber", on="never")
    assert told == [("no-subscriber", True)]
    troubles.end("no-subscriber", on="event")
    troubles.end("no-subscriber", on="event")
    assert told == [("no-subscriber", True), ("no-subscriber", False)]


def test_proof_asks_with_the_newest_received_event_of_this_start_and_no_alarm() -> None:
    """An old start's event, or an alarm, published again could be taken for something new."""
    proof = Proof()
    proof.begin(7)
    for flight in (
        Flight("old", alarm=False, sequence="00000006.0000000009"),
        Flight("started", alarm=False, sequence="00000007.0000000001"),
        Flight("newer", alarm=False, sequence="00000007.0000000003"),
        Flight("alarm", alarm=True, sequence="00000007.0000000004"),
    ):
        proof.published(flight)
    assert proof.question() is None
    proof.received(["newer"])
    proof.received(["old", "started", "alarm", "unheard of"])
    question = proof.question()
    assert question is not None
    assert question.proof
    assert proof.asks == question.id == "newer"
