"""What stands after a restart is what a replay of all events gives."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse import events
from gatehouse.events import Event, Happening, Mode, Scribe
from gatehouse.outbox import derived
from gatehouse.outbox.store import Store
from outbox.house import NOON, put, scribe

BUTTONS = ("gate", "hall")
FAULTS = (
    ("line", "button/gate", "open"),
    ("line", "button/gate", "short"),
    ("camera", "camera/gate", "dark"),
    ("gateway", "gateway", "offline"),
    ("tamper", "gateway", "tamper"),
    ("retention", "camera/gate", "forecast"),
)
WORDS = {"tamper": ("opened", "closed"), "retention": ("forecast", "restored")}

STEPS = st.one_of(
    st.tuples(st.just("raise"), st.sampled_from(BUTTONS), st.sampled_from(Mode)),
    st.tuples(st.just("release"), st.integers(0, 9), st.none()),
    st.tuples(st.just("reset"), st.sampled_from(BUTTONS), st.none()),
    st.tuples(st.just("begin"), st.sampled_from(FAULTS), st.integers(0, 3)),
    st.tuples(st.just("end"), st.sampled_from(FAULTS), st.none()),
    st.tuples(st.just("drill"), st.booleans(), st.none()),
    st.tuples(st.just("other"), st.none(), st.none()),
)


@dataclass
class Replay:
    """What stands, from the events alone, in the plainest words."""

    alarms: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    drill: bool = False

    def take(self, event: Event) -> None:
        """Take the next event."""
        match event.type:
            case events.ALARM_RAISED:
                button = event.subject.removeprefix("button/")
                said = {"button": button, "mode": event.mode, "released": False, "reset": False}
                self.alarms[event.id] = said
            case events.ALARM_RELEASED if event.data["alarm"] in self.alarms:
                self.alarms[event.data["alarm"]]["released"] = True
            case events.ALARM_RESET:
                for id_ in event.data["alarms"]:
                    self.alarms[id_]["reset"] = True
            case events.DRILL_STARTED | events.DRILL_ENDED:
                self.drill = event.type == events.DRILL_STARTED
            case _ if "fault" in event.data:
                self._fault(event)

    def _fault(self, event: Event) -> None:
        key = (event.subject, event.data["fault"])
        if event.type.rsplit(".", 1)[1] in {"restored", "closed"}:
            self.faults.pop(key, None)
        else:
            self.faults[key] = {k: v for k, v in event.data.items() if k != "fault"}

    def standing(self) -> dict[str, dict[str, Any]]:
        """Return the alarms that are not reset, and the newest of each button."""
        newest = {said["button"]: id_ for id_, said in self.alarms.items()}
        return {
            id_: said
            for id_, said in self.alarms.items()
            if not said["reset"] or id_ in newest.values()
        }


def _happenings(steps: list[tuple[str, Any, Any]], made: Scribe) -> list[Event]:
    told: list[Event] = []
    raised: list[Event] = []
    open_: dict[str, list[str]] = {button: [] for button in BUTTONS}

    def tell(type_: str, subject: str, data: dict[str, Any], mode: Mode = Mode.REAL) -> Event:
        told.append(made.write(Happening(type_, subject, data, mode)))
        return told[-1]

    for what, which, more in steps:
        match what:
            case "raise":
                event = tell(events.ALARM_RAISED, f"button/{which}", {}, more)
                raised.append(event)
                open_[which].append(event.id)
            case "release" if raised:
                event = raised[which % len(raised)]
                tell(events.ALARM_RELEASED, event.subject, {"alarm": event.id})
            case "reset":
                tell(events.ALARM_RESET, f"button/{which}", {"alarms": open_[which], "by": "王"})
                open_[which] = []
            case "begin" | "end":
                family, subject, fault = which
                words = WORDS.get(family, ("fault", "restored"))
                type_ = f"gatehouse.{family}.{words[what == 'end']}"
                tell(type_, subject, {"fault": fault, "text": f"第{more}次"})
            case "drill":
                tell(events.DRILL_STARTED if which else events.DRILL_ENDED, "gateway", {})
            case "other":
                tell(events.CONFIG_CHANGED, "gateway", {})
    return told


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=40), st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_tables_are_what_a_replay_gives(
    steps: list[tuple[str, Any, Any]], batches: list[int]
) -> None:
    """A lamp that is dark after a restart though an alarm stands; a fault that never ends."""
    told = _happenings(steps, scribe())
    replay = Replay()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "outbox.db")
        at = 0
        while at < len(told):
            size = batches[at % len(batches)]
            store.write([put(event) for event in told[at : at + size]], NOON)
            at += size
        for event in told:
            replay.take(event)
        alarms, faults, drill = store.alarms(), store.faults(), store.meta("drill") == "1"
        kept = derived.alarms(store._db)
        store.abandon()
    assert kept == alarms
    standing = {
        a.id: {"button": a.button, "mode": a.mode, "released": a.released, "reset": a.reset}
        for a in alarms
    }
    assert standing == replay.standing()
    assert list(standing) == list(replay.standing()), "in the order in which they were raised"
    assert {(f.subject, f.fault): dict(f.data) for f in faults} == replay.faults
    assert drill == replay.drill


def test_events_of_another_making_do_no_harm(tmp_path: Path) -> None:
    """Data of a kind that nobody expected must not make an event undurable."""
    made = scribe()
    store = Store(tmp_path / "outbox.db")
    odd: list[tuple[str, dict[str, Any]]] = [
        (events.ALARM_RESET, {}),
        (events.ALARM_RESET, {"alarms": "none"}),
        (events.ALARM_RESET, {"alarms": [1, None, {"a": 1}]}),
        (events.ALARM_RELEASED, {"alarm": ["a"]}),
        (events.ALARM_RELEASED, {}),
        ("gatehouse.gateway.fault", {"fault": {"a": 1}}),
        ("gatehouse.gateway.restored", {"fault": 5}),
        ("gatehouse.gateway.fault", {}),
    ]
    told = [made.write(Happening(type_, "gateway", data)) for type_, data in odd]
    store.write([put(event) for event in told], NOON)
    assert len(list(store.waiting())) == len(told)
    store.abandon()
