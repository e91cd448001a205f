"""What of a gateway needs somebody, and how much. Pure."""

from dataclasses import dataclass
from typing import Final

from gatehouse.texts import _
from gatehouse_district import event_words
from gatehouse_district.desk import words
from gatehouse_district.desk.strangers import cut
from gatehouse_district.model import Gateway, Presence, Retention, Standing, Tried

GONE: Final = 0
"""Nobody would hear a press."""
OFF: Final = 1
FAULTY: Final = 2
MARKED: Final = 3
WELL: Final = 4


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a gateway stands where it stands."""

    rank: int
    """0 is the worst."""
    said: tuple[str, ...]


def trouble(gateway: Gateway) -> Trouble:
    """Return what is not well with a gateway, the worst first."""
    rank = WELL
    said: list[str] = []
    for worse, text in _findings(gateway):
        rank = min(rank, worse)
        said.append(text)
    return Trouble(rank, tuple(said))


def _findings(gateway: Gateway) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    if gateway.presence in {Presence.LOST, Presence.SILENT}:
        found.append((GONE, words.presence(gateway.presence)))
    elif gateway.presence is not Presence.ONLINE:
        found.append((OFF, words.presence(gateway.presence)))
    found += [(FAULTY, fault_words(each)) for each in gateway.faults]
    short = [each for each in gateway.retention if each.verdict == "short"]
    soon = [each for each in gateway.retention if each.verdict == "forecast"]
    if short:
        found.append((FAULTY, _("recordings too short: {n}").format(n=len(short))))
    if soon:
        found.append((MARKED, _("recordings will be too short: {n}").format(n=len(soon))))
    if gateway.lacking:
        found.append((MARKED, _("events missing: {n}").format(n=gateway.lacking)))
    if gateway.clock == "unsynced":
        found.append((MARKED, _("clock not set")))
    for name, tried in ((_("walk test"), gateway.walktest), (_("self-test"), gateway.selftest)):
        if tried is None:
            found.append((MARKED, _("{test}: none yet").format(test=name)))
        elif tried.result != "OK":
            rank = FAULTY if tried.result == "FAIL" else MARKED
            result = cut(words.result(tried.result), 20)
            found.append((rank, _("{test}: {result}").format(test=name, result=result)))
    return sorted(found, key=lambda each: each[0])


def order(gateway: Gateway) -> str:
    """Return what to sort by: trouble first, then by name."""
    return f"{trouble(gateway).rank} {cut(gateway.school, 60)} {cut(gateway.id, 64)}"


def fault_words(standing: Standing) -> str:
    """Name a fault and what has it."""
    name = cut(event_words.fault(cut(standing.fault, 60), standing.subject), 60)
    kind, _slash, which = standing.subject.partition("/")
    if not which:
        return name
    what = {"button": _("button {name}"), "camera": _("camera {name}")}.get(kind, "{name}")
    return _("{what}: {fault}").format(what=what.format(name=cut(which, 32)), fault=name)


def days(retention: Retention) -> str:
    """Say how far back recordings are proven, beside the duty: never more than they are."""
    proven = retention.proven_days
    kept = "?" if proven is None else f"{int(proven * 10) / 10:g}"
    return _("{proven} of {duty} days").format(proven=kept, duty=f"{retention.required_days:g}")


def tried_parts(tried: Tried) -> list[tuple[str, str]]:
    """Return the parts of a test that were not well: name and result. A stranger's data."""
    rows = tried.data.get("buttons") or tried.data.get("checks") or []
    parts = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [
        (cut(row.get("name", "?"), 40), cut(row.get("result", "?"), 20))
        for row in parts[:200]
        if row.get("result") not in ("OK", "SKIP")  # it may be no hashable thing
    ][:20]
