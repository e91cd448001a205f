"""The pipe between a looking child and its parent: whole messages, or none."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.errors import MessageError
from gatehouse.video.eye_messages import (
    GREY_BYTES,
    MOST_HEADER,
    Beat,
    Decoder,
    Failed,
    Key,
    Message,
    Opened,
    Picture,
    Records,
    encode,
)

counts = st.integers(0, 2**53)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(Opened, st.integers(1, 65535), st.integers(1, 65535), st.sampled_from(["h264"])),
    st.builds(
        Key,
        counts,
        counts,
        counts,
        st.floats(0, 1000),
        st.none() | st.floats(0, 128),
        st.integers(0, 255).map(lambda value: bytes([value]) * GREY_BYTES),
    ),
    st.builds(Beat, counts, counts),
    st.builds(Records, st.booleans(), st.text(max_size=500)),
    st.builds(
        Failed,
        st.sampled_from(["unreachable", "refused", "stalled", "ended"]),
        st.text(max_size=500),
    ),
    st.builds(
        lambda number, at_ns, small, whole: Picture(number, at_ns, len(small), small + whole),
        counts,
        counts,
        st.binary(min_size=1, max_size=300),
        st.binary(min_size=1, max_size=3000),
    ),
)


@given(st.lists(messages, max_size=6), st.data())
def test_however_a_pipe_is_cut(said: list[Message], data: st.DataObject) -> None:
    """A pipe gives what it has: messages must not depend on where it was cut."""
    stream = b"".join(map(encode, said))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    decoder, heard = Decoder(), list[Message]()
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        heard += decoder.feed(stream[start:end])
    assert heard == said


@given(messages, st.data())
def test_what_is_not_whole_is_no_message(message: Message, data: st.DataObject) -> None:
    """A child killed in the middle of a picture must not leave half a one."""
    stream = encode(message)
    assert Decoder().feed(stream[: data.draw(st.integers(0, len(stream) - 1))]) == []


@pytest.mark.parametrize(
    "said",
    [
        b"x" * MOST_HEADER,
        b"not json\n",
        b"[]\n",
        b'{"say": "what"}\n',
        b'{"say": "opened", "width": 0, "height": 1, "codec": ""}\n',
        b'{"say": "key", "at_ns": 1, "p_bytes": 1, "frames": 1, "fps": 1}\n',
        b'{"say": "key", "at_ns": 1, "p_bytes": -1, "frames": 1, "fps": 1, "payload": 57600}\n',
        b'{"say": "key", "at_ns": 1, "p_bytes": 1, "frames": 1, "fps": 1, "payload": 57601}\n',
        b'{"say": "beat", "at_ns": 1, "frames": 1, "payload": 1000000000}\n',
        b'{"say": "failed", "fault": "moved"}\n',
        b'{"say": "failed", "fault": "ended", "payload": -1}\n',
        b"\xff\xfe\n",
    ],
)
def test_nonsense_is_refused(said: bytes) -> None:
    """A child gone mad must be killed, not believed, and not fill our memory."""
    with pytest.raises(MessageError):
        Decoder().feed(said)


@given(st.binary(max_size=300))
def test_any_bytes(said: bytes) -> None:
    """Whatever comes, it is a message, nothing yet, or refused."""
    with suppress(MessageError):
        assert Decoder().feed(said + b"\n") == []


def test_a_long_text_is_shortened() -> None:
    """A child's own words must not be what its parent refuses."""
    (heard,) = Decoder().feed(encode(Failed("stalled", "的" * 5000)))
    assert heard == Failed("stalled", "的" * 500)
