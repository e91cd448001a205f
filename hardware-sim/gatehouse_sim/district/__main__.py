"""``python -m gatehouse_sim.district``: a district as a process of its own.

Prints ``{"ready": true}`` when it hears the gateways, then one JSON line for each event that is on
its disk. It may be killed at any moment.
"""

import argparse
import asyncio
import json
import logging
import signal
import sys
from pathlib import Path

from gatehouse_district.receiver.heard import Record
from gatehouse_sim.district.district import District
from gatehouse_sim.identity import Identity


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m gatehouse_sim.district")
    parser.add_argument("--broker", required=True, metavar="URL", help="mqtts:// or mqtt://")
    parser.add_argument("--store", required=True, type=Path, metavar="FILE", help="its database")
    for name in ("ca", "cert", "key"):
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help="for mqtts://")
    args = parser.parse_args()
    files = None
    if args.broker.startswith("mqtts:"):
        if None in {args.ca, args.cert, args.key}:
            parser.error("mqtts:// needs --ca, --cert and --key")
        files = Identity(args.ca, args.cert, args.key)
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(_run(District(args.broker, args.store, files, on_record=_tell)))


async def _run(district: District) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for how in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(how, end.set)
    starting = asyncio.ensure_future(district.start())
    ending = asyncio.ensure_future(end.wait())
    try:
        await asyncio.wait((starting, ending), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            _say({"ready": True})
        await ending
    finally:
        starting.cancel()
        ending.cancel()
        await district.stop()


def _tell(record: Record, times: int) -> None:
    said = {"id": record.id, "gateway": record.gateway, "type": record.type}
    numbers = {"sequence": record.event.sequence, "arrived_ns": record.arrived_ns}
    _say({**said, **numbers, "deliveries": times})


def _say(document: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


main()
