"""``make bench``: speed and memory of the agent beside bare baselines, all in one run."""

import argparse
import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table as Grid

import desk
import drain
import evidence
import idle
import press
import receiver_store
import recordings
import status
import store
from figures import Row, Table
from rig import temporary


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    rounds: int
    presses: int
    """Presses of each round."""
    slow_presses: int
    backlog: int
    drains: int
    seconds: float
    """How long the agent is watched at rest, and before that left alone to come to rest."""
    rest_s: float
    commands: int
    evidence_rounds: int
    recordings: recordings.Size


SIZES: Final = {
    "full": Size(10, 50, 20, 20_000, 3, 30.0, 20.0, 20, 5, recordings.Size(16, 90)),
    "quick": Size(4, 15, 5, 4_000, 1, 10.0, 20.0, 5, 2, recordings.Size(4, 14)),
    "tiny": Size(1, 2, 1, 1_000, 1, 0.2, 0.0, 1, 1, recordings.Size(2, 0.1)),
}

BENCHMARKS: Final[dict[str, Callable[[Size], list[Table]]]] = {
    "press": lambda size: press.measure(size.rounds, size.presses, size.slow_presses),
    "drain": lambda size: drain.measure(size.backlog, size.drains),
    "store": lambda size: store.measure(size.backlog, size.drains),
    "receiver": lambda size: receiver_store.measure(size.backlog, size.drains),
    "idle": lambda size: idle.measure(size.seconds, size.rest_s),
    "status": lambda size: status.measure(size.commands),
    "desk": lambda size: desk.measure(size.slow_presses),
    "evidence": lambda size: evidence.measure(size.evidence_rounds, size.presses),
    "recordings": lambda size: recordings.tables(size.recordings),
}


def main() -> int:
    """Measure, print, write; the exit code is 0 whether aims are met or not."""
    args = _arguments()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    about = machine()
    console.print(" · ".join(f"{key} {value}" for key, value in about.items()))
    done: list[Table] = []
    tiny = args.size == "tiny"  # only to see that it still measures: the figures are nobody's
    with contextlib.nullcontext() if tiny else compiled():
        for name in args.only:
            console.print(f"\n[dim]measuring: {name} …[/]")
            tables = BENCHMARKS[name](SIZES[args.size])
            done += tables
            for table in tables:
                show(console, table)
    aims = [row.aim for table in done for row in table.rows if row.aim is not None]
    console.print(f"\n{sum(aim.met for aim in aims)} of {len(aims)} aims met")
    if args.json is not None:
        said = {"machine": about, "size": args.size, "tables": [t.document() for t in done]}
        args.json.write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench BENCH_ARGS=…", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--only", type=_names, default=list(BENCHMARKS), metavar="A,B", help=", ".join(BENCHMARKS)
    )
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--size", choices=SIZES, default="full", help="how much is measured")
    sizes.add_argument("--quick", dest="size", action="store_const", const="quick")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in BENCHMARKS]:
        raise argparse.ArgumentTypeError(f"no benchmark {unknown[0]}: {', '.join(BENCHMARKS)}")
    return names


@contextlib.contextmanager
def compiled() -> Iterator[None]:
    """Have the children find their modules compiled, as pip leaves them.

    Compiling at a start would count as its time and as memory of the service.
    """
    with temporary() as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
        status.measure(1)
        yield


def machine() -> dict[str, str]:
    """Describe what is measured on, and how busy it was before."""
    cpu = "unknown"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith(("model name", "Model")):
            cpu = line.partition(":")[2].strip()
    disk = subprocess.run(
        ["findmnt", "-no", "FSTYPE", "-T", tempfile.gettempdir()],  # where the rigs are
        check=False,
        capture_output=True,
        text=True,
    )
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cores": f"{os.cpu_count()} × {cpu}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "disk": disk.stdout.strip() or "unknown",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def show(console: Console, table: Table) -> None:
    """Print one table with its aims and notes."""
    grid = Grid(title=table.title, title_justify="left", title_style="bold", box=None)
    grid.add_column("")
    for column in ("n", "p50", "p99", "max"):
        grid.add_column(column, justify="right")
    grid.add_column("beside")
    for row in table.rows:
        grid.add_row(row.what, *_figures(row), _beside(row))
    console.print()
    console.print(grid)
    for row in table.rows:
        if row.aim is not None:
            console.print(f"  [{'green' if row.aim.met else 'red'}]{row.aim}[/]")
    for note in table.notes:
        console.print(f"  [dim]{note}[/]")


def _figures(row: Row) -> tuple[str, str, str, str]:
    if row.spread is None:
        return "", _number(row.main), "", ""
    spread = row.spread
    return str(spread.n), _number(spread.p50), _number(spread.p99), _number(spread.max)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _beside(row: Row) -> str:
    return "" if row.ratio is None else f"{row.ratio:.2f} × {row.beside}"


if __name__ == "__main__":
    sys.exit(main())
