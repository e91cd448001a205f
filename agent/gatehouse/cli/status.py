"""``gatehouse status``: what the running services know now."""

import argparse
import contextlib
from typing import Any

from gatehouse.cli.asking import ask, stream, without_ok
from gatehouse.cli.screen import console, print_json
from gatehouse.cli.video_lines import video_lines
from gatehouse.cli.words import LINE, fault
from gatehouse.texts import N_, _
from gatehouse.unproven import WORDS

_WORDS = {
    **LINE,
    "idle": N_("no alarm"),
    "stored": N_("stored"),
    "sent": N_("sent"),
    "received": N_("received"),
    "acknowledged": N_("acknowledged"),
    "undelivered": N_("undelivered"),
    "connected": N_("connected"),
    "connecting": N_("connecting"),
    "offline": N_("offline"),
}
_COLOURS = {
    "normal": "green",
    "idle": "green",
    "connected": "green",
    "acknowledged": "green",
    "received": "yellow",
    "connecting": "yellow",
}


def arguments(parser: argparse.ArgumentParser, _shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("--json", action="store_true", help=_("one JSON document, nothing else"))
    parser.add_argument("--watch", action="store_true", help=_("show every change until Ctrl-C"))


def run(args: argparse.Namespace) -> int:
    """Ask and show; with ``--watch``, as often as something changes."""
    if args.watch:
        with contextlib.suppress(KeyboardInterrupt):  # that is how one ends it
            return _watch(args)
        return 0
    status = without_ok(ask(args.config, {"do": "status"}))
    if args.json:
        print_json(status)
    else:
        console().print(render(status))
    return 0


def _watch(args: argparse.Namespace) -> int:
    answers = stream(args.config, {"do": "watch"})
    if args.json:
        for answer in answers:
            print_json(without_ok(answer))
        return 0
    from rich.live import Live  # noqa: PLC0415  # only when watching

    first = next(answers, None)
    if first is None:
        return 0
    with Live(render(first), console=console(), auto_refresh=False, screen=False) as live:
        for answer in answers:
            live.update(render(answer), refresh=True)
    return 0


def render(status: dict[str, Any]) -> Any:  # noqa: ANN401  # rich's renderables share no class
    """Lay the status out for a person; readable at 45 columns.

    A service of another version may leave something out: the rest is shown all the same.
    """
    from rich.console import Group  # noqa: PLC0415  # not needed for --json, which must be quick
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    buttons = Table(box=None, pad_edge=False, header_style="bold")
    for title in (_("button"), _("line"), _("alarm")):
        buttons.add_column(title, overflow="fold")
    for button in status.get("buttons", ()):
        name, words = str(button.get("name", "")), (button.get("line"), button.get("alarm"))
        buttons.add_row(escape(name), *map(_word, words))
    facts = Table(box=None, pad_edge=False, show_header=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(status):
        facts.add_row(name, value)
    return Group(facts, "", buttons, *_faults(status), *_unproven(status))


def _facts(status: dict[str, Any]) -> list[tuple[str, str]]:
    from rich.markup import escape  # noqa: PLC0415

    link, outbox = status.get("link") or {}, status.get("outbox") or {}
    way = [link.get("broker"), None if link.get("state") == "connected" else link.get("error")]
    pending = _("{events} events, {alarms} alarms").format(
        events=outbox.get("pending", "?"), alarms=outbox.get("pending_alarms", "?")
    )
    clock = status.get("clock")
    itself = "  ".join(str(status.get(key, "")) for key in ("gateway", "version", "board"))
    facts = [
        (_("gateway"), escape(itself)),
        (_("link"), " ".join([_word(link.get("state")), *(escape(str(w)) for w in way if w)])),
        (_("waiting"), pending),
        (_("clock"), _("set") if clock == "synced" else "[red]" + _("not set") + "[/]"),
    ]
    facts += _pictures(status.get("pictures"))
    facts += video_lines(status.get("video"))
    for stage, figures in (status.get("latency_ms") or {}).items():
        if figures.get("n"):
            text = f"p50 {figures['p50']:.1f}  p99 {figures['p99']:.1f}  n {figures['n']}"
            name = _("{stage}, ms").format(stage=_(_WORDS.get(stage, stage)))
            facts.append((escape(name), text))
    if drill := status.get("drill"):
        facts.append((_("drill"), f"[yellow]{escape(', '.join(drill['buttons']))}[/]"))
    if walk := status.get("walktest"):
        facts.append((_("walk test"), f"[yellow]{escape(', '.join(walk['buttons']))}[/]"))
    return facts


def _pictures(counts: object) -> list[tuple[str, str]]:
    """Say how pictures stand, where there is something to say."""
    from rich.markup import escape  # noqa: PLC0415

    if not isinstance(counts, dict):
        return []
    queued, dropped = counts.get("queued", 0), counts.get("dropped", 0)
    if not queued and not dropped:
        return []
    said = escape(_("{queued} waiting, {dropped} dropped").format(queued=queued, dropped=dropped))
    return [(_("pictures"), f"[yellow]{said}[/]" if dropped else said)]


def _faults(status: dict[str, Any]) -> list[str]:
    from rich.markup import escape  # noqa: PLC0415

    if not status.get("faults"):
        return ["", "[green]" + _("no faults") + "[/]"]
    lines = ["", "[bold red]" + _("faults") + "[/]"]
    for each in status["faults"]:
        subject = str(each.get("subject", ""))
        why = each.get("text") or each.get("error") or "; ".join(each.get("mistakes") or ())
        line = f"  {subject}: {fault(str(each.get('fault')), subject)}"
        lines.append(escape(f"{line} ({why})" if why else line))
    return lines


def _unproven(status: dict[str, Any]) -> list[str]:
    """Say what setup could not prove and nothing has proven since."""
    from rich.markup import escape  # noqa: PLC0415

    if not status.get("unproven"):
        return []
    lines = ["", "[bold yellow]" + _("not proven") + "[/]"]
    for each in status["unproven"]:
        name = str(each.get("subject", "")).partition("/")[2]
        what = str(each.get("what", ""))
        lines.append(escape(f"  {name}: {_(WORDS.get(what, what))} ({each.get('why')})"))
    return lines


def _word(word: str | None) -> str:
    from rich.markup import escape  # noqa: PLC0415

    if word is None:
        return "?"
    return f"[{_COLOURS.get(word, 'red')}]{escape(_(_WORDS.get(word, word)))}[/]"
