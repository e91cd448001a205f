"""Memory and load, from procfs alone."""

import re
from typing import Final

from gatehouse.checks.context import Context
from gatehouse.checks.frame import Check, Findings, fail, nothing, ok, warn
from gatehouse.checks.text import say
from gatehouse.texts import N_

FAULT: Final = "memory"
LEAST_PERCENT: Final = 5.0
"""Of memory that can be had; below, the kernel begins to kill."""
LOW_PERCENT: Final = 10.0
BUSY: Final = 2.0
"""Five minutes' load for each processor above which presses begin to wait for their turn."""


def _look(context: Context) -> Findings:
    machine = context.machine
    said = machine.read("proc/meminfo") or ""
    figures = {name: int(kb) for name, kb in re.findall(r"(\w+):\s+(\d+) kB", said)}
    total, free = figures.get("MemTotal", 0), figures.get("MemAvailable")
    if not total or free is None:
        return [nothing(N_("/proc/meminfo is not there"))]
    percent = 100.0 * free / total
    load = _load(machine.read("proc/loadavg"))
    cpus = max(1, len(re.findall(r"(?m)^cpu\d", machine.read("proc/stat") or "")))
    figure = say(
        N_("{mb} MB, free {percent} %, load {load}"),
        percent=f"{percent:.0f}",
        mb=total // 1024,
        load=f"{load:.1f}",
    )
    biggest = say(N_("see what needs it: ps aux --sort -rss"))
    if percent < LEAST_PERCENT:
        return [fail(figure, biggest, FAULT)]
    if percent < LOW_PERCENT:
        return [warn(figure, biggest)]
    if load / cpus > BUSY:
        return [warn(figure, say(N_("see what works so hard: ps aux --sort -pcpu")))]
    return [ok(figure)]


def _load(text: str | None) -> float:
    """Return the load of the last five minutes."""
    found = re.match(r"[\d.]+ ([\d.]+) ", text or "")
    return float(found[1]) if found else 0.0


CHECK: Final = Check.beside("memory", N_("memory and load"), 3.0, _look)
