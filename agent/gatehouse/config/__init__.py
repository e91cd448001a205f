"""The configuration file: what may stand in it, how it is read, and its last good copy.

`read` refuses everything that is wrong; `read_for_alarm` finds what the alarm service can run on.
"""

from gatehouse.config.handed import with_handed_key
from gatehouse.config.keep import keep_last_good
from gatehouse.config.mistakes import ConfigError, KeepError, Mistake
from gatehouse.config.model import (
    Broker,
    Button,
    Camera,
    Config,
    District,
    Enclosure,
    Evidence,
    Gateway,
    Lamps,
    Retention,
)
from gatehouse.config.reader import Loaded, read, read_for_alarm

__all__ = [
    "Broker",
    "Button",
    "Camera",
    "Config",
    "ConfigError",
    "District",
    "Enclosure",
    "Evidence",
    "Gateway",
    "KeepError",
    "Lamps",
    "Loaded",
    "Mistake",
    "Retention",
    "keep_last_good",
    "read",
    "read_for_alarm",
    "with_handed_key",
]
