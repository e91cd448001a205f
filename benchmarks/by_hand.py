"""What a user would write himself: twenty lines of gpiozero and paho, which store nothing.

The event is the agent's, so that size and work at the district are alike.
``by_hand.py TOPIC HOST PORT PIN,… [CA CERT KEY]``
"""

import json
import signal
import sys
import uuid
from datetime import UTC, datetime

import paho.mqtt.client as mqtt
from gpiozero import Button
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

topic, host, port, pins = sys.argv[1:5]
gateway = topic.split("/")[2]
store, boot = str(uuid.uuid4()), str(uuid.uuid4())
count = 0


def pressed(button: Button) -> None:
    """Tell the district."""
    global count  # noqa: PLW0603  # as in twenty lines
    count += 1
    event = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": f"/gatehouse/{gateway}",
        "type": "gatehouse.alarm.raised",
        "subject": f"button/{button.pin.number}",
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "store": store,
        "sequence": f"00000001.{count:010d}",
        "bootid": boot,
        "monotonic": "123456789012",
        "clock": "synced",
        "mode": "real",
        "data": {"location": "南门门卫室", "held_at_start": False},
    }
    client.publish(topic, json.dumps(event, ensure_ascii=False), qos=1)


client = mqtt.Client(CallbackAPIVersion.VERSION2, gateway, protocol=MQTTProtocolVersion.MQTTv5)
if len(sys.argv) > 5:
    ca, cert, key = sys.argv[5:]
    client.tls_set(ca, cert, key)
client.connect(host, int(port))
client.loop_start()
buttons = [Button(int(pin)) for pin in pins.split(",")]
for each in buttons:
    each.when_pressed = pressed
print("ready", flush=True)
signal.pause()
