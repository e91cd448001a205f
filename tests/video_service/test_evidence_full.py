"""A disk that takes nothing costs the evidence, is told as a fault, and costs nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
TMPFS = 'mount -t tmpfs -o size=2m none "$1" && exec "$2" -m video_service.evidence_full "$1"'


def test_a_full_disk(tmp_path: Path) -> None:
    """A bundle must say that the disk was full, and the next one be whole again."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    unshare = ["unshare", "--mount", "--map-root-user"]
    if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine forbids a mount namespace")
    done = subprocess.run(
        [*unshare, "sh", "-c", TMPFS, "x", str(mounted), sys.executable],
        check=True,
        cwd=TESTS,
        stdout=subprocess.PIPE,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    found = json.loads(done.stdout)
    assert found["full"] == ["evidence-full"]
    assert found["nothing"], "no half of a bundle"
    assert ["picture", "disk-full"] in found["lacking"]
    assert found["second"] == 3
