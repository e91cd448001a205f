"""Evidence on a disk that is full, in a process with mounts of its own: FOLDER (a small tmpfs).

What was seen is one JSON document on stdout.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from gatehouse.evidence import room
from gatehouse.video_service import binder
from system.test_fault_disk import fill, make_room
from video_service.evidence_rig import gathering


async def main() -> None:
    """Press on a full disk, and again when there is room."""
    disk = Path(sys.argv[1])
    room.SPARE, room.CLIP_BYTES = 0, 1  # type: ignore[misc]  # the disk is to refuse, not our care
    binder.AGAIN_S = 0.5  # type: ignore[misc]  # as the other times of this rig
    with tempfile.TemporaryDirectory(prefix="e") as short:
        root = Path(short)
        (root / "state").symlink_to(disk)
        async with gathering(root) as rig:
            await rig.until(lambda: rig.evidence.row().unknown == ())
            assert not rig.evidence.row().stands
            fill(disk)
            alarm = rig.desk.alarm()
            await rig.until(lambda: rig.evidence.row().stands)
            full = [each.fault for each in rig.evidence.row().stands]
            nothing = rig.manifest(alarm.id) is None
            await asyncio.sleep(1)  # the time of the pictures passes
            make_room(disk)
            manifest = await rig.ready(alarm.id)
            await rig.until(lambda: not rig.evidence.row().stands)
            second = await rig.ready(rig.desk.alarm().id)
            found = {
                "full": full,
                "nothing": nothing,
                "lacking": sorted({(e.kind, e.why) for e in manifest.lacking}),
                "second": sum(item.number is not None for item in second.items),
            }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
