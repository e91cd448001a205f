"""What the page says of how the school stands: for each named place a text, a state, a wish. Pure.

``state`` is ``fine``, ``bad`` or ``wait``; a ``wish`` is what a button's next click asks for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gatehouse.cli.words import LINE, fault
from gatehouse.config.model import Button
from gatehouse.texts import N_, _
from gatehouse_sim.page.stand import Stand
from gatehouse_sim.wires import CLOSED

Said = dict[str, Any]

_LINK: Final = {
    "connected": N_("connected"),
    "connecting": N_("connecting"),
    "offline": N_("offline"),
}


@dataclass(frozen=True, slots=True)
class Around:
    """What is around the gateway."""

    plugged: bool
    disk_full: bool
    no_disk: str
    """Why the disk cannot be filled; empty where it can."""


def tell(stand: Stand, around: Around) -> dict[str, Said]:
    """Return what stands at each place of the page, in the language in use."""
    said: dict[str, Said] = {}
    said |= _agent(stand.status)
    for button in stand.config.buttons:
        said |= _button(button, stand)
    for camera in stand.config.cameras:
        said |= _camera(camera.name, stand)
    return said | _box(stand) | _network(around) | _disk(around)


def _agent(status: Mapping[str, Any] | None) -> dict[str, Said]:
    if status is None:
        unknown = _item("–", "bad")
        return {
            "agent": _item(_("not running"), "bad"),
            "agent-do": _do(_("Start"), do="agent", how="start"),
            "agent-kill": _do(_("Kill (kill -9)"), off=True, do="agent", how="kill"),
            "link": unknown,
            "waiting": unknown,
            "clock": unknown,
            "faults": {"list": [], "state": "bad", "text": ""},
        }
    link, outbox = status["link"], status["outbox"]
    connected, synced = link["state"] == "connected", status["clock"] == "synced"
    why = "" if connected or not link.get("error") else f" ({link['error']})"
    pending = _("{events} events, {alarms} alarms").format(
        events=outbox["pending"], alarms=outbox["pending_alarms"]
    )
    faults = list(_faults(status))
    return {
        "agent": _item(_("running"), "fine"),
        "agent-do": _do(_("Stop"), do="agent", how="stop"),
        "agent-kill": _do(_("Kill (kill -9)"), do="agent", how="kill"),
        "link": _item(
            _(_LINK.get(link["state"], link["state"])) + why, "fine" if connected else "bad"
        ),
        "waiting": _item(pending, "wait" if outbox["pending"] else "fine"),
        "clock": _item(*((_("set"), "fine") if synced else (_("not set"), "bad"))),
        "faults": {
            "list": faults,
            "state": "bad" if faults else "fine",
            "text": "" if faults else _("no faults"),
        },
    }


def _faults(status: Mapping[str, Any]) -> Iterator[str]:
    for each in status["faults"]:
        subject = each["subject"]
        name = subject.partition("/")[2]
        said = fault(each["fault"], subject)
        yield f"{name}: {said}" if name else said


def _button(button: Button, stand: Stand) -> dict[str, Said]:
    contacts = [_contact(_("contact"), stand.levels[button.pin])]
    if button.loop is not None:
        contacts.append(_contact(_("loop"), stand.levels[button.loop]))
    rows = {row["name"]: row for row in (stand.status or {}).get("buttons", ())}
    known = rows.get(button.name, {})
    line, alarm = known.get("line", ""), known.get("alarm", "")
    inside = button.latching and stand.levels[button.pin] == CLOSED
    press = _("Turn back with its key") if inside else _("Press")
    return {
        f"contact-{button.name}": _item(" · ".join(contacts)),
        f"line-{button.name}": _item(_(LINE.get(line, line)) or "–", _line_state(line)),
        f"alarm-{button.name}": _item(_meaning(alarm), alarm or "none"),
        f"press-{button.name}": _do(press, do="press", button=button.name, down=not inside),
    }


def _contact(name: str, level: int) -> str:
    closed = _("{contact} closed") if level == CLOSED else _("{contact} open")
    return closed.format(contact=name)


def _line_state(line: str) -> str:
    return {"normal": "fine", "active": "wait"}.get(line, "bad")


def _meaning(alarm: str) -> str:
    """Say what a stage means to the guard (contract section 6)."""
    meant = {
        "": _("the agent does not run: no lamp shines"),
        "idle": _("no alarm"),
        "received": _("the district's machine has it"),
        "acknowledged": _("a person has answered"),
    }
    return meant.get(alarm, _("the district does not have it yet"))


def _camera(name: str, stand: Stand) -> dict[str, Said]:
    verdict = stand.verdicts.get(name, "unknown")
    text = {"ok": _("sees well"), "unknown": _("not known yet")}.get(verdict)
    state = {"ok": "fine", "unknown": "wait"}.get(verdict, "bad")
    covered, on = name in stand.covered, name not in stand.away
    cover = _("Uncover") if covered else _("Cover")
    power = _("Switch off") if on else _("Switch on")
    return {
        f"camera-{name}": _item(text or fault(verdict, f"camera/{name}"), state),
        f"cover-{name}": _do(cover, do="cover", camera=name, covered=not covered),
        f"power-{name}": _do(power, do="power", camera=name, on=not on),
    }


def _box(stand: Stand) -> dict[str, Said]:
    said: dict[str, Said] = {}
    enclosure = stand.config.enclosure
    if enclosure.tamper is not None:
        closed = stand.levels[enclosure.tamper] == CLOSED
        said["lid"] = _item(
            _("lid closed") if closed else _("lid open"), "fine" if closed else "bad"
        )
        said["lid-do"] = _do(_("Open") if closed else _("Close"), do="lid", opened=closed)
    if enclosure.mains is not None:
        on = stand.levels[enclosure.mains] == CLOSED
        said["mains"] = _item(
            _("mains present") if on else _("mains lost"), "fine" if on else "bad"
        )
        said["mains-do"] = _do(_("Switch off") if on else _("Switch on"), do="mains", on=not on)
    return said


def _network(around: Around) -> dict[str, Said]:
    plugged = around.plugged
    text = _("Pull the cable") if plugged else _("Plug it in")
    return {
        "network": _item(*((_("plugged in"), "fine") if plugged else (_("pulled"), "bad"))),
        "network-do": _do(text, do="network", plugged=not plugged),
    }


def _disk(around: Around) -> dict[str, Said]:
    if around.no_disk:
        why = _("cannot be filled on this machine: {why}").format(why=around.no_disk)
        return {
            "disk": _item(why, "wait"),
            "disk-do": _do(_("Fill it"), off=True, do="disk", full=True),
        }
    full = around.disk_full
    return {
        "disk": _item(*((_("full to the last byte"), "bad") if full else (_("has room"), "fine"))),
        "disk-do": _do(_("Free it") if full else _("Fill it"), do="disk", full=not full),
    }


def _item(text: str, state: str = "fine") -> Said:
    return {"text": text, "state": state}


def _do(text: str, *, off: bool = False, **wish: str | bool) -> Said:
    return {"text": text, "wish": wish, "off": off}
