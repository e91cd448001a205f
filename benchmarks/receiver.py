"""The simulated district in a process of its own, which prints nothing but ``ready``.

``receiver.py URL STORE [CA CERT KEY]``. (``python -m gatehouse_sim.district`` prints each event,
which a drain of 20,000 would have to pay for.)
"""

import asyncio
import sys
from pathlib import Path

from gatehouse_sim.district import District
from gatehouse_sim.identity import Identity


async def main(url: str, store: str, *files: str) -> None:
    """Store and send receipts until killed."""
    identity = Identity(*map(Path, files)) if files else None
    async with District(url, Path(store), identity):
        print("ready", flush=True)
        await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
