"""The rules of contract section 2, one function a section: what TOML gave in, the model out.

Each function returns None where its table cannot be used; what is wrong is noted in `Findings`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from gatehouse.config import addresses, pairs, values
from gatehouse.config.lines import Lines
from gatehouse.config.mistakes import ALARM_SECTIONS, Mistake
from gatehouse.config.model import (
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
from gatehouse.config.table import Findings, Table, nearest, section, unknown
from gatehouse.texts import _

SECTIONS: Final = ["gateway", "button", "enclosure", "district", "camera", "retention", "evidence"]
STATE_DIR: Final = Path("/var/lib/gatehouse")
RUNTIME_DIR: Final = Path("/run/gatehouse")

LONGEST_FILTER_MS: Final = 1000
"""Above a second a determined short press would count as a spike."""
LONGEST_DEBOUNCE_MS: Final = 2000
"""Above two seconds two presses of a frightened hand would count as one."""
LONGEST_CHANGEOVER_MS: Final = 10_000
"""Above ten seconds a cut wire would be told too late to be tied to what cut it."""

_EVIDENCE_MB: Final = (100, 1_000_000)

_NONE: Final = Retention()


def check(
    found: Mapping[str, Any], path: Path, text: str
) -> tuple[Config | None, tuple[Mistake, ...]]:
    """Check a whole file; relative paths in it count from the folder of ``path``.

    The configuration is None when something that the alarm service lives on is wrong. Otherwise
    it is complete but for what was wrong elsewhere: broken cameras are left out, broken retention
    keys have their defaults.
    """
    findings = Findings(Lines(text))
    folder = path.parent
    gateway = _gateway(section(found, "gateway", findings), folder)
    buttons = _buttons(found, findings)
    enclosure = _enclosure(section(found, "enclosure", findings))
    state_dir = gateway.state_dir if gateway is not None else STATE_DIR
    district = _district(section(found, "district", findings), folder, state_dir)
    cameras = _cameras(found, findings, folder)
    retention = _retention(section(found, "retention", findings))
    evidence = _evidence(section(found, "evidence", findings))
    for name in found:
        if name not in SECTIONS:
            _strange_section(name, findings)
    mistakes = tuple(sorted(findings.mistakes, key=lambda mistake: mistake.line or 0))
    stopped = any(mistake.stops_alarm for mistake in mistakes)
    if stopped or gateway is None or enclosure is None or district is None:
        return None, mistakes
    config = Config(path, gateway, buttons, district, enclosure, cameras, retention, evidence, text)
    return config, mistakes


def _sections(found: Mapping[str, Any], name: str, findings: Findings) -> Iterator[Table]:
    """Give each table of an array of tables, called by its own name where it has a good one."""
    listed = found.get(name, [])
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        said = _("must be an array of tables, each written [[{name}]]; got {got}")
        findings.note(name, (name,), said.format(name=name, got=values.kind(listed)), name)
        return
    seen: set[str] = set()
    for index, item in enumerate(listed):
        own = item.get("name")
        good = isinstance(own, str) and re.fullmatch(values.NAME, own) is not None
        key = f'{name} "{own}"' if good and own not in seen else f"{name}[{index + 1}]"
        table = Table(item, key=key, path=(name, index), section=name, findings=findings)
        if good:
            if own in seen:
                table.note("name", _('"{name}" is used twice').format(name=own))
            seen.add(own)
        yield table


def _strange_section(name: str, findings: Findings) -> None:
    """Note an unknown table. One that was probably meant for the alarm counts as such.

    A ``[[buton]]`` left out in silence would be a button that somebody disarmed by a typo.
    """
    meant = nearest(name, SECTIONS)
    counted = meant if meant in ALARM_SECTIONS else name
    findings.note(name, (name,), unknown(name, SECTIONS), counted)


def _gateway(table: Table | None, folder: Path) -> Gateway | None:
    if table is None:
        return None
    gateway = Gateway(
        id=table.need("id", values.matching(values.GATEWAY_ID), ""),
        school=table.need("school", values.text, ""),
        language=table.take("language", values.one_of("zh_CN", "en"), None),
        state_dir=table.take("state_dir", values.file_path(folder), STATE_DIR),
        runtime_dir=table.take("runtime_dir", values.runtime_dir(folder), RUNTIME_DIR),
    )
    return gateway if table.end() else None


def _buttons(found: Mapping[str, Any], findings: Findings) -> tuple[Button, ...]:
    if found.get("button", []) == []:
        findings.note("button", ("button",), _("needs at least one [[button]]"), "button")
    cameras = found.get("camera")
    listed = cameras if isinstance(cameras, list) else []
    known = [item.get("name") for item in listed if isinstance(item, dict)]
    buttons = [_button(table, known) for table in _sections(found, "button", findings)]
    return tuple(button for button in buttons if button is not None)


def _button(table: Table, known_cameras: list[Any]) -> Button | None:
    pin = table.pin("pin", needed=True)
    button = Button(
        name=table.need("name", values.matching(values.NAME), ""),
        location=table.need("location", values.text, ""),
        pin=0 if pin is None else pin,
        loop=table.pin("loop"),
        latching=table.take("latching", values.flag, default=False),
        reset=table.pin("reset"),
        lamps=_lamps(table.inner("lamps"), table),
        buzzer=table.pin("buzzer"),
        silent=table.take("silent", values.flag, default=True),
        relay=table.pin("relay"),
        cameras=table.many("cameras", values.matching(values.NAME)),
        filter_ms=table.take("filter_ms", values.whole(0, LONGEST_FILTER_MS), 5),
        debounce_ms=table.take("debounce_ms", values.whole(0, LONGEST_DEBOUNCE_MS), 50),
        changeover_ms=table.take("changeover_ms", values.whole(0, LONGEST_CHANGEOVER_MS), 500),
    )
    if button.latching and button.reset is not None:
        table.note("reset", _("is for buttons that do not latch: a latching one has its own key"))
    for name in button.cameras:
        if name not in known_cameras:  # no reason to keep the alarm from this file
            said = _('names a camera that is not there: "{name}"').format(name=name)
            table.note("cameras", said, section="camera")
    return button if table.end() else None


def _lamps(table: Table | None, button: Table) -> Lamps:
    if table is None:
        return Lamps()
    lamps = Lamps(
        red=table.pin("red", needed=True), yellow=table.pin("yellow"), green=table.pin("green")
    )
    button.sound = table.end() and button.sound
    return lamps


def _enclosure(table: Table | None) -> Enclosure | None:
    if table is None:
        return None
    enclosure = Enclosure(tamper=table.pin("tamper"), mains=table.pin("mains"))
    return enclosure if table.end() else None


def _district(table: Table | None, folder: Path, state_dir: Path) -> District | None:
    if table is None:
        return None
    brokers = table.many("brokers", addresses.broker, needed=True)
    tls = any(broker.tls for broker in brokers)
    ca, cert, key = (table.take(name, values.file_path(folder), None) for name in _TLS_FILES)
    for name in _TLS_FILES:
        if tls and not table.has(name):
            table.note(name, _("is missing: mqtts:// needs it"))
    district = District(
        brokers=brokers,
        ca=ca if tls else None,
        cert=cert if tls else None,
        key=key if tls else None,
        receipts=table.take("receipts", values.flag, default=True),
        heartbeat_s=table.take("heartbeat_s", values.number(1, 3600), 20.0),
        enrol=table.take("enrol", addresses.https, None),
        renewed=state_dir / pairs.FOLDER if tls else None,
    )
    return district if table.end() else None


_TLS_FILES: Final = ("ca", "cert", "key")


def _cameras(found: Mapping[str, Any], findings: Findings, folder: Path) -> tuple[Camera, ...]:
    cameras: list[Camera] = []
    for table in _sections(found, "camera", findings):
        camera = _camera(table, folder, cameras)
        if camera is not None:
            cameras.append(camera)
    return tuple(cameras)


def _camera(table: Table, folder: Path, others: list[Camera]) -> Camera | None:
    recordings = table.take("recordings", values.absolute_path, None)
    camera = Camera(
        name=table.need("name", values.matching(values.NAME), ""),
        source=table.need("source", addresses.source, ""),
        area=table.need("area", values.one_of("critical", "general"), "general"),
        covers=table.many("covers", values.text),
        credential=table.take("credential", values.credential(folder), None),
        recordings=recordings,
        record=table.take("record", values.flag, default=True) and recordings is not None,
        min_lines=table.take("min_lines", values.whole(100, 10_000), None),
        onvif_port=table.take("onvif_port", values.whole(1, 65_535), None),
    )
    if table.has("record") and not table.has("recordings"):
        table.note("recordings", _("is missing: record says something about it"))
    for other in others:
        said = _('is that of camera "{name}" already').format(name=other.name)
        inside = _('lies within or around that of camera "{name}"').format(name=other.name)
        if recordings is not None and other.recordings is not None:
            if recordings == other.recordings:
                table.note("recordings", said)
            elif recordings in other.recordings.parents or other.recordings in recordings.parents:
                table.note("recordings", inside)
        if camera.source.startswith("picamera2:") and camera.source == other.source:
            table.note("source", said)
    return camera if table.end() else None


def _retention(table: Table | None) -> Retention:
    if table is None:
        return _NONE
    retention = Retention(
        general_days=table.take("general_days", values.days(30, 31), _NONE.general_days),
        critical_days=table.take("critical_days", values.days(90, 92), _NONE.critical_days),
        min_free_percent=table.take(
            "min_free_percent", values.number(0, 50), _NONE.min_free_percent
        ),
        gap_seconds=table.take("gap_seconds", values.number(1, 86400), _NONE.gap_seconds),
        on_full=table.take("on_full", values.one_of("oldest", "stop"), _NONE.on_full),
    )
    table.end()
    return retention


def _evidence(table: Table | None) -> Evidence:
    if table is None:
        return Evidence()
    found = table.take("max_mb", values.whole(*_EVIDENCE_MB), Evidence().max_mb)
    table.end()
    return Evidence(max_mb=found)
