"""Lamps, buzzers and relays: switched by the running service, seen by somebody who is there.

A relay is never moved: it is the zone of another alarm host.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from gatehouse.checks.context import Context
from gatehouse.checks.frame import Check, Finding, Findings, fail, fine, nothing
from gatehouse.checks.text import say
from gatehouse.control import protocol
from gatehouse.errors import ControlError
from gatehouse.texts import N_
from gatehouse.threads import off_loop

LONG_S: Final = 3.0
SHORT_S: Final = 0.2
"""Where nobody looks, a blip does: no guard is to be frightened at night, and no buzzer sounds."""
_AGAIN_S: Final = 2.5
_LIMIT_S: Final = 8.0
_PERSON_S: Final = 120.0


async def _run(context: Context) -> Findings:
    config = context.config
    lamps = [pin for b in config.buttons for pin in (b.lamps.red, b.lamps.yellow, b.lamps.green)]
    outputs = [pin for pin in (*lamps, *(b.buzzer for b in config.buttons)) if pin is not None]
    if not outputs and not any(b.relay for b in config.buttons):
        return [nothing(N_("no lamp, buzzer or relay in the configuration"))]
    try:
        answer = await _blink(context)
    except ControlError as exc:
        if exc.code == protocol.UNKNOWN:
            return [nothing(N_("the alarm service is older than this command"))]
        return [nothing(N_("not now: {why}"), why=exc)]
    if answer is None:
        return [nothing(N_("the alarm service does not run"))]
    failed = answer.get("failed") or {}
    return [_failed(failed) if failed else await _seen(context, outputs)]


async def _blink(context: Context) -> dict[str, Any] | None:
    watched = context.person is not None
    seconds = LONG_S if watched else SHORT_S
    return await context.ask({"do": "blink", "seconds": seconds, "sound": watched})


async def _seen(context: Context, outputs: list[int]) -> Finding:
    """Ask whoever is there whether it was to be seen and heard."""
    count = len(outputs)
    if context.person is None or not outputs:
        return fine(N_("{count} outputs switched, nobody looked"), count=count)
    question = say(N_("every lamp blinks and every buzzer sounds: did you see and hear it?"))
    work = partial(context.person, str(question))  # translated here: a thread has no language
    asking = asyncio.ensure_future(off_loop(work, name="check-person", timeout_s=_PERSON_S))
    try:
        while not (await asyncio.wait({asking}, timeout=_AGAIN_S))[0]:
            await _blink(context)  # until whoever is asked has walked there and back
    finally:
        asking.cancel()
    if asking.result():
        return fine(N_("{count} outputs seen"), count=count)
    pins = ", ".join(str(pin) for pin in outputs)
    return fail(say(N_("not seen")), say(N_("look at the wiring of GPIO {pins}"), pins=pins))


def _failed(failed: Mapping[str, Any]) -> Finding:
    pins = ", ".join(failed)
    why = "; ".join(str(text) for text in failed.values())
    figure = say(N_("GPIO {pins} cannot be switched: {why}"), pins=pins, why=why)
    return fail(figure, say(N_("look at the wiring of GPIO {pins}"), pins=pins))


CHECK: Final = Check("lamps", N_("lamps and sounds"), _LIMIT_S, _run, _PERSON_S)
