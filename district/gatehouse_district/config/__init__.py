"""The district's configuration file: what may stand in it, and how it is read."""

from gatehouse_district.config.model import Authority, Broker, Config, Desk, District, Keep
from gatehouse_district.config.reader import DEFAULT, VARIABLE, config_path, read

__all__ = [
    "DEFAULT",
    "VARIABLE",
    "Authority",
    "Broker",
    "Config",
    "Desk",
    "District",
    "Keep",
    "config_path",
    "read",
]
