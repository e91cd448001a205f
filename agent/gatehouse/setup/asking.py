"""Asking one thing at a time, again and again until the answer may stand in the file."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from gatehouse.config import values
from gatehouse.config.values import WrongError
from gatehouse.setup.proofs import Screen
from gatehouse.texts import _

T = TypeVar("T")


def needed(screen: Screen, question: str, check: Callable[[str], T], before: T | None = None) -> T:
    """Ask for what must be answered; Enter takes what was answered ``before``."""
    hint = "" if before is None else f" [{_shown(before)}]"
    while True:
        said = screen.ask(f"{question}{hint}:")
        if not said and before is not None:
            return before
        if not said:
            screen.say(_("This must be answered."))
            continue
        try:
            return check(said)
        except WrongError as exc:
            screen.say(str(exc))


def optional(
    screen: Screen, question: str, check: Callable[[str], T], before: T | None = None
) -> T | None:
    """Ask for what may be left out; Enter takes what was answered ``before``, ``-`` none."""
    hint = "-" if before is None else _shown(before)
    while True:
        said = screen.ask(f"{question} [{hint}]:")
        if not said:
            return before
        if said == "-":
            return None
        try:
            return check(said)
        except WrongError as exc:
            screen.say(str(exc))


def yes(screen: Screen, question: str, *, before: bool) -> bool:
    """Ask a question of yes or no; Enter takes ``before``."""
    hint = "Y/n" if before else "y/N"
    while True:
        said = screen.ask(f"{question} [{hint}]").lower()
        if not said:
            return before
        if said in {"y", "yes", "是"}:
            return True
        if said in {"n", "no", "否"}:
            return False
        screen.say(_("y for yes, n for no."))


def choice(screen: Screen, question: str, offered: Mapping[str, T], before: str) -> T:
    """Ask for one of some letters; Enter takes ``before``."""
    while True:
        said = screen.ask(f"{question} [{before}]").lower() or before
        if said in offered:
            return offered[said]
        screen.say(_("One of: {letters}").format(letters=", ".join(offered)))


def listed(check: Callable[[Any], Any]) -> Callable[[str], list[str]]:
    """Accept several, with commas between them; each as it was typed, if the check takes it."""

    def several(said: str) -> list[str]:
        parts = [part.strip() for part in said.replace("，", ",").replace("、", ",").split(",")]
        found = [part for part in parts if part]
        for part in found:
            check(part)
        if len(set(found)) != len(found):
            raise WrongError(_("stands there twice"))
        return values.array(found)

    return several


def as_typed(check: Callable[[Any], Any]) -> Callable[[str], str]:
    """Accept what a check accepts, and keep it as it was typed: that is what the file will say."""

    def kept(said: str) -> str:
        check(said)
        return said

    return kept


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
