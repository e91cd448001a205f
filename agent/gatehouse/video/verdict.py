"""Observations of one camera over time, and the faults that stand because of them. Pure.

Every fault takes some observations in a row to begin and some to end, so that a bird, a headlight
or one lost packet makes none. What an observation cannot tell counts for neither: nobody knows
whether a camera that is covered still looks where it did.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gatehouse.video.baseline import Baseline, Daylight, Usual
from gatehouse.video.eye_messages import Failed, Key, Message, Opened
from gatehouse.video.in_a_row import END, Link, Row
from gatehouse.video.picture import Grey, Metrics, change, lively, measure, picture_of, still

LINK: Final = ("refused", "unreachable", "stalled")
PICTURE: Final = ("frozen", "dark", "covered", "blurred", "moved", "low-resolution")
FAULTS: Final = (*LINK, *PICTURE, "clock-off", "not-recording")
"""Words of the contract, the one that explains the others first."""
OK: Final = "ok"

_BEGIN: Final = {"frozen": 3, "moved": 5}
_BEGIN_ELSE: Final = 4

LINES: Final = {"critical": 1080, "general": 720}
"""The fewest lines a camera of each area must have, unless the owner says otherwise."""


@dataclass(frozen=True, slots=True)
class Change:
    """A fault that began or ended."""

    fault: str
    began: bool
    data: Mapping[str, Any] = field(default_factory=dict)


class Health:
    """The faults of one camera.

    ``lines`` is the resolution it must have, ``standing`` are the faults of the picture that stood
    when the service stopped: they end only when a picture shows that they have ended.
    """

    def __init__(self, baseline: Baseline, *, lines: int, standing: Iterable[str] = ()) -> None:
        self.baseline = baseline
        self._lines = lines
        self._standing: dict[str, Mapping[str, Any]] = {
            fault: {} for fault in standing if fault in PICTURE
        }
        self._rows = {fault: Row() for fault in PICTURE}
        self._proofs = dict.fromkeys(PICTURE, 0)
        self._well: set[str] = set()
        self._link = Link()
        self._daylight = Daylight()
        self._before: Grey | None = None
        self._seen = 0
        self.opened: Opened | None = None
        """The stream as it was opened last."""
        self.last: Key | None = None
        """The last keyframe."""

    @property
    def faults(self) -> dict[str, Mapping[str, Any]]:
        """What stands, each with its details, the one that explains the others first."""
        return {fault: self._standing[fault] for fault in FAULTS if fault in self._standing}

    @property
    def verdict(self) -> str:
        """The first fault, or ``ok``."""
        return next(iter(self.faults), OK)

    @property
    def well(self) -> frozenset[str]:
        """What was shown not to stand, by pictures or by whoever declared it.

        What neither stands nor is well is not known: then what was told of it before still holds.
        """
        return frozenset(self._well - self._standing.keys())

    @property
    def known(self) -> bool:
        """Whether enough was seen since the start to say that no other fault stands."""
        return self._seen > max(END, *_BEGIN.values()) or any(
            fault in self._standing for fault in LINK
        )

    def hear(self, message: Message) -> tuple[Change, ...]:
        """Take in what an eye said; return what it changed."""
        match message:
            case Opened():
                self.opened, self._before = message, None
                return ()
            case Key():
                return tuple(self._look(message))
            case Failed():
                self._before = None
                return tuple(self._failed(message))
            case _:
                return ()

    def declare(
        self, fault: str, stands: bool, data: Mapping[str, Any] | None = None
    ) -> tuple[Change, ...]:
        """Say a fault that is found elsewhere: ``clock-off``, ``not-recording``."""
        self._proven(fault, not stands)
        return tuple(self._settle(fault, stands, data or {}))

    def relearn(self) -> tuple[Change, ...]:
        """Take the camera as it now stands for the usual.

        What stood has ended, for a person says so; the rest is not known before it was learnt.
        """
        self.baseline.forget()
        ended: list[Change] = []
        for fault in ("frozen", "blurred", "moved"):
            self._rows[fault], self._proofs[fault] = Row(), 0
            self._proven(fault, fault in self._standing)
            ended += self._settle(fault, False, {})
        return tuple(ended)

    def _failed(self, failed: Failed) -> Iterator[Change]:
        fault = self._link.failed(failed.fault)
        if fault is None:
            return
        for other in LINK:
            self._proven(other, other != fault)  # a camera has one link fault at a time
            if other != fault:
                yield from self._settle(other, False, {})
        yield from self._settle(fault, True, {"text": failed.text} if failed.text else {})

    def _look(self, key: Key) -> Iterator[Change]:
        self._seen += 1
        self.last = key
        if self._link.seen():
            self._well.update(LINK)
            for fault in LINK:
                yield from self._settle(fault, False, {})
        picture = picture_of(key.grey)
        for fault, (says, data) in self._judge(key, picture).items():
            verdict = self._rows[fault].count(
                says, standing=fault in self._standing, begin=_BEGIN.get(fault, _BEGIN_ELSE)
            )
            if verdict is not None:
                yield from self._settle(fault, verdict, data)
            self._prove(fault, says)
        self._before = picture

    def _prove(self, fault: str, says: bool | None) -> None:
        """Count what shows that a fault of the picture does not stand; it takes as much as its end.

        Blurred is told from a view that was always soft only beside a reference.
        """
        if says is None or (fault == "blurred" and not self.baseline.learnt):
            return
        self._proofs[fault] = 0 if says else self._proofs[fault] + 1
        if self._proofs[fault] >= END:
            self._proven(fault, True)

    def _proven(self, fault: str, well: bool) -> None:
        if well:
            self._well.add(fault)
        else:
            self._well.discard(fault)

    def _judge(self, key: Key, picture: Grey) -> dict[str, "_Says"]:
        """Say of each fault of the picture whether this one shows it; None: it cannot tell."""
        metrics = measure(picture)
        if metrics.usable:
            self._daylight.see(metrics.mean, key.colour)
        judged = self._alone(metrics) | self._size()
        light = self._daylight.light
        if not metrics.usable or light is None or not self._daylight.settled:
            return judged
        usual = self.baseline[light]
        judged["frozen"] = self._frozen(key, picture, usual)
        if usual.reference is None:
            if not any(fault in self._standing for fault in PICTURE):
                usual.learn(picture, metrics)
            return judged
        unfocused = metrics.unfocused(usual.sharpness)
        judged["blurred"] = (unfocused, {})
        if not unfocused:
            judged["moved"] = self._moved(picture, usual)
        return judged

    def _alone(self, metrics: Metrics) -> dict[str, "_Says"]:
        """Judge what a picture shows by itself."""
        usual = self.baseline.other(self._daylight.light)
        blind = metrics.unusable and not (metrics.black or metrics.flat)
        reference = usual.reference.metrics if usual and usual.reference else None
        blurred = blind and metrics.shows_the_view(reference)
        judged: dict[str, _Says] = {
            "dark": (metrics.black, {}),
            "covered": (not metrics.black and (metrics.flat or (blind and not blurred)), {}),
        }
        if blurred or (metrics.usable and usual is None):
            judged["blurred"] = (blurred, {})
        return judged

    def _size(self) -> dict[str, "_Says"]:
        if self.opened is None:
            return {}
        width, height = self.opened.width, self.opened.height
        data = {"width": width, "height": height, "required": self._lines}
        return {"low-resolution": (min(width, height) < self._lines, data)}

    def _frozen(self, key: Key, picture: Grey, usual: Usual) -> "_Says":
        if self._before is None:
            return None, {}
        often = usual.p_bytes
        changed = change(self._before, picture)
        if often is None:  # what is usual is learnt from pictures that move
            if lively(changed):
                usual.moving(key.p_bytes)
            return None, {}
        frozen = still(key.p_bytes, often, changed)
        if not frozen:
            usual.moving(key.p_bytes)
        return frozen, {}

    def _moved(self, picture: Grey, usual: Usual) -> "_Says":
        assert usual.reference is not None  # noqa: S101  # asked only then
        shift = usual.reference.shift(picture)
        if shift.in_place and not any(fault in self._standing for fault in PICTURE):
            usual.follow(picture)
        return shift.moved, {}

    def _settle(self, fault: str, stands: bool, data: Mapping[str, Any]) -> Iterator[Change]:
        if stands == (fault in self._standing):
            return
        if stands:
            self._standing[fault] = data
            self._well.discard(fault)
        else:
            del self._standing[fault]
        yield Change(fault, stands, data if stands else {})


_Says = tuple[bool | None, Mapping[str, Any]]
