"""A plain subscriber at the broker, in a process of its own: it prints when what came.

``subscriber.py URL FILTER [CA CERT KEY]`` prints ``ready``, then for each event a line of its
arrival (CLOCK_MONOTONIC in ns), its id and its type.
"""

import json
import sys
import time
from pathlib import Path

from gatehouse_sim.identity import Identity
from raw_mqtt import RawClient


def main(url: str, topic: str, *files: str) -> None:
    """Listen until killed."""
    identity = Identity(*map(Path, files)) if files else None
    with RawClient(url, "bench-subscriber", identity, patience_s=None) as client:
        client.subscribe(topic)
        print("ready", flush=True)
        while True:
            message = client.next_message()
            at_ns = time.monotonic_ns()
            event = json.loads(message.payload)
            print(at_ns, event["id"], event["type"], flush=True)


main(*sys.argv[1:])
