"""Which pins of the board the configuration names."""

from collections.abc import Mapping

from gatehouse.alarm.gpio import Board, open_board
from gatehouse.config import Config


def input_pins(conf: Config) -> list[int]:
    """Return every pin that is listened to."""
    pins = [pin for b in conf.buttons for pin in (b.pin, b.loop, b.reset)]
    return [pin for pin in [*pins, conf.enclosure.tamper, conf.enclosure.mains] if pin is not None]


def output_pins(conf: Config) -> list[int]:
    """Return every pin that is switched."""
    pins = [
        pin
        for b in conf.buttons
        for pin in (b.lamps.red, b.lamps.yellow, b.lamps.green, b.buzzer, b.relay)
    ]
    return [pin for pin in pins if pin is not None]


def open_pins(conf: Config, environ: Mapping[str, str]) -> Board:
    """Open the board with every pin of the configuration. Raises BoardError."""
    return open_board(
        inputs=input_pins(conf),
        outputs=output_pins(conf),
        runtime_dir=conf.gateway.runtime_dir,
        factory_name=environ.get("GPIOZERO_PIN_FACTORY"),
    )
