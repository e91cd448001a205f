"""The child that looks through an RTSP camera: what it says, what it hides, when it ends."""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.video.eye import Timing, rtsp_command
from gatehouse.video.eye_messages import Failed, Key, Opened
from gatehouse.video.rtsp_eye_url import with_credential
from video.recording_rig import gone
from video.sim_cameras import QUICK, looking, simulated


@pytest.mark.parametrize(("film", "codec"), [("normal", "h264"), ("normal-h265", "hevc")])
async def test_what_is_said_of_a_camera(film: str, codec: str) -> None:
    """Both codecs that cameras speak must be looked through, and measured alike."""
    async with simulated({"gate": film}) as cameras, looking(cameras.url("gate")) as look:
        await look.settled()  # on a busy machine a first attempt may fail
        await look.more(3)
        assert Opened(1920, 1080, codec) in look.heard
        failed = max((n for n, e in enumerate(look.heard) if isinstance(e, Failed)), default=0)
        _, *keys = [each for each in look.heard[failed:] if isinstance(each, Key)]
        for each in keys:
            assert each.frames == 25
            assert 5_000 < each.p_bytes < 200_000
            assert each.colour is not None
            assert each.colour > 10
        assert [each.at_ns for each in keys] == sorted(each.at_ns for each in keys)
        close = pytest.approx(25, rel=0.3)  # a machine that is held up sees fewer, and then more
        await look.until(lambda: any(isinstance(e, Key) and e.fps == close for e in look.heard))


async def test_a_stream_that_changes_its_size() -> None:
    """A camera set to a lower resolution must be seen as it is now."""
    async with simulated({"gate": "normal"}) as cameras, looking(cameras.url("gate")) as look:
        await look.more(2)
        await cameras.show("gate", "low-resolution")
        await look.until(lambda: Opened(640, 360, "h264") in look.heard)
        await look.more(1)


async def test_the_credential_is_seen_by_nobody() -> None:
    """What stands on a command line or in the environment any user of the machine may read."""
    async with simulated({"gate": "normal"}) as cameras:
        await cameras.password("gate", "admin", "sesame")
        async with looking(cameras.url("gate"), credential="admin:sesame") as look:
            await look.more(1)
            for name in ("cmdline", "environ"):
                seen = shown(look.eye.pid, name)
                assert seen
                assert b"sesame" not in seen


def shown(pid: int | None, name: str) -> bytes:
    """Return what the kernel shows of a process."""
    return Path(f"/proc/{pid}/{name}").read_bytes()


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as no camera does."""
    await reader.readline()
    writer.write(b"HTTP/1.1 500 No\r\n\r\n" + b"x" * 4000)
    writer.close()


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the connection, and never answer."""
    await reader.read()
    writer.close()


@pytest.mark.parametrize(
    ("answer", "timing"),
    [
        pytest.param(nonsense, QUICK, id="nonsense"),
        pytest.param(silence, replace(QUICK, first_s=2.0), id="silence"),
        pytest.param(silence, QUICK, id="told", marks=pytest.mark.campaign),
    ],
)
async def test_something_that_is_no_camera(answer: object, timing: Timing) -> None:
    """A web server or a hung camera at the address is told as unreachable, never as a crash."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)  # type: ignore[arg-type]  # both are
    port = server.sockets[0].getsockname()[1]
    url = f"rtsp://127.0.0.1:{port}/gate"
    async with server, looking(url, credential="admin:sesame", timing=timing) as look:
        await look.until(lambda: bool(look.changes))
        assert look.words() == [("unreachable", True)]
        assert "sesame" not in str(look.heard)


async def test_a_path_that_is_none() -> None:
    """A typing mistake in the address must be told in words that help."""
    async with simulated({"gate": "normal"}) as cameras, looking(cameras.url("gate") + "s") as look:
        await look.until(lambda: bool(look.changes))
        assert look.words() == [("unreachable", True)]
        assert isinstance(look.heard[-1], Failed)
        assert "404" in look.heard[-1].text


async def test_it_dies_with_its_parent() -> None:
    """After a kill -9 of the service its eyes would else hold the camera's few connections."""
    parent = """
import asyncio, sys
from gatehouse.video.eye import Eye, rtsp_command
eye = Eye(rtsp_command(sys.argv[1]), lambda message: print(eye.pid, flush=True), first_line=b"\\n")
asyncio.run(eye.run())
"""
    async with simulated({"gate": "normal"}) as cameras:
        service = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", parent, cameras.url("gate")), stdout=asyncio.subprocess.PIPE
        )
        try:
            assert service.stdout is not None
            child = int(await service.stdout.readline())
            os.kill(child, 0)
        finally:
            service.kill()
            await service.communicate()
        await gone(child)


async def test_it_does_not_begin_without_its_parent() -> None:
    """One whose parent was killed at its start would wait for ever for a camera that is stalled."""
    asked = asyncio.Event()
    server = await asyncio.start_server(lambda _r, _w: asked.set(), "127.0.0.1", 0)
    url = f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/gate"
    async with server:
        child = await asyncio.create_subprocess_exec(
            *rtsp_command(url), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await child.communicate(b"\n")  # and nobody holds its stdin any more
    assert (child.returncode, said) == (1, b"")
    assert not asked.is_set()


@given(st.text(), st.text())
def test_any_credential_fits_into_an_address(user: str, password: str) -> None:
    """Passwords hold every character; none may end the user's part, or show in the host's."""
    user = user.replace(":", "")
    url = with_credential("rtsp://10.0.0.7:554/live?a=b@c", f"{user}:{password}")
    assert url.endswith("10.0.0.7:554/live?a=b@c")
    known = url.removeprefix("rtsp://").removesuffix("10.0.0.7:554/live?a=b@c")
    assert known == "" if not user else known.endswith("@")
    assert not set(known[:-1]) & set("@/ '\"?#\\\n")
    assert known.count(":") == bool(user)


def test_a_credential_replaces_that_of_the_address() -> None:
    """An address never has two."""
    assert with_credential("rtsp://old:one@cam/live", "new:two") == "rtsp://new:two@cam/live"
    assert with_credential("rtsp://cam/live", "") == "rtsp://cam/live"
    assert with_credential("rtsp://cam/live", "user") == "rtsp://user@cam/live"
