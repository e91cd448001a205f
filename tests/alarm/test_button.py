"""One button's alarms and their stages: never more than is proven."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from alarm.lines import PATIENT, S
from gatehouse.alarm import button
from gatehouse.alarm.button import PUBACK_NS, RECEIPT_NS, Alarm, Button, Stage
from gatehouse.events import Mode

GATE = Button("gate", receipts=True)
NO_RECEIPTS = replace(GATE, receipts=False)


def raised(start: Button = GATE, count: int = 1, at_ns: int = 0) -> Button:
    """Return the button with so many alarms: a1, a2 and so on."""
    for number in range(1, count + 1):
        start = button.raised(start, f"a{number}", Mode.REAL, at_ns)
    return start


def test_an_alarm_goes_through_its_stages() -> None:
    """The lamp and the status show these words."""
    now = raised()
    seen = [now.stage]
    for stage in (Stage.STORED, Stage.SENT, Stage.RECEIVED):
        now = button.moved(now, "a1", stage)
        seen.append(now.stage)
    answered = button.acknowledged(now, "a1")
    assert answered is not None
    assert [*seen, answered.stage] == list(Stage)
    assert [stage.word for stage in Stage] == [
        "undelivered", "stored", "sent", "received", "acknowledged",
    ]  # fmt: skip  # one line to compare with the contract
    assert GATE.stage is None


def test_stages_may_be_reported_in_any_order() -> None:
    """The commit runs beside the publication: either may be done first, or come twice."""
    now = button.moved(raised(), "a1", Stage.RECEIVED)
    for stage in (Stage.STORED, Stage.SENT, Stage.SENT, Stage.UNDELIVERED, Stage.ACKNOWLEDGED):
        now = button.moved(now, "a1", stage)
        assert now.stage is Stage.RECEIVED


def test_the_button_shows_its_least_advanced_alarm() -> None:
    """One alarm that was answered must not hide one that never got out."""
    now = button.moved(raised(count=3), "a1", Stage.RECEIVED)
    now = button.moved(now, "a3", Stage.SENT)
    assert now.stage is Stage.UNDELIVERED
    assert button.moved(now, "a2", Stage.STORED).stage is Stage.STORED


def test_an_unknown_alarm_changes_nothing() -> None:
    """Receipts come also for events that are no alarms, and for alarms long reset."""
    assert button.moved(raised(), "b", Stage.RECEIVED) == raised()
    assert button.acknowledged(raised(), "b") is None


def test_an_answer_answers_the_older_alarms_too() -> None:
    """Contract section 5; the newer ones still wait for a person."""
    now = button.acknowledged(raised(count=3), "a2")
    assert now is not None
    assert [alarm.acknowledged for alarm in now.alarms] == [True, True, False]


def test_without_a_puback_for_10_s_it_is_undelivered() -> None:
    """The guard has to learn that nobody comes."""
    now = button.moved(raised(), "a1", Stage.STORED)
    assert now.deadline() == PUBACK_NS == 10 * S
    assert button.advance(now, 10 * S - 1) == now
    late = button.advance(now, 10 * S)
    assert (late.stage, late.deadline()) == (Stage.UNDELIVERED, None)
    sent = button.moved(late, "a1", Stage.SENT)
    assert (sent.stage, sent.deadline()) == (Stage.SENT, RECEIPT_NS)


def test_without_a_receipt_for_30_s_it_is_undelivered() -> None:
    """A broker's PUBACK is not storage: the district may be gone."""
    now = button.moved(raised(), "a1", Stage.SENT)
    assert now.deadline() == RECEIPT_NS == 30 * S
    assert button.advance(now, 30 * S - 1).stage is Stage.SENT
    late = button.advance(now, 30 * S)
    assert late.stage is Stage.UNDELIVERED
    assert button.moved(late, "a1", Stage.RECEIVED).stage is Stage.RECEIVED


def test_without_receipts_sent_is_all_there_is() -> None:
    """Where the district sends none, every alarm would end undelivered."""
    now = button.moved(raised(NO_RECEIPTS), "a1", Stage.SENT)
    assert (now.deadline(), button.advance(now, 3600 * S).stage) == (None, Stage.SENT)
    assert button.advance(raised(NO_RECEIPTS), 10 * S).stage is Stage.UNDELIVERED


