"""The words of a manifest, as people read them."""

from typing import Final

from gatehouse.evidence.manifest import PICTURE, Lacking
from gatehouse.texts import N_, _

_WHY: Final = {
    "no-picture": N_("no picture"),
    "no-recording": N_("no recording"),
    "disk-full": N_("disk full"),
    "damaged": N_("damaged"),
    "not-in-time": N_("not in time"),
}
_KIND: Final = {"picture": N_("picture"), "clip": N_("recording")}
_WHAT: Final = {
    "missing": N_("not there"),
    "changed": N_("changed"),
    "extra": N_("not in the manifest"),
    "unreadable": N_("cannot be read"),
    "damaged": N_("damaged"),
}
_MODE: Final = {"real": N_("real alarm"), "test": N_("test"), "drill": N_("drill")}
_SOURCE: Final = {
    "eye": N_("live picture"),
    "recorder": N_("our recorder"),
    "ring": N_("camera's ring memory"),
    "other": N_("another recorder"),
    "other-linked": N_("another recorder's own file, linked"),
}
_CHAIN: Final = {
    "same": N_("as told to the district"),
    "differs": N_("not what the district was told"),
    "not-in-log": N_("not in the event log any more"),
    "not-read": N_("event log not read"),
    "not-ready": N_("not told to the district yet"),
}


def why(word: str) -> str:
    """Say why something is lacking; a word that nobody knows stays as it is."""
    return _(_WHY.get(word, word))


def kind(word: str) -> str:
    """Name a kind of file."""
    return _(_KIND.get(word, word))


def what(word: str) -> str:
    """Say what a check found."""
    return _(_WHAT.get(word, word))


def mode(word: str) -> str:
    """Name the mode of an alarm."""
    return _(_MODE.get(word, word))


def source(word: str) -> str:
    """Say where a file comes from."""
    return _(_SOURCE.get(word, word))


def chain(word: str) -> str:
    """Say how a bundle stands to the event log."""
    return _(_CHAIN.get(word, word))


def lacking(entry: Lacking, since: str) -> str:
    """Say what is lacking; ``since`` is its time as people read it, empty if it has none."""
    said = why(entry.why)
    if since:
        known = entry.kind == PICTURE
        said = _("no picture since {time}") if known else _("no recording since {time}")
        said = said.format(time=since)
    if entry.count > 1:
        said += f" (×{entry.count})"
    return f"{said}: {entry.text}" if entry.text else said
