"""The wiring of each button, as the running service sees it, and pins that others use."""

from collections.abc import Mapping
from typing import Any, Final

from gatehouse.checks.context import Context
from gatehouse.checks.frame import Check, Finding, Findings, fail, fine, nothing, warn
from gatehouse.checks.text import say
from gatehouse.config import Config
from gatehouse.texts import N_
from gatehouse.threads import off_loop

_LIMIT_S: Final = 5.0

_LINES: Final = {
    "open": (N_("{button}: open"), N_("{button}: find the cut wire or the loose terminal")),
    "short": (
        N_("{button}: short"),
        N_("{button}: find where the wires touch, or the contact that does not open"),
    ),
    "stuck": (N_("{button}: stuck"), N_("{button}: free the contact, or change the button")),
    "chatter": (
        N_("{button}: chatter"),
        N_("{button}: tighten the terminals, or change the button"),
    ),
}
_OTHERS: Final = (
    ("dev/i2c-1", frozenset({2, 3}), "I2C"),
    ("dev/spidev0.0", frozenset({7, 8, 9, 10, 11}), "SPI"),
    ("dev/spidev0.1", frozenset({7, 8, 9, 10, 11}), "SPI"),
    ("dev/serial0", frozenset({14, 15}), "UART"),
)
"""What the kernel uses pins for when it is switched on (raspi-config), by BCM number."""


async def _run(context: Context) -> Findings:
    taken = await off_loop(lambda: _taken(context), name="check-wiring", timeout_s=_LIMIT_S)
    status = await context.ask({"do": "status"})
    if status is None:
        return [*taken, nothing(N_("the alarm service does not run"))]
    found = [_line(context.config, button) for button in status.get("buttons") or ()]
    found += [_gateway(fault) for fault in status.get("faults") or () if _of_board(fault)]
    bad = [finding for finding in found if finding is not None]
    if bad or taken:
        return [*taken, *bad]
    loops = sum(button.loop is not None for button in context.config.buttons)
    said = N_("{count} buttons normal, {loops} with loop; board {board}")
    count = len(context.config.buttons)
    return [fine(said, count=count, loops=loops, board=status.get("board", "?"))]


def _line(config: Config, button: Mapping[str, Any]) -> Finding | None:
    name, line = str(button.get("name")), str(button.get("line"))
    if line == "normal":
        return None
    if line == "active":
        figure = say(N_("{button}: pressed"), button=name)
        remedy = N_("{button}: let it go; if nobody presses it, its wires touch")
        return warn(figure, say(remedy, button=name))
    seen, todo = _LINES.get(line, ("{button}: ?", N_("{button}: look at its wiring")))
    pins = {each.name: (each.pin, each.loop) for each in config.buttons}.get(name, ())
    gpio = ", ".join(f"GPIO {pin}" for pin in pins if pin is not None)
    return fail(say(seen, button=name), say(todo, button=f"{name} ({gpio})"))


def _of_board(fault: Mapping[str, Any]) -> bool:
    return fault.get("subject") == "gateway" and fault.get("fault") in {"board", "missed-edge"}


def _gateway(fault: Mapping[str, Any]) -> Finding:
    if fault.get("fault") == "board":
        pins = ", ".join(fault.get("pins") or ())
        figure = say(N_("inputs cannot be read: GPIO {pins}"), pins=pins)
        return fail(figure, say(N_("see who holds the pins: gpioinfo")))
    figure = say(N_("an edge was missed at GPIO {pin}"), pin=fault.get("pin", "?"))
    return warn(figure, say(N_("look again in 10 min; if it stays, restart the gateway")))


def _taken(context: Context) -> Findings:
    """Return the configured pins that the kernel uses for something else."""
    wanted = set(pins(context.config))
    found: dict[str, Finding] = {}
    for device, those, use in _OTHERS:
        if wanted & those and context.machine.there(device):
            numbers = ", ".join(str(pin) for pin in sorted(wanted & those))
            figure = say(N_("GPIO {pins} is used by {use} as well"), pins=numbers, use=use)
            remedy = say(N_("switch {use} off in raspi-config, or use other pins"), use=use)
            found[use] = fail(figure, remedy)
    return list(found.values())


def pins(config: Config) -> list[int]:
    """Return every pin of the configuration."""
    named: list[int | None] = [config.enclosure.tamper, config.enclosure.mains]
    for each in config.buttons:
        named += [each.pin, each.loop, each.reset, each.buzzer, each.relay]
        named += [each.lamps.red, each.lamps.yellow, each.lamps.green]
    return [pin for pin in named if pin is not None]


CHECK: Final = Check("wiring", N_("wiring"), _LIMIT_S, _run)
