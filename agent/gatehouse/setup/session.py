"""One run of setup: ask or read, prove, write. Nothing is written before the end.

It holds the alarm service's own lock meanwhile: the pins belong to one process, and a service that
is started (or restarted by systemd) during setup waits for its end.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from gatehouse import config, process, texts
from gatehouse.clock import Clock
from gatehouse.config.checks import RUNTIME_DIR, STATE_DIR
from gatehouse.config.model import Config
from gatehouse.errors import SetupError
from gatehouse.setup import answers, install, timeserver
from gatehouse.setup.answers import Answers, Wishes
from gatehouse.setup.install import Written
from gatehouse.setup.interview import Interview
from gatehouse.setup.proofs import Limits, Proof, Screen
from gatehouse.setup.proving import Prover, relays_unmoved
from gatehouse.setup.results import button_news, line, summary
from gatehouse.setup.trial import Trial
from gatehouse.texts import _

_LOCK: Final = "alarm.lock"
_UNIT: Final = "gatehouse-alarm"


@dataclass(frozen=True, slots=True)
class Site:
    """Where setup works, and with what."""

    target: Path
    """The configuration file."""
    environ: Mapping[str, str]
    clock: Clock
    now: Callable[[], datetime]
    limits: Limits = field(default_factory=Limits)
    machine: timeserver.Machine = field(default_factory=timeserver.System)


def run(screen: Screen, site: Site, answers_file: Path | None) -> bool:
    """Set this gateway up; returns whether everything is proven.

    Raises ConfigError for wrong answers, SetupError when it cannot begin, EOFError when nobody
    answers, OSError; nothing is written then.
    """
    if answers_file is not None:
        given = answers.read(answers_file, site.target)
        texts.use(given.config.gateway.language)
        with _begun(site, given.config) as room:
            prover = Prover(room, site.environ, site.clock, site.limits)
            return _from_file(screen, site, prover, given)
    before = _before(site.target)
    with _begun(site, before.config if before else None) as room:
        prover = Prover(room, site.environ, site.clock, site.limits)
        return _from_questions(screen, site, prover, before)


def _from_file(screen: Screen, site: Site, prover: Prover, given: Answers) -> bool:
    """Ask nothing: what somebody must see is said by pressing where a lamp blinks."""
    proofs = _set_time(screen, site, given.wishes, None)
    screen.say(_("Connecting…"))
    reached = [*prover.brokers(given), *prover.cameras(given.config)]
    for proof in reached:
        screen.say(line(proof))
    told = _walk(screen, site, prover, given)
    pressed = [*told, *_relays(given.config, told)]
    for proof in pressed:
        screen.say(line(proof))
    return _finish(screen, given, [*proofs, *reached, *pressed])


def _walk(screen: Screen, site: Site, prover: Prover, given: Answers) -> list[Proof]:
    """Have the whole school walked once."""
    tried, limit_s = given.config.buttons, site.limits.presses_s

    def ready() -> None:
        said = _("Within {minutes} minutes, press each button once where all its lamps blink:")
        screen.say(said.format(minutes=f"{limit_s / 60:g}"))
        for button in tried:
            screen.say(f"  {button.name}: {button.location}")
        screen.say(_("Let go, turn latching ones back, and turn each reset key once."))

    def told(trial: Trial) -> None:
        screen.say(button_news(trial))

    return prover.buttons(given.found, tried, limit_s, ready=ready, told=told)


def _relays(conf: Config, told: list[Proof]) -> list[Proof]:
    known = {(proof.subject, proof.what) for proof in told}
    unmoved = relays_unmoved(conf.buttons)
    return [proof for proof in unmoved if (proof.subject, proof.what) not in known]


def _from_questions(screen: Screen, site: Site, prover: Prover, before: Answers | None) -> bool:
    interview = Interview(screen, prover, before, site.target, site.environ)
    made = interview.ask()
    wishes, by_hand = interview.time(site.now, possible=site.machine.there())
    proofs = _set_time(screen, site, wishes, by_hand)
    return _finish(screen, replace(made, wishes=wishes), [*interview.proofs, *proofs])


def _set_time(screen: Screen, site: Site, wishes: Wishes, by_hand: str | None) -> list[Proof]:
    """Set the clock where that is allowed; else show how."""
    if not wishes.any and by_hand is None:
        return []
    why = timeserver.refused(wishes, site.machine)
    proofs = []
    if why is None:
        proofs = timeserver.carry_out(wishes, site.machine, site.limits.command_s, by_hand)
        for proof in proofs:
            screen.say(line(proof))
    if why is not None or any(proof.why is not None for proof in proofs):
        screen.say(_("The clock is not set ({why}). By hand:").format(why=why or proofs[0].why))
        for step in timeserver.steps(wishes, by_hand):
            screen.verbatim(step.shown())
    return proofs


def _finish(screen: Screen, made: Answers, proofs: list[Proof]) -> bool:
    written = install.install(made, proofs)
    screen.say()
    screen.say(summary(proofs))
    for proof in proofs:
        if proof.why is not None:
            screen.say(f"  {line(proof)}")
    _tell(screen, written)
    return all(proof.why is None for proof in proofs)


def _tell(screen: Screen, written: Written) -> None:
    told = [
        (_("Written:"), (written.config,)),
        (_("What stood there before:"), written.kept),
        (_("Missing, put it there:"), written.missing),
        (_("Keep a copy elsewhere:"), (written.answers,)),
        (_("Now start it:"), ("sudo systemctl restart gatehouse.target",)),
    ]
    for title, lines in told:
        if lines:
            screen.say(title)
        for line_of in lines:
            screen.verbatim(f"  {line_of}")


def _before(target: Path) -> Answers | None:
    """Return what was answered earlier: beside the configuration, or as itself; None: nothing."""
    for path in (target.with_name(install.ANSWERS), target):
        try:
            return answers.read(path, target)
        except config.ConfigError:
            continue
    return None


@contextmanager
def _begun(site: Site, conf: Config | None) -> Iterator[Path]:
    """Hold the pins; lend a folder. Raises SetupError when this cannot be the time or the user."""
    state_dir = conf.gateway.state_dir if conf else STATE_DIR
    if (why := install.writable(site.target, state_dir)) is not None:
        raise SetupError(why)
    rooms = {conf.gateway.runtime_dir if conf else RUNTIME_DIR, *_running(site)}
    with ExitStack() as stack:
        for folder in sorted(rooms):
            _hold(stack, folder)
        yield Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gh-setup-")))


def _running(site: Site) -> list[Path]:
    """Return where the service that runs by the file in place has its lock."""
    try:
        loaded = config.read_for_alarm(site.target, site.environ)
    except config.ConfigError:
        return []
    return [loaded.config.gateway.runtime_dir]


def _hold(stack: ExitStack, folder: Path) -> None:
    """Take the service's lock; one that root makes is given to the service's user."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = stack.enter_context(process.only_one(folder / _LOCK, _UNIT))
        if os.geteuid() == 0:
            owner = folder.stat()
            os.fchown(held.fileno(), owner.st_uid, owner.st_gid)
    except BlockingIOError as exc:
        said = _(
            "the alarm service runs and holds the pins; no button works while it is stopped."
            " Stop it, then try again: {command}"
        )
        raise SetupError(said.format(command=f"sudo systemctl stop {_UNIT}")) from exc
    except OSError as exc:
        said = _("{folder} is not writable: use sudo").format(folder=folder)
        raise SetupError(said) from exc
