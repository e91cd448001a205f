"""A disk that is really full, on file systems that are really there.

A tmpfs in a user namespace is mounted by anybody; where the tests run as root, an ext4 image too,
as on the card of a gateway. Both vanish with the process that mounted them.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from gatehouse.outbox.room import SLICES
from outbox.child import HERE, environment

MB = 1 << 20
TMPFS = 'mount -t tmpfs -o size=96m none "$1" && exec "$2" "$3" "$1"'
EXT4 = 'mount -o loop "$0" "$1" && exec "$2" "$3" "$1"'


def _mounts_images() -> bool:
    """Whether an ext4 image can be mounted here: tried, as a container's root may not."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image"
        _make_ext4(image, 4 * MB)
        words = ["unshare", "--mount", "mount", "-o", "loop", str(image), folder]
        return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _make_ext4(image: Path, size: int) -> None:
    with image.open("wb") as file:
        file.truncate(size)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)


FILE_SYSTEMS = (
    [pytest.param("tmpfs", marks=pytest.mark.campaign), "ext4"] if _mounts_images() else ["tmpfs"]
)


async def on_small_disk(kind: str, folder: Path, program: str) -> Any:
    """Run a program with a small file system of its own; returns the JSON that it prints."""
    mounted = folder / "disk"
    mounted.mkdir()
    image = folder / "image"
    if kind == "ext4":
        _make_ext4(image, 112 * MB)
    unshare = (
        ["unshare", "--mount"] if kind == "ext4" else ["unshare", "--mount", "--map-root-user"]
    )
    command = EXT4 if kind == "ext4" else TMPFS
    process = await asyncio.create_subprocess_exec(
        *(*unshare, "sh", "-c", command, str(image), str(mounted)),
        *(sys.executable, str(HERE / program)),
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(out)


@pytest.mark.parametrize("kind", FILE_SYSTEMS)
async def test_ten_thousand_alarms_on_a_full_disk(kind: str, tmp_path: Path) -> None:
    """Without room of its own an alarm on a full disk is lost with the next power cut.

    Somebody takes every byte that can be had; other events come all the time; the process is
    killed in the middle and opens again, then is stopped in order and opens again.
    """
    found = await on_small_disk(kind, tmp_path, "full_disk.py")
    killed, stopped, again, with_room = found["turns"]
    assert killed["alarms_stored"] == 5001
    assert stopped["alarms_stored"] == 3000
    assert again["alarms_stored"] == 2000
    for turn in found["turns"]:
        assert turn["lost"] == [], "what was reported as stored is there"
    assert killed["others_stored"] < 1500, "others do not take what is held for alarms"
    assert stopped["others_stored"] == again["others_stored"] == 0
    assert [start["opening"]["start"] for start in found["turns"][1:]] == [2, 3, 4]
    for turn in (killed, stopped, again):
        assert [begins for fault, begins, _ in turn["troubles"] if fault == "outbox-disk"] == [True]
    [shed] = [data for fault, _, data in stopped["troubles"] if fault == "outbox-full"]
    assert shed["dropped"] >= 1
    assert shed["sequences"][0] == "00000002.0000000001"
    assert with_room["others_stored"] == 50
    assert with_room["troubles"] == []
    assert found["reserve"] == SLICES, "what alarms have used is made again"
