"""The disk is full, or hangs: a press is at the district all the same, and later on the disk."""

import asyncio
import contextlib
import fcntl
import os
import shlex
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from gatehouse_sim.school import Plan, School, blinks, opened
from system.fault_steps import (
    LONG_S,
    ROOT,
    arrived,
    ended,
    in_own_mounts,
    log,
    press,
    red,
    row,
    seen_by,
    stands,
    well,
    whole,
)

FREEZE, THAW = 0xC0045877, 0xC0045878  # FIFREEZE, FITHAW (linux/fs.h)
ENDS_S = 40.0
"""Issue: 2 s. A loaded machine gets more; a hang would last for ever."""


def fill(folder: Path) -> None:
    """Leave not one byte on a file system."""
    with (folder / "filler").open("wb", buffering=0) as filler:
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while filler.write(b"x" * size):
                    pass


def make_room(folder: Path) -> None:
    """Give it all back."""
    (folder / "filler").unlink()


@asynccontextmanager
async def on_small_disk(
    root: Path, monkeypatch: pytest.MonkeyPatch, size: str
) -> AsyncIterator[tuple[School, Path]]:
    """Open a school whose agent keeps its state on a tmpfs of that size; it lasts one start."""
    async with opened(root, Plan(), agent=False) as school:
        state = school.place.state_dir
        state.mkdir()
        place = shlex.quote(str(state))
        in_own_mounts(monkeypatch, root, f"mount -t tmpfs -o size={size} none {place}")
        await school.agent.start()
        await well(school)
        yield school, seen_by(school, state)


async def stored(school: School, *alarms: str) -> None:
    """Wait until these, all the alarms of this start, are on the disk, and in the log."""
    await school.agent.wait_for(lambda s: s["latency_ms"]["stored"]["n"] == len(alarms))
    assert set(alarms) <= {event["id"] for event in await log(school)}


