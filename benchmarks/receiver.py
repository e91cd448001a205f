"""The district's receiver in a process of its own.

``receiver.py URL STORE [CA CERT KEY]`` prints ``ready``, and when its input ends how many commits
it made. (``python -m gatehouse_sim.district`` prints each event, which a drain of 20,000 would have
to pay for.)
"""

import asyncio
import sys
from pathlib import Path

from gatehouse_district.receiver.identity import Identity
from gatehouse_district.receiver.receiver import Receiver


async def main(url: str, store: str, *files: str) -> None:
    """Store and send receipts until the input ends, or until killed."""
    identity = Identity(*map(Path, files)) if files else None
    async with Receiver(url, Path(store), identity) as receiver:
        before = receiver.news.revision
        print("ready", flush=True)
        end = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin, end.set)
        await end.wait()
        print(receiver.news.revision - before, flush=True)


asyncio.run(main(*sys.argv[1:]))
