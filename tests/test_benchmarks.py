"""`make bench` measures what it says, each benchmark in a tiny form. Speed itself is not judged."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
LIMIT_S = 300
AIMS = {
    "press": 4,
    "drain": 1,
    "store": 0,
    "receiver": 0,
    "idle": 2,
    "status": 1,
    "desk": 0,
    "evidence": 1,
    "recordings": 0,
}


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmarks as `make bench` does."""
    program = [sys.executable, str(ROOT / "benchmarks" / "run.py")]
    return subprocess.run(
        [*program, *words], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


@pytest.mark.parametrize("name", AIMS)
def test_a_benchmark_measures_on_the_real_parts(name: str, tmp_path: Path) -> None:
    """Without it a benchmark could break with the agent, unseen until the figures are wanted."""
    file = tmp_path / "bench.json"
    done = run("--size", "tiny", "--only", name, "--json", str(file))
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert said["machine"]["python"]
    rows = [row for table in said["tables"] for row in table["rows"]]
    if not rows and "SKIPPED" in done.stdout:
        pytest.skip("simulated cameras cannot be run here")
    assert rows
    for row in rows:
        figure = row["value"] if row["spread"] is None else row["spread"]["p50"]
        assert figure > 0 or row["unit"].startswith("%"), row
    aims = [row["aim"] for row in rows if row["aim"]]
    skipped = sum("SKIPPED" in note for table in said["tables"] for note in table["notes"])
    assert len(aims) == AIMS[name] - 2 * skipped
    assert all((aim["found"] <= aim["most"]) is aim["met"] for aim in aims)
    assert all(("OK" if aim["met"] else "MISSED") in done.stdout for aim in aims)


def test_a_benchmark_that_does_not_exist_is_refused() -> None:
    """Without it a misspelt name would measure nothing and look fine."""
    done = run("--only", "pres")
    assert done.returncode == 2
    assert "no benchmark pres" in done.stderr
