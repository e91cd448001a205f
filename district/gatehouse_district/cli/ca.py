"""``gatehouse-district ca``: the small certificate authority of a district that has none."""

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gatehouse.cli.screen import console, print_json
from gatehouse.texts import _
from gatehouse_district.ca import RECEIVER, Authority, Entry, Kind, own
from gatehouse_district.errors import AuthorityError

if TYPE_CHECKING:
    from rich.table import Table

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # has no public name

_REASONS: Final = ("stolen", "lost", "replaced", "retired", "mistake")


def add(commands: "Commands", shared: argparse.ArgumentParser) -> None:
    """Describe the command and what it does."""
    about = _("the small certificate authority")
    parser = commands.add_parser("ca", help=about, description=about, parents=[shared])
    place = argparse.ArgumentParser(add_help=False)
    place.add_argument(
        "--dir", type=Path, metavar="FOLDER", help=_("folder of the authority (state_dir/ca)")
    )
    doing = parser.add_subparsers(dest="doing", metavar="WHAT", required=True)

    def one(
        name: str, about: str, run: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = doing.add_parser(
            name, help=about, description=about, parents=[shared, place]
        )
        added.set_defaults(run=run)
        return added

    init = one("init", _("make the authority; once"), _init)
    init.add_argument(
        "--name", metavar="NAME", default="Gatehouse district", help=_("what it is called")
    )
    sign = one("sign", _("sign a gateway's request, or make a server's certificate"), _sign)
    whom = sign.add_mutually_exclusive_group(required=True)
    whom.add_argument(
        "request", nargs="?", type=Path, metavar="FILE", help=_("request of a gateway")
    )
    whom.add_argument(
        "--server", nargs="+", metavar="NAME", help=_("for broker or desk: its names and addresses")
    )
    whom.add_argument("--receiver", action="store_true", help=_("for the district's receiver"))
    sign.add_argument("--gateway", metavar="ID", help=_("refuse a request of any other gateway"))
    sign.add_argument("--out", type=Path, metavar="FILE", help=_("where the certificate goes"))
    sign.add_argument(
        "--as", dest="stem", metavar="WORD", default="server", help=_("name of the server's files")
    )
    renew = one("renew", _("sign the server's and the receiver's certificates anew"), _renew)
    renew.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help=_("such as desk, broker, district.receiver; all of the folder if none is named"),
    )
    revoke = one("revoke", _("take certificates back"), _revoke)
    revoke.add_argument("what", metavar="NAME", help=_("a gateway's id, or a serial number"))
    revoke.add_argument("--reason", required=True, choices=_REASONS, help=_("why"))
    listed = one("list", _("what was signed"), _list)
    listed.add_argument("--json", action="store_true", help=_("one JSON document, nothing else"))
    one("crl", _("write the list of revocations anew"), _crl)
    code = one("code", _("make a one-time code, with which a gateway enrols itself"), _code)
    code.add_argument("gateway", metavar="GATEWAY", help=_("id of the gateway"))
    code.add_argument("--json", action="store_true", help=_("one JSON document, nothing else"))


def folder(args: argparse.Namespace) -> Path:
    """Return where the authority is: as said, as configured, or below the state folder.

    Raises ConfigError.
    """
    if args.dir is not None:
        return Path(args.dir).absolute()
    from gatehouse_district.cli.asking import open_config  # noqa: PLC0415  # with --dir none is needed

    config = open_config(args.config)
    if config.authority is not None:
        return config.authority.dir
    return config.district.state_dir / "ca"


def _now() -> datetime:
    return datetime.now(UTC)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _init(args: argparse.Namespace) -> int:
    made = Authority.init(folder(args), _now(), name=args.name)
    _say(_("{file}: to every gateway and to the broker").format(file=made.ca))
    _say(_("{file}: to the broker; nothing is revoked yet").format(file=made.crl))
    said = _("{file}: keep a copy off this machine, and show it to nobody")
    _say(said.format(file=made.folder / "ca.key"))
    return 0


def _sign(args: argparse.Namespace) -> int:
    authority = Authority.open(folder(args))
    if args.server or args.receiver:
        kind = Kind.SERVER if args.server else Kind.RECEIVER
        file = args.stem if args.server else RECEIVER
        if not file.replace(".", "").replace("-", "").isalnum() or file in {"ca", "crl"}:
            raise AuthorityError(_("--as takes letters, digits, dot and hyphen"))
        for path in authority.issue(kind, args.server or [], _now(), file=file):
            _say(str(path))
        return 0
    signed = authority.sign_request(_read(args.request), _now(), gateway=args.gateway)
    text = signed.pem.decode("ascii")
    if args.out is None:
        sys.stdout.write(text)
    else:
        args.out.write_text(text, encoding="ascii")
        _say(
            _("{file}: {name}, until {until}").format(
                file=args.out, name=signed.entry.name, until=_day(signed.entry.ends_s)
            )
        )
    return 0


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(64 * 1024)
    except OSError as exc:
        said = _("{path} cannot be read: {reason}").format(path=path, reason=exc.strerror or exc)
        raise AuthorityError(said) from exc


