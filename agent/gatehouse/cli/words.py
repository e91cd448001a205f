"""The words of faults and states, as people read them; documents have those of the contract."""

from typing import Final

from gatehouse.texts import N_, _

LINE: Final = {
    "normal": N_("normal"),
    "active": N_("pressed"),
    "open": N_("open (cut wire)"),
    "short": N_("short"),
    "stuck": N_("stuck"),
    "chatter": N_("chatter"),
}
_CAMERA: Final = {
    "unreachable": N_("unreachable"),
    "refused": N_("login refused"),
    "stalled": N_("no pictures"),
    "frozen": N_("frozen"),
    "dark": N_("dark"),
    "covered": N_("covered"),
    "blurred": N_("blurred"),
    "moved": N_("moved"),
    "low-resolution": N_("low resolution"),
    "clock-off": N_("clock off"),
    "not-recording": N_("not recording"),
    "shortfall": N_("recordings too short"),
    "forecast": N_("recordings will be too short"),
}
_GATEWAY: Final = {
    "shortfall": N_("disk too small for the recordings"),
    "cameras-lost": N_("all cameras lost at once"),
    "clean-up-refused": N_("clean-up of recordings refused"),
    "recordings-unreadable": N_("recordings cannot be read"),
    "evidence-full": N_("no room for evidence of the next alarm"),
    "evidence-failed": N_("evidence cannot be written"),
    "video-config": N_("mistakes in the configuration of the cameras"),
    "video": N_("video service silent"),
    "video-keys": N_("reported gaps cannot be read back"),
    "walktest-due": N_("walk test is due"),
    "walktest-log": N_("earlier walk tests cannot be read back"),
    "config": N_("mistakes in the configuration"),
    "clock": N_("clock not set"),
    "control": N_("control socket fails"),
    "offline": N_("no way to the district"),
    "broker-refused": N_("broker refuses the gateway"),
    "certificate": N_("certificate not accepted"),
    "certificate-dates-unchecked": N_("certificate judged without its dates"),
    "duplicate-id": N_("another gateway uses this id"),
    "no-subscriber": N_("nobody listens at the district"),
    "publish-refused": N_("broker refuses an event"),
    "subscribe-refused": N_("broker refuses to deliver receipts"),
    "outbox-disk": N_("outbox: disk fails"),
    "outbox-full": N_("outbox: full, events were dropped"),
    "outbox-refused": N_("outbox: an event could not be stored"),
    "outbox-start": N_("outbox: the start could not be numbered"),
    "outbox-damaged": N_("outbox: file was damaged"),
    "outbox-newer": N_("outbox: file of a newer version"),
    "board": N_("inputs cannot be read"),
    "missed-edge": N_("an edge was missed"),
    "output": N_("an output cannot be switched"),
    "tamper": N_("box opened"),
    "mains": N_("mains lost"),
    "disk-space": N_("disk full or nearly"),
    "disk-read-only": N_("disk read-only"),
    "disk-worn": N_("disk worn out"),
    "under-voltage": N_("supply voltage too low"),
    "overheated": N_("too hot"),
    "memory": N_("memory short"),
    "certificate-expires": N_("certificate about to expire"),
    "health": N_("health is not looked at"),
    "more": N_("more faults"),
}


def fault(word: str, subject: str = "") -> str:
    """Return what to call a fault of ``subject``; a word that nobody knows stays as it is."""
    kind = subject.partition("/")[0]
    known = {"button": LINE, "camera": _CAMERA}.get(kind, _GATEWAY)
    return _(known.get(word, word))
