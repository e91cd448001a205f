"""Configurations that are right, and what is wrong with those that are not."""

from pathlib import Path

import pytest

from gatehouse import config
from gatehouse.config import Config, ConfigError, Mistake

LEAST = """\
[gateway]
id = "qd-sn-0042"
school = "实验小学"

[[button]]
name = "gate"
location = "南门门卫室"
pin = 17

[district]
brokers = ["mqtt://127.0.0.1:1883"]
"""

CAMERA = """
[[camera]]
name = "gate"
area = "critical"
source = "rtsp://10.0.0.2/live"
"""

CONTRACT = """\
[gateway]
id = "qd-sn-0042"
school = "实验小学"
language = "zh_CN"
state_dir = "/var/lib/gatehouse"
runtime_dir = "/run/gatehouse"

[[button]]
name = "gate"
location = "南门门卫室"
pin = 17
loop = 27
latching = false
reset = 24
lamps = { red = 22 }
buzzer = 23
silent = true
relay = 26
cameras = ["gate"]
filter_ms = 5
debounce_ms = 50
changeover_ms = 500

[enclosure]
tamper = 12
mains = 16

[district]
brokers = ["mqtts://a.example:8883", "mqtts://b.example:8883"]
ca = "ca.pem"
cert = "gateway.pem"
key = "gateway.key"
receipts = true
heartbeat_s = 20

[[camera]]
name = "gate"
covers = ["校门"]
area = "critical"
source = "picamera2:0"
credential = "gate.cred"
recordings = "/srv/recordings/gate"
record = true

[retention]
general_days = 30
critical_days = 90
min_free_percent = 5
gap_seconds = 300
on_full = "oldest"
"""


def read(folder: Path, text: str) -> Config:
    """Read this text as a file in this folder."""
    path = folder / "gatehouse.toml"
    path.write_text(text, encoding="utf-8")
    return config.read(path)


def mistakes(folder: Path, text: str) -> tuple[Mistake, ...]:
    """Return what is wrong with this text."""
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    return caught.value.mistakes


def the_mistake(folder: Path, text: str) -> Mistake:
    """Return the one thing that is wrong with this text."""
    (mistake,) = mistakes(folder, text)
    return mistake
