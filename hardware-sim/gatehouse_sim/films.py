"""Films for the simulated cameras, made once by ffmpeg and kept in a folder.

Each shows the same school gate: as it is, by night, through a lens that is covered, and so on. They
are elementary streams with a keyframe every second and an access unit delimiter before each frame,
so that `rtsp_server`, which has only the standard library, can cut them into frames.
"""

import asyncio
import fcntl
import os
import random
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gatehouse.threads import off_loop
from gatehouse_sim.child import die_with_parent

FPS: Final = 25
"""Frames a second, and frames from keyframe to keyframe."""

_WIDTH, _HEIGHT = 2240, 1260
_VIEW: Final = "crop=1920:1080:160:90"

_NOISE: Final = "noise=alls=7:allf=t"
_LIMIT_S: Final = 180.0
_MAKING: Final = 2
"""Changed whenever a film below is: an older folder is then left alone."""


@dataclass(frozen=True, slots=True)
class Film:
    """How one film is made: ffmpeg's filters between the scene (or a colour) and the encoder."""

    filters: str
    seconds: int = 4
    scene: str = "gate"
    codec: str = "h264"
    size: tuple[int, int] = (1920, 1080)


COUNTER_S: Final = 128
"""Seconds that the film ``counter`` counts before it begins again."""


def _counting() -> str:
    """Return filters that show the film's own second: seven bars, white for a bit that is set.

    Bars survive any encoder. The cameras begin that film at the second of the wall clock.
    """
    bars = (
        f"drawbox=x={bit * 80}:y=0:w=80:h=360:color=white:t=fill"
        f":enable='eq(mod(floor(t/{1 << bit}),2),1)'"
        for bit in range(7)
    )
    return ",".join(["scale=640:360", *bars])


FILMS: Final = {
    "normal": Film(f"{_VIEW},[walker]{_NOISE}"),
    "normal-h265": Film(f"{_VIEW},[walker]{_NOISE}", codec="h265"),
    "night": Film(f"{_VIEW},[walker]lutyuv=y=16+(val-16)*0.3:u=128:v=128,noise=alls=10:allf=t"),
    "frozen": Film(_VIEW, seconds=2),
    "black": Film("noise=alls=1:allf=t", seconds=2, scene="color=black"),
    "covered": Film("noise=alls=4:allf=t", seconds=2, scene="color=0x6b5040"),
    "blurred": Film(f"{_VIEW},[walker]scale=80:45,scale=1920:1080:flags=bicubic,{_NOISE}"),
    "moved": Film(f"crop=1920:1080:300:20,[walker]{_NOISE}"),
    "turned": Film(f"rotate=0.15,{_VIEW},[walker]{_NOISE}"),
    "counter": Film(_counting(), seconds=COUNTER_S, scene="color=black", size=(640, 360)),
    "low-resolution": Film(f"{_VIEW},[walker]{_NOISE},scale=640:360", size=(640, 360)),
}
"""Every film by its name."""


async def films(folder: Path | None = None, names: Collection[str] = tuple(FILMS)) -> Path:
    """Return the folder with the films of these names, making those that lack.

    By default they are kept in the temp folder, for every later run of this user. Raises
    ChildProcessError with ffmpeg's words, TimeoutError when another run makes them for too long.
    """
    place = folder or Path(tempfile.gettempdir()) / f"gatehouse-films-{_MAKING}-{os.getuid()}"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:  # what two test runs need, one of them makes
        await off_loop(lambda: fcntl.flock(lock, fcntl.LOCK_EX), name="films", timeout_s=_LIMIT_S)
        lacking = [name for name in names if not film_path(place, name).exists()]
        with tempfile.TemporaryDirectory(dir=place) as work:
            scene = Path(work) / "gate.ppm"
            if lacking:
                scene.write_bytes(gate())
            for name in lacking:
                made = await _make(FILMS[name], scene, Path(work))
                made.replace(film_path(place, name))
    return place


def film_path(place: Path, name: str) -> Path:
    """Return where a film is. Raises LookupError for a name that is none."""
    if name not in FILMS:
        raise LookupError(f"no film is called {name!r}; there are {', '.join(FILMS)}")
    return place / f"{name}.{FILMS[name].codec}"


def gate(seed: int = 1) -> bytes:
    """Draw a school gate, wider than any camera sees it: a portable pixmap of walls and windows."""
    dice = random.Random(seed)  # noqa: S311  # a picture, not a secret
    row = bytes((150, 170, 190)) * _WIDTH
    rows = [bytearray(row) for _ in range(_HEIGHT)]
    for _ in range(420):
        width, height = dice.randrange(12, 220), dice.randrange(12, 160)
        left, top = dice.randrange(_WIDTH - width), dice.randrange(_HEIGHT - height)
        colour = bytes(dice.randrange(20, 236) for _ in range(3)) * width
        for line in rows[top : top + height]:
            line[left * 3 : (left + width) * 3] = colour
    return b"P6 %d %d 255\n" % (_WIDTH, _HEIGHT) + b"".join(rows)


async def _make(film: Film, scene: Path, work: Path) -> Path:
    target = work / f"film.{film.codec}"
    source: tuple[str, ...] = ("-loop", "1", "-framerate", str(FPS), "-i", str(scene))
    if film.scene != "gate":
        source = ("-f", "lavfi", "-i", f"{film.scene}:s=1920x1080:r={FPS}")
    before, walker, after = film.filters.partition("[walker]")
    graph = f"[0:v]format=yuv420p,{before}"
    if walker:
        path = "x='mod(t*480,W)':y='H*0.45+40*sin(t*6.28)'"
        graph = (
            f"color=0xa03020:s=150x380:r={FPS}[walker];{graph.rstrip(',')}[seen];"
            f"[seen][walker]overlay={path},{after}"
        )
    await _run(
        *("ffmpeg", "-v", "error", "-nostdin", "-y", *source),
        *("-filter_complex", f"{graph},format=yuv420p[out]", "-map", "[out]"),
        *("-t", str(film.seconds), *_encoder(film.codec), "-f", _MUXER[film.codec], str(target)),
    )
    return target


_MUXER: Final = {"h264": "h264", "h265": "hevc"}


def _encoder(codec: str) -> tuple[str, ...]:
    """Return the encoder's arguments.

    One quality for all frames (``ipratio``), as without movement the second frame of a picture
    would else spend as much as a walker on what the first left out.
    """
    keys = f"keyint={FPS}:min-keyint={FPS}:scenecut=0:bframes=0:aud=1:repeat-headers=1:ipratio=1"
    quick = ("-preset", "ultrafast", "-qp", "30")
    if codec == "h264":
        return ("-c:v", "libx264", *quick, "-x264-params", keys)
    return ("-c:v", "libx265", *quick, "-x265-params", f"{keys}:open-gop=0:log-level=error")


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    try:
        _, said = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise ChildProcessError(f"ffmpeg made no film: {said.decode(errors='replace')[-2000:]}")
