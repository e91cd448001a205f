"""The brokers: name, TCP, TLS, login, our rights, and that others' topics are refused."""

from collections.abc import Sequence
from typing import Final

from gatehouse.checks.context import Answered, Context
from gatehouse.checks.frame import Check, Finding, Findings, Result, fine, nothing, warn
from gatehouse.checks.text import say
from gatehouse.texts import N_

LIMIT_S: Final = 20.0

_WRONG: Final = {
    "name": N_("look at the name server and at the broker's name"),
    "tcp": N_("look at the network, the firewall and the broker's port"),
    "tls": N_("look at [district] ca, cert and key, and at the clock"),
    "login": N_("ask the district to let this gateway in"),
    "publish": N_("ask the district for the right to write up/#"),
    "subscribe": N_("ask the district for the right to read down/#"),
    "foreign-publish": N_(
        "the broker's rules let a gateway speak for others: use config/district/acl"
    ),
    "foreign-read": N_("the broker's rules let a gateway hear others: use config/district/acl"),
}
_AWAY: Final = frozenset({"name", "tcp"})


async def _run(context: Context) -> Findings:
    if context.probe is None:
        return [nothing(N_("not tried"))]
    answers = await context.probe()
    well = any(answer.wrong is None for answer in answers)
    return [_judge(answer, answers, well=well) for answer in answers]


def _judge(answer: Answered, answers: Sequence[Answered], *, well: bool) -> Finding:
    if answer.wrong is not None:
        text = answer.text
        named = text if answer.broker in text else f"{answer.broker}: {text}"
        figure = say("{text}", text=named)
        remedy = say(_WRONG.get(answer.wrong, N_("ask the district")))
        spared = well and answer.wrong in _AWAY and len(answers) > 1
        return Finding(Result.WARN if spared else Result.FAIL, figure, remedy)
    ms = f"{answer.login_ms or 0:.0f}"
    if not answer.heard:
        figure = say(
            N_("{broker}: let in after {ms} ms, nobody listens"), broker=answer.broker, ms=ms
        )
        return warn(figure, say(N_("have the district start its receiver")))
    if not answer.judged:
        figure = say(
            N_("{broker}: let in after {ms} ms, without a certificate"), broker=answer.broker, ms=ms
        )
        certificates = N_(
            "use mqtts:// with certificates: without them the broker tells nobody apart"
        )
        return warn(figure, say(certificates))
    return fine(N_("{broker}: let in after {ms} ms"), broker=answer.broker, ms=ms)


CHECK: Final = Check("broker", N_("broker"), LIMIT_S, _run)