async def test_disk_full_online(school_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk must not stop a press, and must be told; with room again nothing is missing."""
    async with on_small_disk(school_root, monkeypatch, "64m") as (school, state):
        fill(state)
        alarms = [await press(school) for _ in range(3)]
        await arrived(school.district, *alarms)
        await school.agent.wait_for(lambda s: row(s)["alarm"] == "received")
        assert await school.lamp(blinks(1.0), red(school.button("gate")))
        await stands(school, "outbox-disk")
        make_room(state)
        await ended(school, "outbox-disk")
        alarms.append(await press(school))
        await arrived(school.district, *alarms)
        await well(school)
        await stored(school, *alarms)
        await whole(school)


async def test_disk_full_offline(school_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With neither disk nor line a press waits in memory, the lamp says so, and then it goes."""
    async with on_small_disk(school_root, monkeypatch, "64m") as (school, state):
        await school.broker.stop()
        await school.agent.wait_for(lambda s: s["link"]["state"] != "connected")
        fill(state)
        alarms = [await press(school) for _ in range(3)]
        await stands(school, "outbox-disk")
        assert (await school.agent.status())["outbox"]["pending_alarms"] == 3
        assert await school.lamp(blinks(3.0), red(school.button("gate")))
        await school.broker.start()
        await arrived(school.district, *alarms)
        make_room(state)
        await well(school)
        await stored(school, *alarms)
        await whole(school)


async def test_alarms_have_room_of_their_own(
    school_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room for alarms is held inside the database: a full disk costs none of them its stored."""
    async with on_small_disk(school_root, monkeypatch, "100m") as (school, state):
        await school.broker.stop()
        await school.agent.wait_for(lambda s: s["link"]["state"] != "connected")
        fill(state)
        alarms = []
        for _ in range(5):
            alarms.append(await press(school))
            await school.agent.wait_for(lambda s: row(s)["alarm"] in {"stored", "undelivered"})
        await school.broker.start()
        await arrived(school.district, *alarms)
        make_room(state)
        await well(school)
        await stored(school, *alarms)
        await whole(school)


@contextmanager
def frozen(folder: Path) -> Iterator[None]:
    """Freeze a file system: every write hangs in the kernel until it is thawed."""
    place = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(place, FREEZE, 0)
        try:
            yield
        finally:
            fcntl.ioctl(place, THAW, 0)
    finally:
        os.close(place)


def format_image(image: Path, mount: str) -> None:
    """Make a file system in a file. Skips where the machine forbids to mount such a one."""
    if not ROOT:
        pytest.skip("only root may mount an image that can be frozen")
    with image.open("wb") as file:
        file.truncate(96 << 20)
    subprocess.run(["/sbin/mkfs.ext4", "-q", str(image)], check=True)
    place = image.with_name("tried")
    place.mkdir()
    tried = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{mount} {shlex.quote(str(place))}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode:
        pytest.skip(f"this machine forbids loop mounts: {tried.stderr.strip()}")


@asynccontextmanager
async def on_own_disk(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[School, Path]]:
    """Open a school whose agent keeps its state on a file system that can be frozen."""
    image = root / "disk.img"
    mount = f"mount -o loop {shlex.quote(str(image))}"
    format_image(image, mount)
    async with opened(root, Plan(), agent=False) as school:
        state = school.place.state_dir
        state.mkdir()
        in_own_mounts(monkeypatch, root, f"{mount} {shlex.quote(str(state))}")
        await school.agent.start()
        await well(school)
        try:
            yield school, image
        finally:
            await school.agent.kill()
            await unmounted(image)


async def unmounted(image: Path) -> None:
    """Wait until the kernel has let go of an image; it does so soon after its last process."""
    async with asyncio.timeout(LONG_S):
        while any(str(image) in entry.read_text() for entry in backing_files()):  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.05)


def backing_files() -> list[Path]:
    """Return what names the images of the machine's loop devices."""
    return [entry for entry in Path("/sys/block").glob("loop*/loop/backing_file") if entry.exists()]


async def leader_gone(pid: int) -> None:
    """Wait until a process has ended but for threads that the kernel holds in the disk."""
    while not is_zombie(pid):  # noqa: ASYNC110  # no event tells
        await asyncio.sleep(0.02)


def is_zombie(pid: int) -> bool:
    """Whether a process has ended and waits only for its own threads, or for its parent."""
    return "State:\tZ" in Path(f"/proc/{pid}/status").read_text(encoding="ascii")


async def hangs(school: School, image: Path, *, beats: int) -> None:
    """Press on a disk that hangs, for so many heartbeats; thawed, it has everything."""
    district = school.district
    with frozen(seen_by(school, school.place.state_dir)):
        alarms = [await press(school)]
        await arrived(district, *alarms)
        await school.agent.wait_for(lambda s: row(s)["alarm"] == "received")
        assert await school.lamp(blinks(1.0), red(school.button("gate")))
        await stands(school, "outbox-disk")
        for _ in range(beats):
            district.telemetry.clear()
            await district.wait_for(lambda d: d.telemetry)
            alarms.append(await press(school))
            await arrived(district, *alarms)
    await ended(school, "outbox-disk")
    await well(school)
    await stored(school, *alarms)
    await school.agent.kill()
    await unmounted(image)
    await school.agent.start()
    await well(school)
    assert set(alarms) <= {event["id"] for event in await log(school)}
    await whole(school)


async def test_disk_hangs(school_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The press is at the district, the lamp is right, the fault is told, and then it is stored."""
    async with on_own_disk(school_root, monkeypatch) as (school, image):
        await hangs(school, image, beats=0)


@pytest.mark.campaign
async def test_disk_hangs_for_a_minute(school_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a whole minute, pressed again and again."""
    async with on_own_disk(school_root, monkeypatch) as (school, image):
        await hangs(school, image, beats=4)  # one in 20 s


async def test_end_in_order_while_the_disk_hangs(
    school_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM must not wait for a dead disk: the district is told, and the service is gone."""
    async with on_own_disk(school_root, monkeypatch) as (school, _):
        with frozen(seen_by(school, school.place.state_dir)):
            alarm = await press(school)
            await arrived(school.district, alarm)
            await stands(school, "outbox-disk")
            os.kill(school.agent.pid, signal.SIGTERM)
            await school.district.wait_for(lambda d: not d.states[-1].online, timeout_s=ENDS_S)
            async with asyncio.timeout(ENDS_S):
                await leader_gone(school.agent.pid)
