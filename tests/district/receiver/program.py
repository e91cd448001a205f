"""A receiver in a process of its own, to be killed: ``program.py URL FILE``; prints ``ready``."""

import asyncio
import sys
from pathlib import Path

from gatehouse_district.receiver.receiver import Receiver


async def main(url: str, path: str) -> None:
    """Receive until killed, or until a part of it fails."""
    async with Receiver(url, Path(path)) as receiver:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await receiver.failed()


asyncio.run(main(*sys.argv[1:]))
