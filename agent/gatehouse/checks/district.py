"""The district: a test event goes all the way to its disk, and its receipt all the way back."""

from typing import Any, Final

from gatehouse.checks.context import Context
from gatehouse.checks.frame import Check, Findings, fail, nothing, ok, warn
from gatehouse.checks.text import say
from gatehouse.control import protocol
from gatehouse.errors import ControlError
from gatehouse.texts import N_

_SLOW_MS: Final = 2000.0


async def _run(context: Context) -> Findings:
    try:
        answer = await context.ask({"do": "selftest-trial"})
    except ControlError as exc:
        if exc.code == protocol.UNKNOWN:
            return [nothing(N_("the alarm service is older than this command"))]
        return [nothing(N_("not now: {why}"), why=exc)]
    if answer is None:
        return [nothing(N_("the alarm service does not run"))]
    return _judge(answer, receipts=context.config.district.receipts)


def _judge(answer: dict[str, Any], *, receipts: bool) -> Findings:
    stored, sent, received = (answer.get(key) for key in ("stored_ms", "sent_ms", "received_ms"))
    end = received if receipts else sent
    if isinstance(end, int | float):
        figure = say(N_("there and back in {ms} ms"), ms=f"{end:.0f}")
        if end > _SLOW_MS:
            return [warn(figure, say(N_("look at the line: something else fills it")))]
        return [ok(figure)]
    if sent is not None:
        figure = say(N_("the broker has it, no receipt came"))
        return [fail(figure, say(N_("have the district start its receiver")))]
    if stored is not None:
        figure = say(N_("a test event was stored, and did not get out"))
        return [fail(figure, say(N_("mend the way to the broker first")))]
    return [fail(say(N_("a test event was not stored")), say(N_("mend the outbox first")))]


CHECK: Final = Check("district", N_("district"), 15.0, _run)
