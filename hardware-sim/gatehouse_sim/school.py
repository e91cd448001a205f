"""A whole school in one folder: broker, district and agent, joined by real sockets."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gatehouse import config
from gatehouse.config.model import Button
from gatehouse.threads import off_loop
from gatehouse_sim.agent import Agent, Place
from gatehouse_sim.authority import Authority
from gatehouse_sim.broker import Broker
from gatehouse_sim.district import District
from gatehouse_sim.wiring_client import WiringClient

GATEWAY: Final = "sim-school-1"

BUTTONS: Final = """
[[button]]
name = "gate"
location = "南门门卫室"
pin = 17
loop = 27
reset = 24
lamps = { red = 22, yellow = 5, green = 6 }
buzzer = 23
relay = 26

[[button]]
name = "office"
location = "教务处"
pin = 13
latching = true
lamps = { red = 19 }

[enclosure]
tamper = 12
mains = 16
"""


def gateway_section(place: Place, gateway: str = GATEWAY, language: str = "zh_CN") -> str:
    """Return the configuration's first section for a gateway in this folder."""
    return f"""[gateway]
id = "{gateway}"
school = "实验小学"
language = "{language}"
state_dir = "{place.state_dir}"
runtime_dir = "{place.runtime_dir}"
"""


def district_section(urls: list[str], *, tls: bool, gateway: str = GATEWAY, more: str = "") -> str:
    """Return the configuration's section on the way to the district."""
    files = f'ca = "ca.pem"\ncert = "{gateway}.pem"\nkey = "{gateway}.key"\n' if tls else ""
    brokers = ", ".join(f'"{url}"' for url in urls)
    return f"[district]\nbrokers = [{brokers}]\n{files}{more}"
