"""What the states are called on the page. Pure; in the language in use."""

from typing import Final

from gatehouse.texts import N_, _
from gatehouse_district import event_words
from gatehouse_district.desk.roles import Role
from gatehouse_district.model import Presence, Stage

_STAGE: Final = {
    Stage.RECEIVED: N_("not answered"),
    Stage.ANSWERING: N_("answered, not yet at the gatehouse"),
    Stage.ACKNOWLEDGED: N_("answered, the gatehouse sees it"),
    Stage.RESET: N_("reset on site"),
}
_MODE: Final = {
    "real": N_("ALARM"),
    "test": N_("TEST, no alarm"),
    "drill": N_("DRILL, no alarm"),
}
_PRESENCE: Final = {
    Presence.ONLINE: N_("connected"),
    Presence.STOPPED: N_("switched off in good order"),
    Presence.LOST: N_("connection lost"),
    Presence.SILENT: N_("silent, no sign of life"),
    Presence.UNKNOWN: N_("never heard of itself"),
}
_VERDICT: Final = {
    "ok": N_("kept long enough"),
    "short": N_("too short"),
    "forecast": N_("will become too short"),
    "unknown": N_("not known"),
}
_ROLE: Final = {
    Role.WATCH: N_("watch"),
    Role.ANSWER: N_("answer"),
    Role.ADMINISTER: N_("administer"),
}
_AREA: Final = {"critical": N_("critical area"), "general": N_("general area")}
_CLOCK: Final = {"synced": N_("set"), "unsynced": N_("not set"), "corrected": N_("put right")}
_ACTION: Final = {
    "sign-in": N_("sign in"),
    "sign-out": N_("sign out"),
    "acknowledge": N_("acknowledge"),
    "release-evidence": N_("release evidence"),
    "snapshot": N_("ask for a picture"),
    "account-add": N_("add account"),
    "account-role": N_("change role"),
    "account-password": N_("change password"),
    "account-remove": N_("remove account"),
    "done": N_("done"),
    "refused": N_("refused"),
}


def stage(value: Stage) -> str:
    """Say how far an alarm got."""
    return _(_STAGE[value])


def mode(value: str) -> str:
    """Say whether it is meant; an unknown word counts as real."""
    return _(_MODE.get(value, _MODE["real"]))


def presence(value: Presence) -> str:
    """Say whether a gateway is there."""
    return _(_PRESENCE[value])


def verdict(value: str) -> str:
    """Say whether recordings reach back far enough."""
    return _(_VERDICT.get(value, _VERDICT["unknown"]))


def reason(value: str) -> str:
    """Say why an alarm was reset; an unknown word stays as it is."""
    return event_words.reset(value)


def role(value: Role) -> str:
    """Say what an account may."""
    return _(_ROLE[value])


def result(value: str) -> str:
    """Say how a test went."""
    return event_words.result(value)


def area(value: str) -> str:
    """Say what kind of place a camera covers."""
    return _(_AREA.get(value, value))


def clock(value: str) -> str:
    """Say whether a clock is right."""
    return _(_CLOCK.get(value, value))


def action(value: str) -> str:
    """Say what was done, or how it ended."""
    return _(_ACTION.get(value, value))
