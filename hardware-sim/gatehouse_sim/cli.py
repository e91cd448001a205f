"""``gatehouse-sim``: the simulated school around the agent."""

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from gatehouse import config, texts
from gatehouse.cli import INTERRUPTED, speak_with_argparse
from gatehouse.cli.asking import config_path
from gatehouse.errors import GatehouseError, NotRunningError
from gatehouse.texts import _
from gatehouse_sim import camera_client, cameras, wiring_client

_EXTRA: Final = ("argon2", "cryptography", "jinja2", "python_multipart", "starlette", "uvicorn")
EXTRA_HINT: Final = "pip install 'gatehouse-agent[sim]'"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    texts.use(None)
    if any(importlib.util.find_spec(name) is None for name in _EXTRA):
        said = _("the simulated school needs the extra sim: {hint}").format(hint=EXTRA_HINT)
        return _complain(said, 2)
    speak_with_argparse()
    args = _parser().parse_args(argv)
    args.config = getattr(args, "config", None)
    try:
        code: int = args.run(args)
    except NotRunningError as exc:
        return _complain(exc, 3)
    except (GatehouseError, ValueError) as exc:
        return _complain(exc, 2)
    except OSError as exc:  # no mosquitto, a port in use, an agent that does not start
        return _complain(exc, 1)
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--config", metavar="FILE", default=argparse.SUPPRESS, help=_("configuration file")
    )
    parser = argparse.ArgumentParser(
        prog="gatehouse-sim",
        parents=[shared],
        description=_("The simulated school around the agent."),
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    demo = commands.add_parser(
        "demo", help=_("a whole school and district on this machine"), parents=[shared]
    )
    demo.add_argument(
        "--once", action="store_true", help=_("run the scripted scenario, print the timeline, end")
    )
    demo.add_argument("--port", type=_port, default=0, metavar="N", help=_("the broker's port"))
    demo.add_argument(
        "--page-port", type=_port, metavar="N", help=_("the page's port; else 8080 or a free one")
    )
    demo.add_argument(
        "--no-desk",
        action="store_true",
        help=_("without the district's desk: each press is answered after five seconds"),
    )
    demo.add_argument("--no-browser", action="store_true", help=_("do not open a browser"))
    demo.set_defaults(run=_demo)
    hands: dict[str, tuple[str, Callable[[argparse.Namespace], int]]] = {
        "press": (_("press a button"), _press),
        "cut": (_("cut a button's wire"), _wire),
        "short": (_("short a button's contact to ground"), _wire),
        "mend": (_("make a button's wiring healthy again"), _wire),
    }
    for name, (summary, run) in hands.items():
        hand = commands.add_parser(name, help=summary, parents=[shared])
        hand.add_argument("button", metavar="BUTTON", help=_("name of the button"))
        hand.set_defaults(run=run, do=name)
        if name == "press":
            hand.add_argument(
                "--for", dest="for_s", type=float, metavar="S", help=_("hold it for S seconds")
            )
            hand.add_argument("--bounce", action="store_true", help=_("with contact bounce"))
    covers = {"cover": _("cover a camera"), "uncover": _("let a camera see again")}
    for name, summary in covers.items():
        hand = commands.add_parser(name, help=summary, parents=[shared])
        hand.add_argument("camera", metavar="CAMERA", help=_("name of the camera"))
        hand.set_defaults(run=_cover, do=name)
    return parser


def _port(text: str) -> int:
    """Read a TCP port. Raises ArgumentTypeError."""
    if text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(_("{text} is no port: 0 to 65535").format(text=text))


def _demo(args: argparse.Namespace) -> int:
    from gatehouse_sim import demo, stay  # noqa: PLC0415  # what only it needs takes time to import

    shown = stay.Shown(args.page_port, desk=not args.no_desk, browser=not args.no_browser)
    return demo.run(once=args.once, port=args.port, shown=shown)


def _press(args: argparse.Namespace) -> int:
    button, path = _find(args)
    with wiring_client.WiringClient(path) as client:
        wiring_client.press(client, button, for_s=args.for_s, bounce_ms=5.0 if args.bounce else 0.0)
    return _done(_("{button}: pressed").format(button=button.name))


def _wire(args: argparse.Namespace) -> int:
    button, path = _find(args)
    act = {
        "cut": wiring_client.cut,
        "short": wiring_client.short,
        "mend": wiring_client.mend,
    }[args.do]
    with wiring_client.WiringClient(path) as client:
        act(client, button)
    said = {
        "cut": _("{button}: wire cut"),
        "short": _("{button}: shorted"),
        "mend": _("{button}: mended"),
    }[args.do]
    return _done(said.format(button=button.name))


def _cover(args: argparse.Namespace) -> int:
    loaded = _configuration(args)
    if args.camera not in (known := [camera.name for camera in loaded.cameras]):
        said = _("no camera {name} in the configuration; there are: {known}")
        raise ValueError(said.format(name=args.camera, known=", ".join(known)))
    film = {"cover": camera_client.COVERED, "uncover": camera_client.NORMAL}[args.do]
    camera_client.show(loaded.gateway.runtime_dir / cameras.SOCKET, args.camera, film)
    said = {"cover": _("{camera}: covered"), "uncover": _("{camera}: uncovered")}[args.do]
    return _done(said.format(camera=args.camera))


def _configuration(args: argparse.Namespace) -> config.Config:
    """Return the configuration, and speak its language. Raises ConfigError."""
    loaded = config.read_for_alarm(config_path(args.config), os.environ).config
    texts.use(loaded.gateway.language)
    return loaded


def _find(args: argparse.Namespace) -> tuple[config.Button, Path]:
    """Return the button and the socket of its wiring. Raises ConfigError, ValueError."""
    loaded = _configuration(args)
    for button in loaded.buttons:
        if button.name == args.button:
            named = os.environ.get("GATEHOUSE_SIM_SOCKET")
            return button, Path(named) if named else loaded.gateway.runtime_dir / "sim.sock"
    known = ", ".join(button.name for button in loaded.buttons)
    raise ValueError(
        _("no button {name} in the configuration; there are: {known}").format(
            name=args.button, known=known
        )
    )


def _done(said: str) -> int:
    sys.stdout.write(said + "\n")
    return 0


def _complain(what: object, code: int) -> int:
    sys.stderr.write(f"gatehouse-sim: {what}\n")
    return code
