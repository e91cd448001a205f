"""How long a recording is: real files by ffmpeg, cut at every kind of place, beside ffprobe."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.video.segment import Measure, measure

FRAME_MS = 1000 / 25
RECIPE = (
    "-f segment -segment_time 60 -segment_format mp4 -segment_format_options"
    " movflags=+frag_keyframe+empty_moov+default_base_moof:flush_packets=1 -reset_timestamps 1"
)
KINDS = {
    "camera": f"-bf 0 -g 25 {RECIPE}",
    "b-frames": f"-bf 2 -g 25 {RECIPE}",
    "with-sound": f"-bf 0 -g 25 -c:a aac {RECIPE}",
}


def encode(out: Path, options: str, *, sound: bool = False) -> bytes:
    """Make 4.2 s of a film with these options."""
    pictures = "-f lavfi -i testsrc=size=320x180:rate=25:duration=4.2"
    tone = "-f lavfi -i sine=duration=4.2" if sound else ""
    coder = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"
    command = f"ffmpeg -v error -y {pictures} {tone} {coder} {options}"
    subprocess.run([*command.split(), str(out)], check=True, timeout=120)
    return next(out.parent.glob("film*.mp4")).read_bytes()


@pytest.fixture(scope="module", params=sorted(KINDS))
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Make a segment with the recorder's own recipe."""
    out = tmp_path_factory.mktemp("film") / "film%d.mp4"
    return encode(out, KINDS[request.param], sound=request.param == "with-sound")


def measured(data: bytes) -> Measure | None:
    """Measure these bytes as a file."""
    return measure(lambda at, count: data[at : at + count], len(data))


def packets(path: Path) -> dict[int, tuple[float, int]]:
    """Return by ffprobe when each video packet is shown, and its bytes, by where it lies."""
    command = "ffprobe -v quiet -select_streams v -show_entries packet=pts_time,pos,size -of json"
    done = subprocess.run([*command.split(), str(path)], capture_output=True, check=False)
    found: list[dict[str, Any]] = json.loads(done.stdout or b"{}").get("packets", [])
    return {int(each["pos"]): (float(each["pts_time"]), int(each["size"])) for each in found}


def playable(data: bytes, cut: int) -> int:
    """Return where to cut for ffmpeg, which opens no file that ends within a list of packets."""
    for kind, begin, end in boxes(data):
        if kind == "moof" and begin + 8 < cut < end:
            return begin
    return cut


def boxes(data: bytes) -> list[tuple[str, int, int]]:
    """Return kind, begin and end of the boxes of a file."""
    found, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8].decode(), at, at + length))
        at += length
    return found


def test_whole_file(whole: bytes) -> None:
    """A recording that was closed well is as long as it is, and nothing of it is lost."""
    found = measured(whole)
    assert found is not None
    assert not found.cut
    assert abs(found.length_ms - 4200) <= FRAME_MS


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(part, marks=pytest.mark.campaign) for part in (1, 2))]
)
def test_cut_at_every_kind_of_place(whole: bytes, tmp_path: Path, part: int) -> None:
    """After a power cut a recording plays to its last flushed packet, and is told to the frame."""
    places: set[int] = {0, 4, 20}
    for _kind, begin, end in boxes(whole):
        places |= {begin, begin + 6, begin + 12, begin + 100, (begin + end) // 2, end - 1, end}
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole)
    uncut = packets(path)
    for place in sorted(place for place in places if place <= len(whole))[part::3]:
        path.write_bytes(whole[: playable(whole, place)])
        shown = [each[0] for at, each in packets(path).items() if each == uncut[at]]
        found = measured(whole[:place])
        if not shown:
            assert found is None, place
        else:
            assert found is not None, place
            truth = (max(shown) - min(shown)) * 1000 + FRAME_MS
            assert abs(found.length_ms - truth) <= 2 * FRAME_MS, (place, found, truth)


def test_cut_is_told(whole: bytes) -> None:
    """A recording that lost its tail is shown as such, and not as one that ended by itself."""
    fourth = [begin for kind, begin, _end in boxes(whole) if kind == "mdat"][3]
    found = measured(whole[: fourth + 50])
    assert found is not None
    assert found.cut
    assert found.length_ms in range(3000 - 80, 3000 + 81)


def test_file_grown_but_not_written(whole: bytes) -> None:
    """ext4 can keep a file's size and lose its last blocks: zeros are no pictures."""
    first, second = [begin for kind, begin, _end in boxes(whole) if kind == "moof"][1:3]
    mdat = next(end for kind, begin, end in boxes(whole) if kind == "moof" and begin == first)
    hollow = whole[: mdat + 8] + bytes(second - mdat - 8)
    found = measured(hollow)
    assert found is not None
    assert found.cut
    assert found.length_ms in range(1000 - 80, 1000 + 81)
    longer = measured(whole[:second] + bytes(500_000))
    assert longer is not None
    assert longer.length_ms in range(2000 - 80, 2000 + 81)


def test_timeline_that_does_not_begin_at_zero(whole: bytes) -> None:
    """Other recorders let the time base run on from file to file; a length must not."""
    kinds = [(begin, end) for kind, begin, end in boxes(whole) if kind == "moof"]
    head = next(end for kind, _begin, end in boxes(whole) if kind == "moov")
    cut = whole[:head] + whole[kinds[2][0] :]
    found = measured(cut)
    assert found is not None
    assert abs(found.length_ms - 2200) <= 2 * FRAME_MS


def test_plain_mp4(tmp_path: Path) -> None:
    """Another recorder's MP4 says its length in its head, wherever that lies; cut, nothing."""
    for options in ("-g 25", "-g 25 -movflags +faststart"):
        data = encode(tmp_path / "film.mp4", options)
        assert measured(data) == Measure(4200)
    late = encode(tmp_path / "film.mp4", "-g 25")
    assert measured(late[:-100]) is None


@given(st.binary(max_size=400))
def test_no_bytes_are_too_strange(data: bytes) -> None:
    """A file that is something else must be told as damaged, not stop the scan."""
    measured(data)
    measured(b"\0\0\0\x14ftypisom\0\0\0\0isom" + data)


@given(st.data())
def test_no_damage_is_too_strange(whole: bytes, data: st.DataObject) -> None:
    """A bad card changes bytes anywhere: whatever is told, it is told, and soon."""
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 20))):
        at = data.draw(st.integers(0, len(broken) - 1))
        broken[at] = data.draw(st.integers(0, 255))
    measured(bytes(broken[: data.draw(st.integers(0, len(broken)))]))
