"""What events are called, and what their data names: for the desk and the commands alike. Pure.

In the language in use. The words of faults are the agent's own. What nobody knows stays as it is:
a stranger's word, which whoever shows it makes harmless.
"""

from collections.abc import Mapping
from typing import Any, Final

from gatehouse import events
from gatehouse.cli import words
from gatehouse.texts import N_, _

EVENTS: Final[Mapping[str, str]] = {
    events.ALARM_RAISED: N_("alarm"),
    events.ALARM_RELEASED: N_("button no longer pressed"),
    events.ALARM_RESET: N_("reset on site"),
    events.LINE_FAULT: N_("line: fault"),
    events.LINE_RESTORED: N_("line: fault ended"),
    events.TAMPER_OPENED: N_("box opened"),
    events.TAMPER_CLOSED: N_("box closed"),
    events.POWER_FAULT: N_("mains lost"),
    events.POWER_RESTORED: N_("mains back"),
    "gatehouse.camera.fault": N_("camera: fault"),
    "gatehouse.camera.restored": N_("camera: fault ended"),
    "gatehouse.recording.gap": N_("recordings: gap"),
    "gatehouse.recording.deleted": N_("recordings: deleted before their time"),
    "gatehouse.retention.shortfall": N_("recordings too short"),
    "gatehouse.retention.forecast": N_("recordings will be too short"),
    "gatehouse.retention.restored": N_("recordings: long enough again"),
    "gatehouse.disk.fault": N_("disk: fault"),
    "gatehouse.disk.restored": N_("disk: fault ended"),
    events.GATEWAY_STARTED: N_("gateway: started"),
    events.GATEWAY_STOPPED: N_("gateway: stopped"),
    events.GATEWAY_FAULT: N_("gateway: fault"),
    events.GATEWAY_RESTORED: N_("gateway: fault ended"),
    events.CONFIG_CHANGED: N_("configuration changed"),
    events.CLOCK_CORRECTED: N_("clock put right"),
    "gatehouse.evidence.ready": N_("evidence is kept at the school"),
    "gatehouse.evidence.released": N_("evidence released"),
    events.DRILL_STARTED: N_("drill: started"),
    events.DRILL_ENDED: N_("drill: ended"),
    events.SELFTEST_REPORT: N_("self-test"),
    events.WALKTEST_REPORT: N_("walk test"),
    events.COMMAND_REFUSED: N_("command refused by the gateway"),
}
"""Every type of the contract."""
RESETS: Final[Mapping[str, str]] = {
    "real": N_("real alarm"),
    "mistake": N_("pressed by mistake"),
    "test": N_("test"),
    "key": N_("by the key on site"),
    "turned-back": N_("turned back with its key"),
}
STARTS: Final[Mapping[str, str]] = {
    "first": N_("first start"),
    "command": N_("stopped on command"),
    "crash": N_("ended without a farewell"),
    "power": N_("power lost or machine restarted"),
    "watchdog": N_("watchdog"),
}
"""How the start before had ended."""
_REMOVED: Final[Mapping[str, str]] = {"removed": N_("no longer configured")}
REASONS: Final[Mapping[str, Mapping[str, str]]] = {
    events.ALARM_RESET: RESETS,
    events.GATEWAY_STARTED: STARTS,
    events.GATEWAY_STOPPED: {"command": N_("on command")},
    events.LINE_RESTORED: _REMOVED,
    events.GATEWAY_RESTORED: _REMOVED,
    "gatehouse.camera.restored": _REMOVED,
    "gatehouse.retention.restored": _REMOVED,
    "gatehouse.recording.deleted": {"under-floor": N_("younger than the shortest time")},
    events.DRILL_ENDED: {
        "complete": N_("every button was pressed"),
        "expired": N_("its time was over"),
        "stopped": N_("ended by hand"),
        "restart": N_("the gateway was started anew"),
    },
    events.WALKTEST_REPORT: {
        "complete": N_("every button was pressed"),
        "timeout": N_("its time was over"),
        "stopped": N_("the gateway stopped"),
        "left": N_("whoever walked went away"),
    },
}
"""By type of event, what ``data.reason`` means; of a refused command it is a sentence already."""
DISK: Final[Mapping[str, str]] = {
    "full": N_("disk full"),
    "read-only": N_("disk read-only"),
    "worn": N_("disk worn out"),
}
RESULTS: Final[Mapping[str, str]] = {
    "OK": N_("well"),
    "WARN": N_("with warnings"),
    "FAIL": N_("failed"),
}


def event(type_: str) -> str:
    """Name a type of event; one that nobody knows is itself, without our prefix."""
    known = EVENTS.get(type_)
    return type_.removeprefix("gatehouse.") if known is None else _(known)


def fault(word: str, subject: str = "") -> str:
    """Name a fault of ``subject``."""
    if subject.partition("/")[0] not in {"button", "camera"} and word in DISK:
        return _(DISK[word])
    return words.fault(word, subject)


def reason(type_: str, word: str) -> str:
    """Say why, of an event of this type."""
    return _(REASONS.get(type_, {}).get(word, word))


def reset(word: str) -> str:
    """Say why an alarm was reset."""
    return _(RESETS.get(word, word))


def result(word: str) -> str:
    """Say how a test went."""
    return _(RESULTS.get(word, word))


def whose(subject: str) -> str:
    """Name what an event is about."""
    kind, _slash, name = subject.partition("/")
    if kind == "button" and name:
        return _("button {name}").format(name=name)
    if kind == "camera" and name:
        return _("camera {name}").format(name=name)
    return _("gateway") if subject == "gateway" else subject


def details(said: Mapping[str, Any]) -> list[str]:
    """Say what an event names beside its type: which fault, how it went, why, by whom."""
    data = said.get("data")
    if not isinstance(data, Mapping):
        return []
    type_, subject = str(said.get("type", "")), str(said.get("subject", ""))
    found: list[str] = []
    if named := data.get("fault"):
        found.append(fault(str(named), subject))
    if how := data.get("result"):
        found.append(result(str(how)))
    if why := data.get("reason"):
        found.append(reason(type_, str(why)))
    if by := data.get("by"):
        found.append(str(by))
    name = event(type_)  # mains lost: mains lost
    return [each for each in found if each and each != name]
