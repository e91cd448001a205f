"""What the alarm service takes when nothing happens: memory and processor."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Final

import psutil

import rig as rigs
from figures import Aim, Row, Table
from rig import Child

_MB: Final = 1_000_000


async def _watch(seconds: float, rest_s: float) -> tuple[float, float, float]:
    """Return RSS and PSS in MB, and the processor's share in % of a core."""
    async with rigs.opened(tls=True) as rig:
        await rig.school.agent.start()
        rig.settle()
        time.sleep(rest_s)  # noqa: ASYNC251  # nothing else runs in this loop, and nothing shall
        pid = rig.school.agent.pid
        before_ns, began = _used_ns(pid), time.monotonic()
        time.sleep(seconds)  # noqa: ASYNC251  # nothing else runs in this loop, and nothing shall
        used_ns, took = _used_ns(pid) - before_ns, time.monotonic() - began
        memory = psutil.Process(pid).memory_full_info()
        return memory.rss / _MB, memory.pss / _MB, used_ns / 1e7 / took


def _used_ns(pid: int) -> int:
    """Return the processor time of all threads in ns, finer than the 10 ms of /proc/PID/stat."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)


def _bare() -> tuple[float, float]:
    """Return RSS and PSS in MB of a Python that does nothing."""
    code = "import time; print('ready', flush=True); time.sleep(600)"
    with Child(["-c", code]) as child:
        child.line()
        memory = psutil.Process(child.process.pid).memory_full_info()
        return memory.rss / _MB, memory.pss / _MB


def measure(seconds: float, rest_s: float) -> list[Table]:
    """Watch a connected agent (mutual TLS, eight buttons) for so long, after a rest.

    At its first start it spends about 15 s on reserving room for alarms inside the outbox, a slice
    each quarter of a second; from then on it is at rest.
    """
    rss, pss, cpu = asyncio.run(_watch(seconds, rest_s))
    bare_rss, bare_pss = _bare()
    beside = "a bare Python"
    rows = (
        Row(
            "RSS",
            "MB",
            value=rss,
            beside=beside,
            ratio=rss / bare_rss,
            aim=Aim("RSS", 35, rss, " MB"),
        ),
        Row("PSS", "MB", value=pss, beside=beside, ratio=pss / bare_pss),
        Row(
            f"processor over {seconds:g} s",
            "% of a core",
            value=cpu,
            aim=Aim("idle processor", 0.2, cpu, " %"),
        ),
        Row("a bare Python: RSS", "MB", value=bare_rss),
        Row("a bare Python: PSS", "MB", value=bare_pss),
    )
    version = ".".join(map(str, sys.version_info[:3]))
    notes = (
        f"Python {version}; MB of 1,000,000 bytes; RSS counts what is shared with others too",
        f"watched from {rest_s:g} s after the first start on, when the outbox has made its reserve",
    )
    return [Table("the alarm service at rest", rows, notes)]
