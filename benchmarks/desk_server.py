"""The district with its desk as a process of its own, as `gatehouse-district serve` runs them.

``desk_server.py URL FOLDER [CA CERT KEY]`` prints the desk's address, a name and a password.
"""

import asyncio
import sys
from pathlib import Path

from gatehouse_district.receiver.receiver import Receiver
from gatehouse_sim.identity import Identity
from gatehouse_sim.school_desk import desk_of


async def main(url: str, folder: str, *files: str) -> None:
    """Serve until killed."""
    identity = Identity(*map(Path, files)) if files else None
    place = Path(folder)
    async with (
        Receiver(url, place / "district.db", identity) as receiver,
        desk_of(receiver, place, 0) as desk,
    ):
        print(desk.url, desk.user, desk.password, flush=True)
        await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