def _renew(args: argparse.Namespace) -> int:
    authority = Authority.open(folder(args))
    files = [name.removesuffix(".pem") for name in args.files]
    files = files or [path.stem for path in own(authority.folder)]
    if not files:
        raise AuthorityError(_("{folder} has none yet: ca sign").format(folder=authority.folder))
    for file in files:
        if not file.replace(".", "").replace("-", "").isalnum() or file in {"ca", "crl"}:
            raise AuthorityError(_("--as takes letters, digits, dot and hyphen"))
        entry = authority.reissue(file, _now())
        place = authority.folder / f"{file}.pem"
        said = _("{file}: {name}, until {until}")
        _say(said.format(file=place, name=entry.name, until=_day(entry.ends_s)))
    _say(_("the keys are the same; nothing uses the new certificates before you do this:"))
    _say(_("receiver and desk: systemctl restart gatehouse-district"))
    _say(_("broker: put its .pem where mosquitto reads it, then systemctl restart mosquitto"))
    return 0


def _revoke(args: argparse.Namespace) -> int:
    authority = Authority.open(folder(args))
    revoked = authority.revoke(args.what, _now(), args.reason)
    for entry in revoked:
        _say(_("revoked: {name}, {serial}").format(name=entry.name, serial=f"{entry.serial:x}"))
    if not revoked:
        _say(_("{what} was revoked before").format(what=args.what))
    said = _("now give {file} to the broker and restart it; until then it knows nothing of this")
    _say(said.format(file=authority.crl))
    return 0


def _crl(args: argparse.Namespace) -> int:
    authority = Authority.open(folder(args))
    authority.remake_list(_now())
    _say(str(authority.crl))
    return 0


def _code(args: argparse.Namespace) -> int:
    made = Authority.open(folder(args)).code(args.gateway, _now())
    ends = made.ends.isoformat(timespec="seconds").replace("+00:00", "Z")
    if args.json:
        print_json({"gateway": made.gateway, "code": made.text, "ends": ends})
        return 0
    _say(made.text)
    local = made.ends.astimezone().strftime("%Y-%m-%d %H:%M")
    said = _("for {gateway} alone, once, until {until}; it is shown only now")
    _say(said.format(gateway=made.gateway, until=local))
    return 0


def _list(args: argparse.Namespace) -> int:
    authority = Authority.open(folder(args))
    entries, now_s = authority.entries(), int(_now().timestamp())
    if args.json:
        rows = [_row(entry, now_s) for entry in entries]
        print_json({"ends": _stamp(int(authority.ends.timestamp())), "certificates": rows})
    else:
        console().print(_table(entries, now_s))
    return 0


def state(entry: Entry, now_s: int) -> str:
    """Say how one certificate stands."""
    if entry.revoked_s is not None:
        return "revoked"
    return "expired" if entry.ends_s <= now_s else "valid"


def _row(entry: Entry, now_s: int) -> dict[str, Any]:
    return {
        "serial": f"{entry.serial:x}",
        "kind": str(entry.kind),
        "name": entry.name,
        "from": _stamp(entry.begins_s),
        "until": _stamp(entry.ends_s),
        "state": state(entry, now_s),
        "revoked": None if entry.revoked_s is None else _stamp(entry.revoked_s),
        "reason": entry.reason,
    }


def _table(entries: Sequence[Entry], now_s: int) -> "Table":
    from rich.table import Table  # noqa: PLC0415  # not needed for --json

    shown = Table(box=None, pad_edge=False)
    for title in (_("name"), _("kind"), _("until"), _("state"), _("serial number")):
        shown.add_column(title, overflow="fold")
    words = {"valid": _("valid"), "expired": _("expired"), "revoked": _("revoked")}
    kinds = {
        Kind.GATEWAY: _("gateway"),
        Kind.RECEIVER: _("receiver"),
        Kind.SERVER: _("server"),
    }
    for entry in entries:
        how = words[state(entry, now_s)]
        serial = f"{entry.serial:x}"
        shown.add_row(entry.name, kinds[entry.kind], _day(entry.ends_s), how, serial)
    return shown


def _stamp(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d")
