"""Killed at any step of a bundle's life, the disk has what was said, and no half of anything."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from evidence.bundle_killed import ALARM, first
from gatehouse.evidence import bundle
from gatehouse.evidence.shelf import RELEASED, TOLD, Shelf
from gatehouse_sim.agent import die_with_parent

TESTS = Path(__file__).parents[1]
QUICK = [2, 5, 10, 17, 24, 31, 38, 44]
ALL = [step for step in range(1, 70) if step not in QUICK]


@pytest.mark.parametrize(
    "step", [*QUICK, *(pytest.param(step, marks=pytest.mark.campaign) for step in ALL)]
)
def test_killed_at_any_step(tmp_path: Path, step: int) -> None:
    """A power cut must leave nothing, or a bundle whose every named file is whole."""
    done = subprocess.run(
        [sys.executable, "-m", "evidence.bundle_killed", str(tmp_path / "evidence"), str(step)],
        check=False,
        cwd=TESTS,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        preexec_fn=die_with_parent,  # it makes one system call
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert done.returncode in {-signal.SIGKILL, 0}
    said = done.stdout.splitlines()
    shelf = Shelf(tmp_path / "evidence")
    if shelf.folder.exists():
        shelf.sweep()
    found = shelf.read()
    if not found:
        assert "begun" not in said or "released" in said
        return
    (kept,) = found
    place, manifest = shelf.place(ALARM), kept.manifest
    assert manifest is not None, "what was not begun is nothing, and gathered anew"
    bundle.tidy(place, manifest, (RELEASED, TOLD))
    pictures = sum(item.kind == "picture" for item in manifest.items)
    assert pictures >= 2 * sum(line.startswith("picture") for line in said)
    assert pictures % 2 == 0
    assert ("ready" not in said) or manifest.state == "ready"
    assert ("released" not in said) or kept.release is not None
    assert "gone" not in said
    for item in manifest.items:
        content = (place / item.file).read_bytes()
        assert (bundle.sha256_of(content), len(content)) == (item.sha256, item.bytes)
    named = {item.file for item in manifest.items} | {"manifest.json", RELEASED, TOLD}
    assert {path.name for path in place.iterdir()} <= named


def test_a_manifest_never_names_a_file_whose_name_is_not_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a power cut would leave pictures that the manifest has and the disk has not.

    No kill shows it: the kernel keeps what a dead process wrote. So its orders are read.
    """
    done: list[str] = []
    sync, rename = os.fsync, Path.replace

    def synced(handle: int) -> None:
        done.append(f"sync {Path(f'/proc/self/fd/{handle}').readlink().name}")
        sync(handle)

    def renamed(path: Path, target: Path) -> Path:
        done.append(f"rename {path.name}")
        return rename(path, target)

    bundle.begin(tmp_path / ALARM, first())
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    bundle.add(tmp_path / ALARM, {"1.jpg": b"1"}, first())
    (tmp_path / ALARM / "2.new").write_bytes(b"2")
    bundle.settle(tmp_path / ALARM / "2.new", tmp_path / ALARM / "2.mp4")
    assert done == [
        *("sync 1.jpg.new", "rename 1.jpg.new", f"sync {ALARM}"),
        *("sync manifest.json.new", "rename manifest.json.new", f"sync {ALARM}"),
        *("sync 2.new", "rename 2.new", f"sync {ALARM}"),
    ]
