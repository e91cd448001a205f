"""A simulated camera as a process, so that it can live in the network of a container.

Prints its address, then shows a picture that is well until it is killed.
"""

import asyncio
import sys
from pathlib import Path

from gatehouse_sim.cameras import Cameras


async def main(folder: Path) -> None:
    """Show it; ``folder`` must have a short name."""
    async with Cameras(folder, {"yard": "normal"}, shows=["normal"]) as cameras:
        sys.stdout.write(cameras.url("yard") + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
