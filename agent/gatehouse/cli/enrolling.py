"""What `gatehouse enrol` does, once the libraries of its extra are known to be there."""

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from gatehouse import config, texts
from gatehouse.cli.asking import config_path
from gatehouse.cli.screen import print_json
from gatehouse.clock import Clock, open_clock
from gatehouse.config import Config, ConfigError
from gatehouse.config.checks import STATE_DIR
from gatehouse.config.model import District
from gatehouse.enrol import code, first
from gatehouse.enrol.place import Place, read, write
from gatehouse.enrol.renewal import Outcome, Renewal, State
from gatehouse.enrol.wire import Desk
from gatehouse.errors import EnrolError
from gatehouse.texts import _
from gatehouse.uplink import probe
from gatehouse.uplink.probe import Answer

_FILES: Final = ("ca.pem", "gateway.pem", "gateway.key")
_INSTALL: Final = "gatehouse enrol --install CERT --ca CA"


def first_one(args: argparse.Namespace) -> int:
    """Make a request, install a certificate, or have one signed for a code. Raises EnrolError."""
    place, district = _place(args)
    now = _now(_clock())
    if args.request:
        write(args.request.absolute(), first.make_request(place), mode=0o644)
        said = _("{file}: have the district sign it, then: {command}")
        _say(said.format(file=args.request, command=_INSTALL))
        return 0
    if args.install:
        first.install(place, read(args.install), read(args.ca) if args.ca else None, now)
    else:
        first.by_code(place, Desk(args.at, dates=now is not None), code.read(args.code), now)
    _say(*_installed(place, district, args.at))
    return 0


def _installed(place: Place, district: District | None, at: str | None) -> Sequence[str]:
    lines = [_("in place: {file}").format(file=file) for file in (place.ca, place.cert, place.key)]
    if at and (district is None or district.enrol != at):
        said = _("so that it renews itself, write below [district]: {line}")
        lines.append(said.format(line=f'enrol = "{at}"'))
    return lines


def renew(args: argparse.Namespace) -> int:
    """Take the look that the timer takes each day. Raises EnrolError, ConfigError."""
    conf = config.read_for_alarm(config_path(args.config), os.environ).config
    texts.use(conf.gateway.language)
    if conf.district.cert is None:
        _tell(args, Outcome(State.NONE, None, None))
        return 0
    clock = _clock()
    dates = clock.synced()

    async def tried(district: District) -> Sequence[Answer]:
        return await probe.brokers(conf.gateway.id, district, clock)

    def desk() -> Desk:
        return Desk(_at(args, conf), dates=dates)

    renewal = Renewal(
        conf, now=_moment(clock), dates=dates, random=os.urandom, probe=tried, desk=desk
    )
    outcome = asyncio.run(renewal.run())
    _tell(args, outcome)
    return 0 if outcome.state in {State.NOT_DUE, State.RENEWED} else 1


def _at(args: argparse.Namespace, conf: Config) -> str:
    found = args.at or conf.district.enrol
    if not found:
        said = _("nobody is named to ask: write below [district]: {line}")
        raise EnrolError(said.format(line='enrol = "https://HOST:8443"'))
    return str(found)


def _tell(args: argparse.Namespace, outcome: Outcome) -> None:
    until, due = (at and _stamp(at) for at in (outcome.until, outcome.due))
    if args.json:
        said = {"state": str(outcome.state), "until": until, "due": due, "text": outcome.text}
        print_json(said)
        return
    words = {
        State.NONE: _("nothing to renew: no broker speaks TLS"),
        State.NOT_DUE: _("the certificate is valid until {until}; a new one is due on {due}"),
        State.RENEWED: _(
            "renewed: valid until {until}; the alarm service takes it as it next connects"
        ),
        State.WAITING: _("a new certificate waits: no broker could be reached to try it ({text})"),
        State.REFUSED: _("the new certificate was refused, the old one stays in use ({text})"),
    }
    text = words[outcome.state].format(until=until, due=due, text=outcome.text)
    sys.stdout.write(text + "\n")


def _place(args: argparse.Namespace) -> tuple[Place, District | None]:
    """Return where the files go: as configured, else beside where the configuration will be."""
    path = config_path(args.config)
    if path.exists():
        with contextlib.suppress(ConfigError):  # then only --gateway can tell the id
            conf = config.read_for_alarm(path, os.environ).config
            texts.use(conf.gateway.language)
            return _configured(args, conf), conf.district
    if args.gateway is None:
        said = _("there is no usable configuration at {path}: say the id with --gateway")
        raise EnrolError(said.format(path=path))
    ca, cert, key = (path.with_name(name) for name in _FILES)
    return Place(args.gateway, ca, cert, key, STATE_DIR), None


def _configured(args: argparse.Namespace, conf: Config) -> Place:
    district, gateway = conf.district, conf.gateway
    if args.gateway not in {None, gateway.id}:
        said = _("the configuration says {id}, not {given}")
        raise EnrolError(said.format(id=gateway.id, given=args.gateway))
    key = district.named_key or district.key
    if district.ca is None or district.cert is None or key is None:
        raise EnrolError(_("no broker speaks TLS"))
    return Place(gateway.id, district.ca, district.cert, key, gateway.state_dir)


def _clock() -> Clock:
    return open_clock(os.environ.get("GATEHOUSE_CLOCK"), os.environ.get("GATEHOUSE_BOOTID"))


def _now(clock: Clock) -> datetime | None:
    """Return the time by a clock that a time server has set; None by any other."""
    return _moment(clock) if clock.synced() else None


def _moment(clock: Clock) -> datetime:
    return datetime.fromtimestamp(clock.reading().unix_ns / 1e9, UTC)


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
