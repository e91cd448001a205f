"""Asking all questions, each thing proven before the next one is asked for."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from gatehouse import texts, unproven
from gatehouse.config.model import Button
from gatehouse.config.values import WrongError
from gatehouse.errors import SetupError
from gatehouse.setup import answers, questions
from gatehouse.setup.answers import Answers, Found, Wishes
from gatehouse.setup.asking import as_typed, choice, needed, optional, yes
from gatehouse.setup.proofs import Proof, Screen
from gatehouse.setup.proving import Prover
from gatehouse.setup.results import button_news, line
from gatehouse.setup.trial import Trial
from gatehouse.texts import _

_AGAIN: Final = "a"
_CHANGE: Final = "c"
_GO_ON: Final = "g"


class Interview:
    """One technician, one gateway."""

    def __init__(
        self,
        screen: Screen,
        prover: Prover,
        before: Answers | None,
        target: Path,
        environ: Mapping[str, str],
    ) -> None:
        """``before``: what was answered earlier, and Enter takes again."""
        self._screen = screen
        self._prover = prover
        self._before: Found = before.found if before else {}
        self._wishes = before.wishes if before else Wishes()
        self._target = target
        self._environ = environ
        self._pins = questions.Pins(screen)
        self._found: Found = {}
        self.proofs: list[Proof] = []

    def ask(self) -> Answers:
        """Ask everything but the time. Raises EOFError when nobody answers, SetupError."""
        language = questions.language(self._screen, self._before, self._environ)
        texts.use(language)
        self._screen.say(_("Enter takes what stands in brackets; - means none."))
        self._found["gateway"] = questions.gateway(self._screen, self._before, language)
        self._title(_("Buttons"))
        self._buttons()
        self._title(_("The box"))
        if box := questions.enclosure(self._pins, self._before):
            self._found["enclosure"] = box
        self._title(_("Cameras"))
        self._cameras()
        for kept in ("retention", "evidence"):
            if kept in self._before:
                self._found[kept] = self._before[kept]
        self._title(_("The district"))
        return self._district()

    def _title(self, text: str) -> None:
        self._screen.say()
        self._screen.say(f"— {text} —")

    def _buttons(self) -> None:
        listed = self._found["button"] = list[Found]()
        known = list(self._before.get("button", ()))
        while True:
            earlier = known.pop(0) if known else {}
            names = [each["name"] for each in listed]
            while True:
                one = questions.button(self._screen, self._pins, earlier, names)
                proofs = self._proven({**self._found, "button": [one]})
                if proofs is not None:
                    break
                self._pins.forget(one["name"])
                earlier = one
            listed.append(one)
            self.proofs += proofs
            if not yes(self._screen, _("Another button?"), before=bool(known)):
                return

    def _proven(self, found: Found) -> list[Proof] | None:
        """Prove one button; None: its answers are to be changed."""
        (button,) = answers.partial(found, self._target).buttons
        while True:
            proofs = self._press(found, button)
            for proof in proofs:
                self._screen.say(line(proof))
            if all(proof.why is None for proof in proofs):
                return proofs
            offered = {_AGAIN: _AGAIN, _CHANGE: _CHANGE, _GO_ON: _GO_ON}
            question = _("Not proven: a again, c change the answers, g go on")
            chosen = choice(self._screen, question, offered, _GO_ON)
            if chosen == _CHANGE:
                return None
            if chosen == _GO_ON:
                return proofs

    def _press(self, found: Found, button: Button) -> list[Proof]:
        limit_s = self._prover.limits.press_s

        def ready() -> None:
            said = _("Press {button} once, and let go ({seconds} s). Its lamps blink until then.")
            self._screen.say(said.format(button=button.name, seconds=f"{limit_s:g}"))
            if button.latching:
                self._screen.say(_("Then turn it back with its key."))
            if button.reset is not None:
                self._screen.say(_("Turn its reset key once, too."))

        def told(trial: Trial) -> None:
            self._screen.say(button_news(trial))

        proofs = self._prover.buttons(found, [button], limit_s, ready=ready, told=told)
        return [self._seen(proof) for proof in proofs] + self._relay(found, button, proofs)

    def _seen(self, proof: Proof) -> Proof:
        """Lamps are proven by who looked."""
        if proof.what != unproven.LAMPS or proof.why is not None:
            return proof
        if yes(self._screen, _("Did every lamp blink, and the buzzer beep?"), before=True):
            return proof
        return Proof(proof.subject, proof.what, _("not seen"))

    def _relay(self, found: Found, button: Button, proofs: list[Proof]) -> list[Proof]:
        reached = not any(proof.what == unproven.RELAY for proof in proofs)
        if button.relay is None or not reached:
            return []
        said = _("The relay raises the alarm at its host. Close it for {seconds} s now?")
        question = said.format(seconds=f"{self._prover.limits.relay_s:g}")
        why: str | None = _("not moved: it would raise the alarm at its host")
        if yes(self._screen, question, before=False):
            why = self._prover.relay(found, button)
            if why is None and not yes(self._screen, _("Did the alarm host show it?"), before=True):
                why = _("not seen")
        return [Proof(f"button/{button.name}", unproven.RELAY, why)]

    def _cameras(self) -> None:
        known = list(self._before.get("camera", ()))
        listed: list[Found] = []
        while yes(
            self._screen,
            _("Another camera?") if listed else _("Are there cameras?"),
            before=bool(known),
        ):
            listed.append(self._camera(known.pop(0) if known else {}, listed))
        for button in self._found["button"]:
            button.pop("cameras", None)
        if not listed:
            return
        names = [each["name"] for each in listed]
        self._found["camera"] = listed
        earlier = {each["name"]: each for each in self._before.get("button", ())}
        for button in self._found["button"]:
            asked = {**earlier.get(button["name"], {}), "name": button["name"]}
            if chosen := questions.cameras_of(self._screen, asked, names):
                button["cameras"] = chosen

    def _camera(self, known: Found, others: list[Found]) -> Found:
        """Ask for one camera, until it agrees with the others (their folders, their sources)."""
        names = [each["name"] for each in others]
        while True:
            known = questions.camera(self._screen, known, names)
            wrong = answers.of_cameras([*others, known], self._target)
            if not wrong:
                return known
            for mistake in wrong:
                self._screen.say(str(mistake))

    def _district(self) -> Answers:
        """Ask for the district, until it answers or somebody goes on without."""
        before = self._before
        while True:
            self._found["district"] = questions.district(self._screen, before)
            made, mistakes = answers.check(self._found, "", self._target, folder=Path.cwd())
            for mistake in mistakes:
                self._screen.say(str(mistake))
            if any(mistake.section != "district" for mistake in mistakes):
                raise SetupError("\n".join(map(str, mistakes)))  # not to be mended here
            if made is not None and not mistakes:
                proofs = self._reach(made)
                if proofs is not None:
                    self.proofs += proofs
                    return made
            before = self._found

    def _reach(self, made: Answers) -> list[Proof] | None:
        """Connect to brokers and cameras; None: the answers are to be changed."""
        while True:
            self._screen.say(_("Connecting…"))
            proofs = [*self._prover.brokers(made), *self._prover.cameras(made.config)]
            for proof in proofs:
                self._screen.say(line(proof))
            if all(proof.why is None for proof in proofs):
                return proofs
            question = _("Not proven: a again, c change the answers, g go on")
            offered = {_AGAIN: _AGAIN, _CHANGE: _CHANGE, _GO_ON: _GO_ON}
            chosen = choice(self._screen, question, offered, _GO_ON)
            if chosen == _CHANGE:
                return None
            if chosen == _GO_ON:
                return proofs

    def time(self, now: Callable[[], datetime], *, possible: bool) -> tuple[Wishes, str | None]:
        """Ask for the clock; returns what to set, and the local time where the clock is wrong."""
        self._title(_("The clock"))
        shown = f"{now():%Y-%m-%d %H:%M %Z}"
        right = yes(self._screen, _("It is {time}: right?").format(time=shown), before=True)
        by_hand = None
        if not right:
            by_hand = needed(
                self._screen, _("Local time, such as 2026-11-26 08:30"), as_typed(_minute)
            )
        known = self._wishes
        zone = optional(
            self._screen, _("Time zone to set"), as_typed(answers.time_zone), known.time_zone
        )
        server = optional(
            self._screen, _("Time server to set"), as_typed(answers.time_server), known.time_server
        )
        wishes = Wishes(False, server, zone)
        asked = by_hand is not None or wishes.any
        consent = asked and possible and yes(self._screen, _("Set this now?"), before=False)
        return Wishes(consent, server, zone), by_hand


def _minute(said: str) -> None:
    try:
        datetime.strptime(said, "%Y-%m-%d %H:%M")  # noqa: DTZ007  # local time, for timedatectl
    except ValueError as exc:
        raise WrongError(_("must be such as 2026-11-26 08:30")) from exc
