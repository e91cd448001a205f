"""Killed at any step of a clean-up under the floor: disk, index and events agree afterwards.

And so they do when the disk under the index and the journal is full.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from gatehouse.control.reports import Told
from gatehouse_sim.agent import die_with_parent
from video_service.recordings_killed import box_of
from video_service.recordings_rig import lost

TESTS = Path(__file__).parents[1]
TMPFS = 'mount -t tmpfs -o size=600k none "$1" && exec "$2" -m video_service.recordings_full "$1"'
QUICK = [9, 10, 11, 12, 13, 16, 18, 19, 20, 24, 30, 32, 47, 84]
"""Around the journal's first writing (9 to 11), the intents (12), what is unlinked (13 to 16),
synced and forgotten, what is counted (29 to 33), the same a minute later, and never."""
ALL = [step for step in range(1, 84) if step not in QUICK]


@pytest.mark.parametrize(
    "step", [*QUICK, *(pytest.param(step, marks=pytest.mark.campaign) for step in ALL)]
)
def test_killed_at_any_step(tmp_path: Path, step: int) -> None:
    """A power cut in the middle of a clean-up must neither hide a loss nor count it twice."""
    killed(tmp_path, step)


@pytest.mark.parametrize("step", [15, 19])
def test_killed_and_the_index_is_lost(tmp_path: Path, step: int) -> None:
    """The journal must not rest on an index that may be made anew at any time."""
    killed(tmp_path, step, and_index=True)


def killed(tmp_path: Path, step: int, *, and_index: bool = False) -> None:
    """Have clean-up killed, begin again, and compare the disk, the index and what was told."""
    box = box_of(tmp_path)
    for name in ("gate", "yard"):
        box.cameras.pop(0)
        box.add(name, days=2)
    before = {name: box.files(name) for name in ("gate", "yard")}
    done = subprocess.run(
        [sys.executable, "-m", "video_service.recordings_killed", str(tmp_path), str(step)],
        check=False,
        cwd=TESTS,
        stdout=subprocess.PIPE,
        timeout=60,
        preexec_fn=die_with_parent,  # it makes one system call
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert done.returncode in {-signal.SIGKILL, 0}
    lines = [line for line in done.stdout.splitlines() if line.startswith(b"[")]
    heard = {
        each.key: each for line in lines for each in msgspec.convert(json.loads(line), list[Told])
    }
    if and_index:
        for path in (tmp_path / "state" / "video").glob("recordings.db*"):
            path.unlink()
    box.total = 10**9  # there is room again: nothing more goes
    again = box.begin()
    told = box.once().told
    for each in told:
        assert heard.setdefault(each.key, each) == each
    gone = 0
    for name in ("gate", "yard"):
        assert box.indexed(name) == box.files(name)
        gone += len(before[name] - box.files(name))
    assert lost(list(heard.values())) == gone
    if done.returncode == 0:
        assert gone == 7 + 2 * 4
    assert not [each for each in told if not each.key.startswith("deleted/")], "it is no gap"
    assert box.once(received=[each.key for each in told]).told == ()
    again.close()


def test_full_state_dir(tmp_path: Path) -> None:
    """Where nothing can be written any more, nothing goes uncounted, and all goes on afterwards."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    words = ["unshare", "--mount", "--map-root-user", "sh", "-c", TMPFS, "x", str(mounted)]
    done = subprocess.run(
        [*words, sys.executable],
        check=True,
        cwd=TESTS,
        stdout=subprocess.PIPE,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    found = json.loads(done.stdout)
    assert "full" in found["first"], "an index cannot even be made"
    assert found["room"] == {"ok": 1, "short": 0, "forecast": 0, "unknown": 0}
    assert found["kept"] == 48, "what cannot be counted does not go"
    assert found["lost"] == found["gone"] == 7
