"""What happened around one alarm, in the order of time. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gatehouse.texts import _
from gatehouse_district.desk import alarm_view, words
from gatehouse_district.desk.strangers import cut
from gatehouse_district.desk.times import unix_ms
from gatehouse_district.model import Alarm, Entry, Picture, Stage

_LACKING: Final = 20
_LAST_MS: Final = 10**18


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened."""

    time: str | None
    said: str
    more: tuple[str, ...] = ()


def timeline(alarm: Alarm, pictures: Sequence[Picture], entries: Iterable[Entry]) -> Sequence[Step]:
    """Return the steps; those without a time that can be read stand last."""
    steps = [
        Step(
            alarm.time,
            _("{mode}: pressed").format(mode=words.mode(alarm.mode)),
            tuple(alarm_view.remarks(alarm)),
        ),
        Step(alarm.arrived, _("received and stored here")),
    ]
    if alarm.acknowledged_by or alarm.acknowledged:
        by = cut(alarm.acknowledged_by, 60)
        steps.append(Step(alarm.acknowledged, _("answered by {name}").format(name=by)))
    if alarm.stage is Stage.ACKNOWLEDGED:
        steps.append(Step(None, words.stage(alarm.stage)))
    if alarm.stage is Stage.RESET:
        steps.append(Step(alarm.reset, alarm_view.ended(alarm)))
    if pictures:
        first = min(pictures, key=lambda each: unix_ms(each.arrived) or 0)
        steps.append(Step(first.arrived, _("first of {n} pictures came").format(n=len(pictures))))
    steps += [step for entry in entries if (step := _step(alarm, entry))]
    return sorted(steps, key=lambda step: unix_ms(step.time) or _LAST_MS)


def _step(alarm: Alarm, entry: Entry) -> Step | None:
    """Return what an event says of this alarm; None when it is of another."""
    data = entry.event.get("data")
    if not isinstance(data, dict) or data.get("alarm") != alarm.id:
        return None
    if entry.event.get("type") == "gatehouse.alarm.released":
        return Step(entry.time, _("button no longer pressed"))
    return Step(entry.time, _("evidence is kept at the school"), _lacking(data))


def _lacking(data: dict[str, object]) -> tuple[str, ...]:
    """Say what the bundle of evidence lacks."""
    inside = data.get("manifest")
    found = (inside if isinstance(inside, dict) else data).get("lacking")
    rows = found if isinstance(found, list) else []
    return tuple(
        _("lacks {kind} of camera {camera}: {why}").format(
            kind=cut(row.get("kind", "?"), 20),
            camera=cut(row.get("camera", "?"), 32),
            why=cut(row.get("text") or row.get("why", "?"), 100),
        )
        for row in rows[:_LACKING]
        if isinstance(row, dict)
    )
