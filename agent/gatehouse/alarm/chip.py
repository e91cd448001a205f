"""Which of the machine's GPIO chips is behind the header.

Neither the model nor the number tells it, since kernels renumber the chips: the label does.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gatehouse.errors import BoardError

CHIP_LABELS: Final = {
    "pinctrl-rp1": 0xC04170,
    "pinctrl-bcm2711": 0xA03111,
    "pinctrl-bcm2835": 0xA02082,
}
"""Labels of the chips behind the 40-pin header, each with the revision code of a Pi that has it."""


def choose_chip(labels: Mapping[int, str]) -> int:
    """Return the number of the chip behind the header; raise BoardError if there is none."""
    for number, label in sorted(labels.items()):
        if label in CHIP_LABELS:
            return number
    found = ", ".join(f"/dev/gpiochip{n}: {label}" for n, label in sorted(labels.items()))
    raise BoardError(
        f"no GPIO chip of a Raspberry Pi ({', '.join(CHIP_LABELS)}) can be opened; found"
        f" {found or 'no /dev/gpiochip* at all'}. The service's user must be in the group gpio and"
        " its unit must allow the devices; without a Pi set GPIOZERO_PIN_FACTORY=gatehouse_sim"
    )


def read_labels(lgpio: Any, dev: Path = Path("/dev")) -> dict[int, str]:  # noqa: ANN401  # lgpio ships no types
    """Ask every GPIO chip for its label; of one that cannot be opened, say why instead."""
    labels: dict[int, str] = {}
    for path in dev.glob("gpiochip[0-9]*"):
        number = int(path.name.removeprefix("gpiochip"))
        try:
            handle = lgpio.gpiochip_open(number)
            labels[number] = lgpio.gpio_get_chip_info(handle)[3]
            lgpio.gpiochip_close(handle)
        except Exception as exc:  # noqa: BLE001  # lgpio.error; it is told if no other chip fits
            labels[number] = str(exc)
    return labels
