"""How long first scan, steady pass and clean-up plan take, beside ``find`` on the same tree.

Run by itself: ``python benchmarks/recordings.py [--cameras 16] [--days 90] [--layout own|flat]``.
Each step is a process of its own, so that its memory is its own.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from figures import Row, Table
from gatehouse.video.answers import Duty, answers
from gatehouse.video.cleanup import keeping
from gatehouse.video.index import Index
from gatehouse.video.plan import plan
from gatehouse.video.retention import DAY_MS, Disk
from gatehouse.video.scan import Scanner
from gatehouse_sim.recordings import LAYOUTS, Tree, film, make

_KB_A_MB: Final = 1024
_NEW: Final = 10
"""Segments that are new in a pass with news."""
_PASSES: Final = 10
_BESIDE: Final = {"first scan": "find, first time", "steady pass": "find, again"}


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    cameras: int
    days: float
    layout: str = "own"


@dataclass(frozen=True, slots=True)
class Result:
    """What one step took."""

    what: str
    seconds: float
    peak_mb: float | None = None
    note: str = ""


def tables(size: Size) -> list[Table]:
    """Measure in a temp folder; return the times beside ``find``, and the memory."""
    with tempfile.TemporaryDirectory(prefix="recordings-") as folder:
        made, *results, index = measure(size, Path(folder))
    what = f"recordings of {size.cameras} cameras, {size.days:g} days"
    notes = [f"{made.what}: {made.seconds:.1f} s"]
    notes += [f"{each.what}: {each.note}" for each in results if each.note]
    peaks = {each.peak_mb: each.what for each in reversed(results) if each.peak_mb}
    rows = [Row(f"{step} …", "MB", value=peak) for peak, step in reversed(peaks.items())]
    rows.append(Row(index.what, "MB", value=index.peak_mb))
    return [
        Table(f"{what}: s", tuple(_beside_find(results)), tuple(notes)),
        Table(f"{what}: MB", tuple(rows), ("the peak of each process, named by its first step",)),
    ]


def _beside_find(results: list[Result]) -> Iterator[Row]:
    took = {each.what: each.seconds for each in results}
    for what, seconds in took.items():
        beside = _BESIDE.get(what.partition(",")[0])
        ratio = None if beside is None else seconds / took[beside]
        yield Row(what, "s", value=seconds, beside=beside or "", ratio=ratio)


def measure(size: Size, folder: Path) -> list[Result]:
    """Make the tree, and measure every step on it."""
    until_ms = round(time.time()) // 60 * 60_000 - 120_000
    began = time.perf_counter()
    count = sum(
        make(
            folder / "recordings" / f"cam-{number}",
            Tree(until_ms, size.days, layout=size.layout, random_holes=20, seed=number),
        )
        for number in range(size.cameras)
    )
    results = [Result(f"making {count} segments", time.perf_counter() - began)]
    results += [_find(folder, "find, first time"), _find(folder, "find, again")]
    for step in _STEPS:
        command = [sys.executable, __file__, "--step", step, "--folder", str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        results += [Result(**row) for row in json.loads(done.stdout)]
    index = (folder / "recordings.db").stat().st_size / 2**20
    return [*results, Result("size of the index", 0, index, "MB on disk, not memory")]


def _find(folder: Path, what: str) -> Result:
    """Let ``find`` look at size and time of every file, as a scan must."""
    began = time.perf_counter()
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  # a device
        command = ["find", str(folder / "recordings"), "-type", "f", "-printf", "%p %s %T@\n"]
        subprocess.run(command, check=True, stdout=nowhere)
    return Result(what, time.perf_counter() - began)


def _scanners(folder: Path) -> list[Scanner]:
    index = Index(folder / "recordings.db")
    roots = sorted((folder / "recordings").iterdir())
    return [Scanner(index, root.name, root, UTC, time.time_ns, time.monotonic) for root in roots]


def _first(folder: Path) -> list[Result]:
    began = time.perf_counter()
    found = 0
    for scanner in _scanners(folder):
        newest = 0
        for progress in scanner.look():
            newest = progress.segments
        found += newest
    return [Result("first scan", time.perf_counter() - began, note=f"{found} segments")]


def _passes(scanners: list[Scanner], what: str, times: int) -> Result:
    began, found = time.perf_counter(), 0
    for _ in range(times):
        for scanner in scanners:
            found += max((progress.segments for progress in scanner.look()), default=0)
    return Result(what, (time.perf_counter() - began) / times, note=f"{found} new")


def _steady(folder: Path) -> list[Result]:
    scanners = _scanners(folder)
    _passes(scanners, "", 1)
    results = [_passes(scanners, "steady pass, nothing new", _PASSES)]
    for scanner in scanners:
        for second in range(_NEW):
            start = datetime.fromtimestamp(time.time() // 60 * 60 - 60 + second, UTC)
            path = scanner.root / f"{start:%Y-%m-%d}"
            name = f"{start:%Y%m%dT%H%M%SZ}.mp4"
            (path if path.is_dir() else scanner.root).joinpath(name).write_bytes(film(1000))
    results.append(_passes(scanners, f"steady pass, {_NEW} new a camera", 1))
    began = time.perf_counter()
    for scanner in scanners:
        scanner.check_some(1000)
    per = (time.perf_counter() - began) / len(scanners)
    return [*results, Result("measuring 1000 segments in the background", per)]


def _answers(folder: Path) -> list[Result]:
    scanners = _scanners(folder)
    duties = [Duty(scanner.camera, "critical", 90, "disk") for scanner in scanners]
    disk = Disk(10**13, 10**12, 5)
    began = time.perf_counter()
    now_ms = round(time.time() * 1000)
    answers(scanners[0].index, duties, {"disk": disk}, now_ms=now_ms, gap_ms=300_000)
    return [Result("the answer for all cameras", time.perf_counter() - began)]


def _plan(folder: Path) -> list[Result]:
    index = Index(folder / "recordings.db")
    now_ms = round(time.time() * 1000)
    began = time.perf_counter()
    keeps = [
        keeping(index, camera, area="general", floor_ms=DAY_MS, now_ms=now_ms)
        for camera in index.cameras()
    ]
    total = sum(keep.bytes for keep in keeps)
    disk = Disk(total, 0, 5)
    made = plan(keeps, disk, now_ms=now_ms, gap_ms=300_000, on_full="oldest")
    note = f"5 % of the disk wanted; {len(made.deletions)} deletions in this pass"
    return [Result("clean-up plan", time.perf_counter() - began, note=note)]


_STEPS: Final[dict[str, Callable[[Path], list[Result]]]] = {
    "first": _first,
    "steady": _steady,
    "answers": _answers,
    "plan": _plan,
}


def _step(step: str, folder: Path) -> None:
    """Run one step in this process and print what it took, with its peak of memory."""
    results = _STEPS[step](folder)
    peak = _peak_mb()
    rows: list[dict[str, Any]] = [
        {"what": each.what, "seconds": each.seconds, "peak_mb": peak, "note": each.note}
        for each in results
    ]
    print(json.dumps(rows))


def _peak_mb() -> float:
    """Return the peak of this process; getrusage would say its parent's, where that was higher."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / _KB_A_MB


def main(argv: list[str] | None = None) -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--days", type=float, default=90)
    parser.add_argument("--layout", choices=sorted(LAYOUTS), default="own")
    parser.add_argument("--quick", action="store_true", help="2 cameras, 7 days")
    parser.add_argument("--step", choices=sorted(_STEPS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="where to make the tree (default: a temp one)")
    args = parser.parse_args(argv)
    if args.step is not None:
        _step(args.step, args.folder)
        return 0
    size = Size(2, 7, args.layout) if args.quick else Size(args.cameras, args.days, args.layout)
    folder = Path(tempfile.mkdtemp(prefix="recordings-", dir=args.folder))
    try:
        for row in measure(size, folder):
            peak = "" if row.peak_mb is None else f"{row.peak_mb:8.0f} MB"
            print(f"{row.what:45} {row.seconds:10.3f} s {peak:>12}  {row.note}")
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
