"""The simulated gateway's own disk: what its services write, a command outside finds."""

import asyncio
from pathlib import Path

import pytest

from gatehouse_sim.small_disk import SmallDisk


async def test_what_is_on_it_is_seen_from_outside(tmp_path: Path) -> None:
    """Without it `gatehouse evidence list` beside a demo says that nothing was kept."""
    state = tmp_path / "state"
    async with SmallDisk(state, size_mb=4) as disk:
        if disk.why:
            pytest.skip(disk.why)
        program = (*disk.within, "sh", "-c", f"echo kept > {state}/word")
        async with asyncio.timeout(60):
            written = await asyncio.create_subprocess_exec(*program)
            assert await written.wait() == 0
        assert (state / "word").read_text(encoding="utf-8") == "kept\n"
        assert not list((tmp_path / "state.disk").iterdir())  # it is no folder of this machine's
    assert not state.is_symlink()
