"""``gatehouse cameras discover``: what is on the network, and the configuration it would have.

It needs no service and no configuration. What goes to stdout can be appended to a configuration as
it is; all else goes to stderr.
"""

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gatehouse import config, texts
from gatehouse.cli import extras
from gatehouse.cli.asking import config_path
from gatehouse.cli.screen import print_json
from gatehouse.clock import SystemClock
from gatehouse.config.model import Camera
from gatehouse.errors import CameraError
from gatehouse.texts import _

if TYPE_CHECKING:
    from gatehouse.cli.found import Asked
    from gatehouse.video.discovery import Device, Found

_AT_ONCE: Final = 8
"""Cameras that are asked for their streams at the same time."""
_LONGEST_S: Final = 60.0
_DRAWN_S: Final = 0.1
_LARGEST: Final = 1024
"""Bytes that a file with a user and a password may have."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument(
        "--seconds", type=seconds, default=5.0, metavar="S", help=_("how long to listen (5)")
    )
    parser.add_argument(
        "--credential",
        type=credential,
        metavar="FILE",
        help=_("a file with user:password, to ask new cameras for their streams"),
    )
    # One address instead of all networks: for tests, and for a camera behind a router.
    parser.add_argument("--address", type=address, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Listen, ask, and print what was found."""
    if extras.lacking(extras.ONVIF):
        return 2
    from gatehouse.cli import found as telling  # noqa: PLC0415  # with libraries of an extra

    configured = _configured(args.config)
    found, asked = asyncio.run(_search(args, {telling.host_of(each) for each in configured}))
    entries = telling.entries(found.devices, configured, asked)
    if args.json:
        print_json({"devices": entries, "passed_over": found.passed_over})
        return 0
    for entry in entries:
        sys.stdout.write("\n".join(telling.lines(entry)) + "\n\n")
    sys.stderr.write(telling.summary(entries, found.passed_over) + "\n")
    return 0


def _configured(given: str | None) -> Sequence[Camera]:
    """Return the cameras of the configuration; none when it cannot be read."""
    try:
        loaded = config.read_for_alarm(config_path(given), os.environ)
    except config.ConfigError:
        said = _("no usable configuration: every camera that is found counts as new")
        sys.stderr.write(f"gatehouse: {said}\n")
        return ()
    texts.use(loaded.config.gateway.language)
    return loaded.config.cameras


async def _search(
    args: argparse.Namespace, hosts: Collection[str]
) -> tuple["Found", dict[str, "Asked"]]:
    """Find devices; ask those at no known host for their streams, if a password was given."""
    from gatehouse.video import discovery, interfaces  # noqa: PLC0415  # as above

    async with contextlib.AsyncExitStack() as stack:
        if sys.stderr.isatty() and not args.json:
            await stack.enter_async_context(_bar(args.seconds))
        if args.address is None:
            mine = interfaces.addresses() or ("",)
            found = await discovery.discover(args.seconds, interfaces=mine)
        else:
            found = await discovery.discover(args.seconds, address=args.address)
    if args.credential is None:
        return found, {}
    new = [device for device in found.devices if device.host not in hosts]
    gate = asyncio.Semaphore(_AT_ONCE)
    answers = await asyncio.gather(*(_ask(device, args.credential, gate) for device in new))
    return found, {device.endpoint: said for device, said in zip(new, answers, strict=True)}


@contextlib.asynccontextmanager
async def _bar(listen_s: float) -> AsyncIterator[None]:
    """Draw on stderr how long we still listen."""
    drawing = asyncio.create_task(_draw(listen_s))
    try:
        yield
    finally:
        drawing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await drawing


async def _draw(listen_s: float) -> None:
    from rich.console import Console  # noqa: PLC0415  # only on a terminal
    from rich.progress import Progress  # noqa: PLC0415

    loop = asyncio.get_running_loop()
    began = loop.time()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(_("listening"), total=listen_s)
        while True:
            progress.update(bar, completed=loop.time() - began)
            await asyncio.sleep(_DRAWN_S)


async def _ask(device: "Device", secret: str, gate: asyncio.Semaphore) -> "Asked":
    from gatehouse.cli.found import Asked  # noqa: PLC0415  # as above
    from gatehouse.video.onvif import streams  # noqa: PLC0415

    async with gate:
        try:
            told = await streams(device.host, device.port, clock=SystemClock(), credential=secret)
        except CameraError as exc:
            return Asked(error=" ".join(str(exc).split()))
    return Asked(told)


def seconds(text: str) -> float:
    """Read how long to listen, in seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= _LONGEST_S:
        said = _("must be between {low} and {high}, got {got}")
        raise argparse.ArgumentTypeError(said.format(low=0, high=int(_LONGEST_S), got=text))
    return value


def address(text: str) -> tuple[str, int]:
    """Read ``HOST[:PORT]``; the port of WS-Discovery is 3702."""
    host, _colon, port = text.partition(":")
    if not host or (port and not port.isdecimal()):
        raise argparse.ArgumentTypeError(text)
    return host, int(port or 3702)


def credential(text: str) -> str:
    """Read ``user:password`` out of a file; what stands in it is never shown."""
    try:
        with Path(text).open("rb") as stream:
            secret = stream.read(_LARGEST).decode().strip("\r\n")
    except UnicodeDecodeError:
        secret = ""
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the name
        said = _("cannot be read: {reason}").format(reason=getattr(exc, "strerror", None) or exc)
        raise argparse.ArgumentTypeError(f"{text}: {said}") from None
    if ":" not in secret or not secret.isprintable():
        raise argparse.ArgumentTypeError(_("{file} holds no user:password").format(file=text))
    return secret
