"""The questions, in the order in which a technician meets the things; answers as TOML would hold.

Each answer is checked by the rules of the configuration while it can still be given anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gatehouse.config import addresses, values
from gatehouse.config.values import WrongError
from gatehouse.setup.answers import TLS_FILES, Found
from gatehouse.setup.asking import as_typed, choice, listed, needed, optional, yes
from gatehouse.setup.proofs import Screen
from gatehouse.texts import _, language_of

_NAME: Final = as_typed(values.matching(values.NAME))
_TEXT: Final = as_typed(values.text)
_PATH: Final = as_typed(values.file_path(Path()))


def language(screen: Screen, before: Found, environ: Mapping[str, str]) -> str:
    """Ask for the language, in both."""
    known = _table(before, "gateway").get("language") or language_of(environ)
    first = "2" if known == "en" else "1"
    return choice(screen, "语言 language: 1 中文, 2 English", {"1": "zh_CN", "2": "en"}, first)


def gateway(screen: Screen, before: Found, language: str) -> dict[str, Any]:
    """Ask for the school."""
    known = _table(before, "gateway")
    identifier = as_typed(values.matching(values.GATEWAY_ID))
    asked = {
        "id": needed(screen, _("Gateway id, as in its certificate"), identifier, known.get("id")),
        "school": needed(screen, _("Name of the school"), _TEXT, known.get("school")),
        "language": language,
    }
    return {**known, **asked}


@dataclass(slots=True)
class Pins:
    """Asks for pins, each of which may be used once."""

    screen: Screen
    used: dict[int, str] = field(default_factory=dict)

    def needed(self, question: str, owner: str, before: object) -> int:
        """Ask for a pin that must be there."""
        return self._use(needed(self.screen, question, self._check, self._free(before)), owner)

    def optional(self, question: str, owner: str, before: object) -> int | None:
        """Ask for a pin that may be left out."""
        pin = optional(self.screen, question, self._check, self._free(before))
        return None if pin is None else self._use(pin, owner)

    def forget(self, owner: str) -> None:
        """Set the pins of a button free: it is described anew."""
        self.used = {pin: by for pin, by in self.used.items() if by != owner}

    def _use(self, pin: int, owner: str) -> int:
        self.used[pin] = owner
        return pin

    def _free(self, before: object) -> int | None:
        return before if isinstance(before, int) and before not in self.used else None

    def _check(self, said: str) -> int:
        if not said.isascii() or not said.isdigit():
            raise WrongError(_("must be a GPIO number, 0 to 27"))
        pin = values.whole(0, values.LAST_PIN)(int(said[:6]))
        if pin in self.used:
            used = _("GPIO {pin} is that of {owner} already")
            raise WrongError(used.format(pin=pin, owner=self.used[pin]))
        return pin


def button(
    screen: Screen, pins: Pins, known: Mapping[str, Any], others: list[str]
) -> dict[str, Any]:
    """Ask for one button; ``others`` are the names that are taken."""

    def name(said: str) -> str:
        if said in others:
            raise WrongError(_('"{name}" is used twice').format(name=said))
        return _NAME(said)

    said = needed(screen, _("Short name of the button (a-z 0-9 -)"), name, known.get("name"))
    found: dict[str, Any] = {**known, "name": said}
    place = needed(screen, _("Where it is"), _TEXT, known.get("location"))
    pin = pins.needed(_("GPIO of its normally-open contact"), said, known.get("pin"))
    loop = pins.optional(_("GPIO of its loop (normally closed)"), said, known.get("loop"))
    latching = yes(
        screen, _("Latching (stays in until its key turns)?"), before=bool(known.get("latching"))
    )
    reset = None
    if not latching:
        reset = pins.optional(_("GPIO of a reset key"), said, known.get("reset"))
    lamps = _lamps(pins, said, _table(known, "lamps"))
    buzzer = pins.optional(_("GPIO of its buzzer"), said, known.get("buzzer"))
    silent = True
    if buzzer is not None:
        silent = yes(screen, _("Silent in an alarm?"), before=bool(known.get("silent", True)))
    relay = pins.optional(_("GPIO of a relay to an alarm host"), said, known.get("relay"))
    found |= {"location": place, "pin": pin, "loop": loop, "latching": latching, "reset": reset}
    found |= {"lamps": lamps or None, "buzzer": buzzer, "silent": silent, "relay": relay}
    return {key: value for key, value in found.items() if value is not None}


def _lamps(pins: Pins, owner: str, known: Mapping[str, Any]) -> dict[str, int]:
    """A lone lamp is the red one; yellow and green help where they are."""
    red = pins.optional(_("GPIO of its red lamp"), owner, known.get("red"))
    if red is None:
        return {}
    yellow = pins.optional(_("GPIO of its yellow lamp"), owner, known.get("yellow"))
    green = pins.optional(_("GPIO of its green lamp"), owner, known.get("green"))
    found = {"red": red, "yellow": yellow, "green": green}
    return {colour: pin for colour, pin in found.items() if pin is not None}


def enclosure(pins: Pins, before: Found) -> dict[str, int]:
    """Ask for the inputs of the box."""
    known = _table(before, "enclosure")
    tamper = pins.optional(_("GPIO of the box's lid switch"), "enclosure", known.get("tamper"))
    mains = pins.optional(_("GPIO of the mains signal"), "enclosure", known.get("mains"))
    found = {"tamper": tamper, "mains": mains}
    return {key: pin for key, pin in found.items() if pin is not None}


def district(screen: Screen, before: Found) -> dict[str, Any]:
    """Ask for the district: brokers, and where its files lie now."""
    known = _table(before, "district")
    brokers = needed(
        screen,
        _("Brokers, as mqtts://host:port, with commas between"),
        listed(addresses.broker),
        known.get("brokers"),
    )
    found = {**known, "brokers": brokers}
    if any(broker.startswith("mqtts:") for broker in brokers):
        titles = {
            "ca": _("File of the district's authority"),
            "cert": _("File of this gateway's certificate"),
            "key": _("File of this gateway's key"),
        }
        for name, usual in TLS_FILES.items():
            found[name] = needed(screen, titles[name], _PATH, known.get(name, usual))
    receipts = bool(known.get("receipts", True))
    found["receipts"] = yes(screen, _("Does the district send receipts?"), before=receipts)
    return found


def camera(screen: Screen, known: Mapping[str, Any], others: list[str]) -> dict[str, Any]:
    """Ask for one camera."""

    def name(said: str) -> str:
        if said in others:
            raise WrongError(_('"{name}" is used twice').format(name=said))
        return _NAME(said)

    found: dict[str, Any] = {
        **known,
        "name": needed(screen, _("Short name of the camera (a-z 0-9 -)"), name, known.get("name")),
        "source": needed(
            screen,
            _("rtsp://host/path without password, or picamera2:N"),
            as_typed(addresses.source),
            known.get("source"),
        ),
        "area": choice(
            screen,
            _("Area: 1 critical, 2 general"),
            {"1": "critical", "2": "general"},
            "2" if known.get("area") == "general" else "1",
        ),
        "covers": optional(
            screen,
            _("Places that it sees, with commas between"),
            listed(values.text),
            known.get("covers"),
        ),
        "credential": optional(
            screen,
            _("File that holds user:password"),
            as_typed(values.credential(Path())),
            known.get("credential"),
        ),
        "recordings": optional(
            screen,
            _("Folder of its recordings"),
            as_typed(values.absolute_path),
            known.get("recordings"),
        ),
    }
    if found["recordings"] is not None:
        record = bool(known.get("record", True))
        found["record"] = yes(screen, _("Shall this gateway record it?"), before=record)
    else:
        found.pop("record", None)
    return {key: value for key, value in found.items() if value is not None}


def cameras_of(screen: Screen, button: Mapping[str, Any], names: list[str]) -> list[str]:
    """Ask which cameras belong to a button."""

    def known(said: object) -> None:
        if said not in names:
            raise WrongError(_("One of: {letters}").format(letters=", ".join(names)))

    before = [name for name in button.get("cameras", ()) if name in names]
    question = _("Cameras of {button}: {all}").format(button=button["name"], all=", ".join(names))
    return optional(screen, question, listed(known), before or None) or []


def _table(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = found.get(name)
    return dict(value) if isinstance(value, dict) else {}
