"""A gateway that sends events as fast as the broker takes them, and waits for all receipts.

``flood.py URL COUNT`` makes the events first, then prints how many seconds it took from the first
publication to the last receipt.
"""

import json
import os
import sys
import time
import uuid
from typing import Final

from fill import write
from gatehouse import events
from gatehouse.clock import SystemClock
from gatehouse.events import Scribe
from gatehouse.uplink import frames
from gatehouse.uplink.topics import Topics
from gatehouse_sim.school import GATEWAY
from raw_mqtt import RawClient

_WINDOW: Final = 200
"""Publications without a PUBACK at a time: below the broker's Receive Maximum of 256."""


def main(url: str, count: str) -> None:
    """Send and wait. Raises OSError when the broker gives up."""
    topics = Topics.of(GATEWAY)
    store = str(uuid.uuid4())
    scribe = Scribe(gateway=GATEWAY, store=store, start=1, clock=SystemClock(), random=os.urandom)
    waiting = {
        event.id: events.encode(event) for event in (write(scribe, n) for n in range(int(count)))
    }
    head = frames.as_string(topics.event)
    packets = [
        frames.publish(head, b"\0", body, mid=number % 65535 + 1)
        for number, body in enumerate(waiting.values())
    ]
    with RawClient(url, GATEWAY) as client:
        client.subscribe(topics.receipt)
        began = time.monotonic()
        sent = acknowledged = 0
        while waiting:
            upto = min(len(packets), acknowledged + _WINDOW)
            if upto > sent:
                client.send(b"".join(packets[sent:upto]))
                sent = upto
            first, body = client.next_packet()
            if first & 0xF0 == frames.PUBACK:
                acknowledged += 1
            elif first & 0xF0 == frames.PUBLISH:
                for id_ in json.loads(frames.read_publish(first, body).payload)["ids"]:
                    waiting.pop(id_, None)
        print(time.monotonic() - began, flush=True)


main(*sys.argv[1:])
