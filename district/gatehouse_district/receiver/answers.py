"""The answers of persons on disk, in the thread that writes: wanted, said, confirmed."""

import sqlite3
from dataclasses import dataclass, replace
from typing import Final

from gatehouse.texts import _
from gatehouse_district.errors import AnswerError
from gatehouse_district.receiver import alarms
from gatehouse_district.receiver.keeping import Keeper

ACKNOWLEDGE: Final = "acknowledge"
RELEASE: Final = "release-evidence"
RENEWED_MOST: Final = 3
"""How often an answer that a gateway calls expired is given anew: its clock may be wrong."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's answer on its way to a gateway; ``id`` is the command's, as it is said now."""

    number: int
    id: str
    gateway: str
    alarm: str
    command: str
    by: str
    expires_unix_s: float


def waiting(db: sqlite3.Connection) -> list[Answer]:
    """Return the answers that no gateway has confirmed or refused yet."""
    rows = db.execute(
        "SELECT number, id, gateway, alarm, command, by, expires_unix_s FROM answer "
        "WHERE state = 'waiting' ORDER BY number"
    )
    return [Answer(*row) for row in rows]


def acknowledge(
    keeper: Keeper, alarm: str, by: str, *, id_: str, now: str, expires_unix_s: float
) -> Answer:
    """Write down that a person answers an alarm. Raises AnswerError for one that needs none."""
    row = keeper.db.execute(
        "SELECT gateway, stage, acknowledged_by FROM alarm WHERE id = ?", (alarm,)
    ).fetchone()
    if row is None:
        raise AnswerError(_("there is no alarm {alarm}").format(alarm=alarm[:100]))
    gateway, stage, other = row
    if stage == alarms.RESET:
        raise AnswerError(_("the alarm was reset on site already"))
    if stage in {alarms.ANSWERING, alarms.ACKNOWLEDGED}:
        raise AnswerError(_("the alarm is answered already, by {name}").format(name=other))
    keeper.db.execute(
        "UPDATE alarm SET stage = 1, acknowledged_by = ?, refused = '' WHERE id = ?", (by, alarm)
    )
    return _add(keeper.db, Answer(0, id_, gateway, alarm, ACKNOWLEDGE, by, expires_unix_s), now)


def release(
    keeper: Keeper, alarm: str, by: str, *, id_: str, now: str, expires_unix_s: float
) -> Answer:
    """Write down that a gateway may delete an alarm's evidence. Raises AnswerError."""
    row = keeper.db.execute("SELECT gateway FROM alarm WHERE id = ?", (alarm,)).fetchone()
    if row is None:
        raise AnswerError(_("there is no alarm {alarm}").format(alarm=alarm[:100]))
    if keeper.db.execute(
        "SELECT 1 FROM answer WHERE state = 'waiting' AND alarm = ? AND command = ?",
        (alarm, RELEASE),
    ).fetchone():
        raise AnswerError(_("the evidence of this alarm is being released already"))
    return _add(keeper.db, Answer(0, id_, row[0], alarm, RELEASE, by, expires_unix_s), now)


def _add(db: sqlite3.Connection, answer: Answer, now: str) -> Answer:
    number = db.execute(
        "INSERT INTO answer (id, gateway, alarm, command, by, asked, expires_unix_s, state) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting')",
        (
            *(answer.id, answer.gateway, answer.alarm, answer.command, answer.by),
            *(now, answer.expires_unix_s),
        ),
    ).lastrowid
    return replace(answer, number=number or 0)


def renew(keeper: Keeper, answer: Answer, *, id_: str, expires_unix_s: float) -> Answer:
    """Give an expired answer a new id to be said under."""
    keeper.db.execute(
        "UPDATE answer SET id = ?, expires_unix_s = ? WHERE number = ?",
        (id_, expires_unix_s, answer.number),
    )
    return replace(answer, id=id_, expires_unix_s=expires_unix_s)


def confirmed(keeper: Keeper, answer: Answer, now: str) -> None:
    """Write down that the gateway did it."""
    if answer.command == ACKNOWLEDGE:
        alarms.acknowledged(keeper.db, answer.alarm, answer.by, now)
    _over(keeper.db, answer, "done", "")


def refused(keeper: Keeper, answer: Answer, reason: str) -> None:
    """Write down that the gateway will not; the alarm waits for an answer again."""
    if answer.command == ACKNOWLEDGE:
        keeper.db.execute(
            "UPDATE alarm SET stage = 0, acknowledged_by = '', refused = ? "
            "WHERE id = ? AND stage = 1",
            (reason, answer.alarm),
        )
    _over(keeper.db, answer, "failed", reason)


def _over(db: sqlite3.Connection, answer: Answer, state: str, reason: str) -> None:
    db.execute(
        "UPDATE answer SET state = ?, reason = ? WHERE number = ?", (state, reason, answer.number)
    )
