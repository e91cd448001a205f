"""What a browser may ask for, and how it is carried out. Anything else is refused."""

from typing import Literal

import msgspec

from gatehouse.texts import _
from gatehouse_sim.page.hands import Hands


class _Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """What all wishes share: the verb under ``do``, and no keys but their own."""


class Press(_Wish, frozen=True, tag="press"):
    """Press a button in, or let go of it; a latching one is turned back with its key."""

    button: str
    down: bool
    bounce: bool = False


class Key(_Wish, frozen=True, tag="key"):
    """Turn the reset key, or let it spring back."""

    button: str
    down: bool


class Wire(_Wish, frozen=True, tag="wire"):
    """Do something to a button's wiring."""

    button: str
    how: Literal["cut", "short", "mend"]


class Lid(_Wish, frozen=True, tag="lid"):
    """Open or close the box."""

    opened: bool


class Mains(_Wish, frozen=True, tag="mains"):
    """Take the mains away or give it back."""

    on: bool


class Cover(_Wish, frozen=True, tag="cover"):
    """Cover a camera or let it see again."""

    camera: str
    covered: bool


class Power(_Wish, frozen=True, tag="power"):
    """Switch a camera off or on."""

    camera: str
    on: bool


class Network(_Wish, frozen=True, tag="network"):
    """Pull the cable or plug it in."""

    plugged: bool


class Disk(_Wish, frozen=True, tag="disk"):
    """Fill the disk or free it."""

    full: bool


class Agent(_Wish, frozen=True, tag="agent"):
    """Kill, stop or start the agent."""

    how: Literal["kill", "stop", "start"]


Wish = Press | Key | Wire | Lid | Mains | Cover | Power | Network | Disk | Agent
decoder = msgspec.json.Decoder(Wish)


async def carry_out(hands: Hands, wish: Wish) -> str:
    """Do it, and return what to say of it. Raises WiringError, OSError, LookupError."""
    match wish:
        case Press() | Key() | Wire():
            return await _at_button(hands, wish)
        case Cover():
            await hands.cover(wish.camera, covered=wish.covered)
            said = _("{camera}: covered") if wish.covered else _("{camera}: uncovered")
            return said.format(camera=wish.camera)
        case Power():
            await hands.power(wish.camera, on=wish.on)
            said = _("{camera}: switched on") if wish.on else _("{camera}: switched off")
            return said.format(camera=wish.camera)
        case Agent():
            return await _to_agent(hands, wish)
        case _:
            return await _to_box(hands, wish)


async def _at_button(hands: Hands, wish: Press | Key | Wire) -> str:
    match wish:
        case Press(down=True):
            moved = await hands.press(wish.button, bounce=wish.bounce)
            said = _("{button}: pressed") if moved else _("{button}: pressed, but the wire is cut")
        case Press():
            await hands.let_go(wish.button)
            said = _("{button}: let go")
        case Key():
            await hands.key(wish.button, turned=wish.down)
            said = _("{button}: key turned") if wish.down else _("{button}: key back")
        case Wire(how="cut"):
            await hands.cut(wish.button)
            said = _("{button}: wire cut")
        case Wire(how="short"):
            await hands.short(wish.button)
            said = _("{button}: shorted")
        case _:
            await hands.mend(wish.button)
            said = _("{button}: mended")
    return said.format(button=wish.button)


async def _to_agent(hands: Hands, wish: Agent) -> str:
    if wish.how == "kill":
        await hands.kill()
        return _("agent killed and started again")
    if wish.how == "stop":
        await hands.stop()
        return _("agent stopped")
    await hands.start()
    return _("agent started")


async def _to_box(hands: Hands, wish: Lid | Mains | Network | Disk) -> str:
    match wish:
        case Lid():
            await hands.lid(opened=wish.opened)
            return _("box opened") if wish.opened else _("box closed")
        case Mains():
            await hands.mains(on=wish.on)
            return _("mains back") if wish.on else _("mains lost")
        case Network():
            hands.network(plugged=wish.plugged)
            return _("network plugged in") if wish.plugged else _("network pulled")
        case Disk():
            await hands.disk(full=wish.full)
            return _disk(wish)


def _disk(wish: Disk) -> str:
    if not wish.full:
        return _("disk freed")
    return _("disk filled: alarms have room of their own; the fault is told within three minutes")
