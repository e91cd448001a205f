"""Pictures before they reach the line: which wait, how fast they follow, what may be read. Pure."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.errors import MessageError
from gatehouse.uplink import picture_file
from gatehouse.uplink.picture_queue import KNOWN_S, MOST, Asked, Pace, PictureQueue
from gatehouse.uplink.timing import Timing
from gatehouse.uplink.window import Window
from uplink.bundle import picture


def asked(number: int, due_s: float = 600.0, alarm: str = "a") -> Asked:
    """Return a picture that was asked for."""
    return Asked(alarm, number, f"/{alarm}/{number}", due_s)


def test_the_oldest_gives_way_and_is_counted() -> None:
    """Without it a district that is away for a day would fill the memory."""
    queue = PictureQueue()
    for number in range(MOST + 5):
        queue.add(asked(number))
    first = queue.first(0.0)
    assert first is not None
    assert (first.number, len(queue), queue.dropped) == (5, MOST, 5)


def test_overdue_pictures_are_dropped_and_counted() -> None:
    """Without it the line would carry what nobody wants to see any more."""
    queue = PictureQueue()
    queue.add(asked(1, due_s=10.0))
    queue.add(asked(2, due_s=20.0))
    first = queue.first(10.0)
    assert first is not None
    assert (first.number, queue.dropped) == (2, 1)
    assert queue.first(30.0) is None
    assert queue.dropped == 2


def test_a_picture_that_is_asked_for_again_keeps_its_place() -> None:
    """Without it a video service that was restarted would have everything sent again."""
    queue = PictureQueue()
    queue.add(asked(1))
    queue.add(asked(2))
    before = queue.first(0.0)
    queue.add(asked(1, due_s=700.0))
    first = queue.first(0.0)
    assert before is not None
    assert first is not None
    assert (first.number, first.due_s, len(queue)) == (1, 700.0, 2)
    queue.done(before)  # the one that was under way
    queue.add(asked(1))
    assert (len(queue), queue.sent) == (1, 1)


@given(st.lists(st.floats(0.001, 30.0), min_size=1, max_size=20))
def test_the_line_rests_three_times_as_long_and_two_seconds_at_most(times: list[float]) -> None:
    """Without it pictures would take the whole of a narrow line."""
    pace, now = Pace(Timing()), 0.0
    for took in times:
        now += took
        pace.taken(took, 60_000, now)
        assert pace.resume_s - now == pytest.approx(min(3 * took, 2.0))
        now = pace.resume_s


def test_what_does_harm_is_tried_again_late_and_later() -> None:
    """Without it a broker that refuses pictures would end the connection again and again."""
    pace = Pace(Timing())
    waits = []
    for _ in range(7):
        pace.harmed(0.0)
        waits.append(pace.resume_s)
    assert waits == [15, 30, 60, 120, 240, 300, 300]
    pace.taken(0.1, 60_000, 0.0)
    pace.harmed(0.0)
    assert pace.resume_s == 15
    pace.unheard(0.0)
    assert pace.resume_s == 1


@pytest.mark.parametrize(
    ("took", "most_bytes", "bears"),
    [
        ([], 30_000, 60_000),  # nothing is known
        ([0.01], 60_000, 60_000),
        ([0.5], 60_000, 60_000),  # 1 Mbit/s
        ([2.4], 12_500, 50_000),  # 100 kbit/s
        ([2.4, 0.01, 30.0], 60_000, 60_000),  # one that met with a crowd says nothing
        ([2.4, 2.4, 6.0, 6.0, 6.0], 8000, 20_000),
        ([15.0], 8000, 8000),  # 16 kbit/s
        ([30.0], 8000, 8000),
    ],
)
def test_a_picture_is_as_large_as_a_second_carries(
    took: list[float], most_bytes: int, bears: int
) -> None:
    """Without it one picture at 100 kbit/s held a press up for five seconds."""
    pace = Pace(Timing())
    for each in took:
        pace.taken(each, 30_000, 0.0)
    assert pace.most_bytes == most_bytes
    assert pace.bears(bears, 0.0)
    assert bears == 60_000 or not pace.bears(bears + 1, 0.0)


def test_a_line_that_bears_no_picture_is_tried_now_and_then() -> None:
    """Below 16 kbit/s alarms need all of it; when it is wide again, pictures go again."""
    pace, waits = Pace(Timing()), []
    for _ in range(4):
        pace.taken(5.0, 8000, 0.0)
        waits.append(pace.resume_s)
    assert waits == [15, 30, 60, 120]
    pace.taken(0.1, 8000, 0.0)
    assert pace.resume_s < 1
    assert pace.most_bytes == 60_000


def test_what_a_line_bore_long_ago_says_nothing() -> None:
    """A camera whose smallest picture is too large for a narrow line would never give one again."""
    pace = Pace(Timing())
    pace.taken(30.0, 30_000, 1000.0)
    assert not pace.bears(12_000, 1000.0 + KNOWN_S)
    assert pace.bears(12_000, 1001.0 + KNOWN_S)
    pace.taken(30.0, 12_000, 1001.0 + KNOWN_S)
    assert not pace.bears(12_000, 1002.0 + KNOWN_S)


# the file


@pytest.mark.parametrize("path", ["", "/etc/passwd", "{0}", "{0}/../x", "{0}/a/../../x", "{0}/\0"])
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    """Without it whoever may open the socket could have any file sent to the district."""
    with pytest.raises(MessageError, match="unknown path"):
        picture_file.inside(tmp_path, path.format(tmp_path))


def test_only_small_regular_jpegs_are_read(tmp_path: Path) -> None:
    """Without it a link, a pipe or a whole film could go up, or hang the reading thread."""
    assert len(picture_file.read(tmp_path, picture(tmp_path, size=60_000))) == 60_000
    with pytest.raises(MessageError, match="60000"):
        picture_file.read(tmp_path, picture(tmp_path, size=60_001))
    text = tmp_path / "bundle" / "text.jpg"
    text.write_text("no picture", encoding="ascii")
    with pytest.raises(MessageError, match="no JPEG"):
        picture_file.read(tmp_path, str(text))
    os.mkfifo(tmp_path / "bundle" / "pipe.jpg")
    with pytest.raises(MessageError, match="regular"):
        picture_file.read(tmp_path, str(tmp_path / "bundle" / "pipe.jpg"))


def test_no_link_is_followed(tmp_path: Path) -> None:
    """Without it a bundle that was tampered with could show the district the gateway's key."""
    inside, outside = tmp_path / "evidence", tmp_path / "outside"
    secret = picture(outside)
    (inside / "bundle").mkdir(parents=True)
    (inside / "bundle" / "link.jpg").symlink_to(secret)
    (inside / "way").symlink_to(outside / "bundle")
    for path in ("bundle/link.jpg", "way/gate-1.jpg"):
        with pytest.raises(OSError, match=r"Too many levels|Not a directory"):
            picture_file.read(inside, str(inside / path))


def test_a_picture_leaves_the_line_to_a_press() -> None:
    """Without it a picture could go beside a reply, or take the only slot that a press has."""
    window = Window(20)
    assert window.admits_picture()
    window.sent(100)
    assert not window.admits_picture()
    assert not Window(1).admits_picture()