@pytest.mark.parametrize("age_ns", [PUBACK_NS, PUBACK_NS + 1, 1000 * S])
def test_an_alarm_restored_from_long_ago_is_due_at_once(age_ns: int) -> None:
    """Its age comes from before this boot: the time it was raised is then nought or below."""
    now = raised(at_ns=PUBACK_NS // 2 - age_ns)
    deadline = now.deadline()
    assert deadline is not None
    assert button.advance(now, PUBACK_NS // 2).stage is Stage.UNDELIVERED
    assert deadline <= PUBACK_NS // 2


def test_a_deadline_at_nought_is_a_deadline() -> None:
    """0 ns is a time like any other, though Python takes it for no."""
    assert raised(at_ns=-PUBACK_NS).deadline() == 0


def test_a_reset_ends_all_alarms() -> None:
    """What was reset must not come back with a late receipt."""
    now, ended = button.reset(raised(count=2))
    assert [alarm.id for alarm in ended] == ["a1", "a2"]
    assert (now.alarms, now.stage, now.relay) == ((), None, False)
    assert button.moved(now, "a1", Stage.RECEIVED) == now


@pytest.mark.parametrize(
    ("modes", "closed"),
    [
        ([Mode.REAL], True),
        ([Mode.DRILL, Mode.TEST], False),
        ([Mode.DRILL, Mode.REAL], True),
        ([], False),
    ],
)
def test_only_real_alarms_close_the_relay(modes: list[Mode], closed: bool) -> None:
    """A drill must not call the police through the old alarm host; a real press must."""
    alarms = tuple(Alarm(str(number), mode, 0) for number, mode in enumerate(modes))
    assert Button("gate", True, alarms).relay is closed


class Stages(RuleBasedStateMachine):
    """Alarms, reports and time in any order, beside a book of what was reported."""

    receipts = True

    def __init__(self) -> None:
        super().__init__()
        self.button = Button("gate", self.receipts)
        self.now_ns = 0
        self.number = 0
        self.reported: dict[str, set[Stage]] = {}
        self.raised_ns: dict[str, int] = {}

    @rule()
    def press(self) -> None:
        """One more alarm."""
        self.number += 1
        name = f"a{self.number}"
        self.reported[name], self.raised_ns[name] = set(), self.now_ns
        self.button = button.raised(self.button, name, Mode.REAL, self.now_ns)

    @rule(number=st.integers(1, 5), stage=st.sampled_from(Stage))
    def report(self, number: int, stage: Stage) -> None:
        """Disk or district report, of any alarm."""
        name = f"a{number}"
        self.button = button.moved(self.button, name, stage)
        if name in self.reported and stage is not Stage.ACKNOWLEDGED:
            self.reported[name].add(stage)

    @rule(number=st.integers(1, 5))
    def acknowledge(self, number: int) -> None:
        """A person answers."""
        after = button.acknowledged(self.button, f"a{number}")
        assert (after is None) == (f"a{number}" not in self.reported)
        if after is not None:
            self.button = after
            for name in self.reported:
                if int(name[1:]) <= number:
                    self.reported[name].add(Stage.ACKNOWLEDGED)

    @rule(for_ns=st.sampled_from([0, 1, S, 10 * S, 19 * S, 30 * S]) | st.integers(0, 40 * S))
    def wait(self, for_ns: int) -> None:
        """Time passes."""
        self.now_ns += for_ns
        self.button = button.advance(self.button, self.now_ns)

    @rule()
    def reset(self) -> None:
        """All alarms end."""
        self.button, ended = button.reset(self.button)
        assert [alarm.id for alarm in ended] == list(self.reported)
        self.reported.clear()

    @invariant()
    def claims_no_more_than_was_reported(self) -> None:
        """Each alarm shows the most that is proven, or that it is overdue."""
        assert [alarm.id for alarm in self.button.alarms] == list(self.reported)
        for alarm in self.button.alarms:
            reported = self.reported[alarm.id]
            best = max(reported, default=Stage.UNDELIVERED)
            assert alarm.stage in {best, Stage.UNDELIVERED}
            if best >= Stage.RECEIVED:
                assert alarm.stage is best
        assert self.button.stage == min((a.stage for a in self.button.alarms), default=None)

    @invariant()
    def tells_in_time_what_is_overdue(self) -> None:
        """After its time an alarm without proof shows so, and before it a deadline is set."""
        now = button.advance(self.button, self.now_ns)
        deadline = now.deadline()
        assert deadline is None or deadline > self.now_ns
        for alarm in now.alarms:
            reported = self.reported[alarm.id]
            sent = Stage.SENT in reported
            after_ns = RECEIPT_NS if sent else PUBACK_NS
            if Stage.RECEIVED in reported or (sent and not self.receipts):
                assert not alarm.overdue
            else:
                due_ns = self.raised_ns[alarm.id] + after_ns
                assert alarm.overdue == (due_ns <= self.now_ns)
                if not alarm.overdue:
                    assert deadline is not None
                    assert deadline <= due_ns


class StagesWithoutReceipts(Stages):
    """The same where the district sends no receipts."""

    receipts = False


TestStages = Stages.TestCase
TestStages.settings = settings(PATIENT, max_examples=60, stateful_step_count=30)
TestStagesWithoutReceipts = StagesWithoutReceipts.TestCase
TestStagesWithoutReceipts.settings = TestStages.settings
