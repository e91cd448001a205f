"""The words of stages and presences, as people read them; documents have those of the code."""

from typing import Final

from gatehouse.texts import N_, _
from gatehouse_district.model import Presence, Stage

STAGES: Final = {
    Stage.RECEIVED: (N_("not answered"), "bold red"),
    Stage.ANSWERING: (N_("answered, on its way"), "yellow"),
    Stage.ACKNOWLEDGED: (N_("answered"), "green"),
    Stage.RESET: (N_("reset"), "dim"),
}
PRESENCES: Final = {
    Presence.ONLINE: (N_("connected"), "green"),
    Presence.STOPPED: (N_("stopped in order"), "yellow"),
    Presence.LOST: (N_("connection lost"), "red"),
    Presence.SILENT: (N_("silent"), "red"),
    Presence.UNKNOWN: (N_("not heard yet"), "yellow"),
}
MODES: Final = {"real": N_("real"), "test": N_("test"), "drill": N_("drill")}
VERDICTS: Final = {
    "ok": (N_("enough"), "green"),
    "short": (N_("too short"), "red"),
    "forecast": (N_("will be too short"), "yellow"),
    "unknown": (N_("unknown"), "yellow"),
}


def stage(of: Stage) -> tuple[str, str]:
    """Return the word and its colour."""
    word, colour = STAGES[of]
    return _(word), colour


def presence(of: Presence) -> tuple[str, str]:
    """Return the word and its colour."""
    word, colour = PRESENCES[of]
    return _(word), colour


def verdict(of: str) -> tuple[str, str]:
    """Return the word and its colour; one that nobody knows stays as it is."""
    word, colour = VERDICTS.get(of, (of, "red"))
    return _(word) if word else "?", colour


def mode(of: str) -> str:
    """Return the word; one that nobody knows stays as it is."""
    word = MODES.get(of, of)
    return _(word) if word else "?"
