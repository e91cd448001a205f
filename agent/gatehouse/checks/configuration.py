"""The configuration: every mistake in it, and whether the service runs on what stands there."""

from typing import Final

from gatehouse.checks.context import Context
from gatehouse.checks.frame import Check, Finding, Findings, fail, fine, warn
from gatehouse.checks.text import say
from gatehouse.config.keep import place
from gatehouse.texts import N_
from gatehouse.threads import off_loop

_LIMIT_S: Final = 5.0


async def _run(context: Context) -> Findings:
    if context.mistakes:
        return [_mistaken(context)]
    config = context.config
    running = await context.ask({"do": "status"})
    if running is not None and await off_loop(
        lambda: _differs(context), name="check-config", timeout_s=_LIMIT_S
    ):
        figure = say(N_("the service runs on an older file"))
        return [warn(figure, say(N_("restart it: systemctl restart gatehouse-alarm")))]
    said = N_("{buttons} buttons, {cameras} cameras, {brokers} brokers")
    counts = {"buttons": config.buttons, "cameras": config.cameras}
    numbers = {name: len(parts) for name, parts in counts.items()}
    return [fine(said, **numbers, brokers=len(config.district.brokers))]


def _mistaken(context: Context) -> Finding:
    first = str(context.mistakes[0])
    count = len(context.mistakes)
    if context.from_last_good:
        figure = say(
            N_("{count} mistakes; the last good copy is used: {first}"), count=count, first=first
        )
    else:
        figure = say(N_("{count} mistakes: {first}"), count=count, first=first)
    return fail(figure, say(N_("mend {file}: gatehouse config check"), file=context.config.path))


def _differs(context: Context) -> bool:
    """Whether the copy that the service keeps of its own file is not this file."""
    try:
        kept = place(context.config.gateway.state_dir).read_text(encoding="utf-8")
    except (OSError, ValueError):  # not kept yet, or not ours to read
        return False
    return kept != context.config.text


CHECK: Final = Check("configuration", N_("configuration"), _LIMIT_S, _run)
