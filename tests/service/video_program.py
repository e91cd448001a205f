"""The alarm service's end of the reports in a process of its own, to be killed.

``video_program.py FOLDER``: each line is a request, answered with one line. The first line says how
many keys were learnt from the log.
"""

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from service.house import joined
from service.video_desk import until


def say(answer: object) -> None:
    """Print at once, past every buffer."""
    os.write(1, msgspec.json.encode(answer) + b"\n")


async def main(root: Path) -> None:
    """Join the house, learn, obey until the input ends."""
    async with joined(root) as house:
        learning = asyncio.create_task(house.rooms.video.learn())
        await until(lambda: house.rooms.video._keys.learnt)
        say({"learnt": len(house.rooms.video._keys._stored)})
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            say(await house.rooms.video.take(msgspec.json.decode(line)))
        learning.cancel()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
