"""What one value may be: each check takes what TOML gave and returns it typed, or says why not.

A message never repeats text that may hold a password.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from gatehouse.texts import N_, _

T = TypeVar("T")
Check = Callable[[Any], T]

GATEWAY_ID: Final = r"[a-z0-9-]{3,64}"
NAME: Final = r"[a-z0-9-]{1,32}"
LAST_PIN: Final = 27
"""The 40-pin header of every supported Raspberry Pi carries GPIO 0 to 27."""

_KINDS: Final[tuple[tuple[type, str], ...]] = (
    (bool, N_("true or false")),  # before int: Python counts a bool as one
    (int, N_("a whole number")),
    (float, N_("a number")),
    (str, N_("text")),
    (list, N_("an array")),
    (dict, N_("a table")),
)
_A_TIME: Final = N_("a date or time")
_HUGE: Final = 10**20


class WrongError(ValueError):
    """A value that may not stand here; the message says what was expected."""


def kind(value: object) -> str:
    """Say of which TOML type a value is, for people."""
    return _(next((word for type_, word in _KINDS if isinstance(value, type_)), _A_TIME))


def typed(value: object, type_: type[T]) -> T:
    """Return the value if it is of this type; true and false are not numbers."""
    if isinstance(value, type_) and not (isinstance(value, bool) and type_ is not bool):
        return value
    expected = _(next(word for known, word in _KINDS if known is type_))
    raise WrongError(
        _("expected {expected}, got {got}").format(expected=expected, got=_shown(value))
    )


def _shown(value: object) -> str:
    """Name what was found; text is not repeated, it may be a password in the wrong place."""
    if isinstance(value, (bool, int, float)):
        huge = isinstance(value, int) and abs(value) >= _HUGE  # longer than anyone wants to read
        return f"{kind(value)} ({'…' if huge else str(value).lower()})"
    return kind(value)


def flag(value: object) -> bool:
    """Accept true or false."""
    return typed(value, bool)


def table(value: object) -> dict[str, Any]:
    """Accept a table."""
    return typed(value, dict)


def array(value: object) -> list[Any]:
    """Accept an array of at most 64 entries: more of anything is no school's gatehouse."""
    found = typed(value, list)
    if len(found) > 64:
        raise WrongError(_("has more than {most} entries").format(most=64))
    return found


def whole(low: int, high: int) -> Check[int]:
    """Accept whole numbers from low to high, both included."""

    def check(value: object) -> int:
        number = typed(value, int)
        if not low <= number <= high:
            raise WrongError(_out_of_range(number, low, high))
        return number

    return check


def number(low: float, high: float) -> Check[float]:
    """Accept numbers, whole or not, from low to high, both included."""

    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            typed(value, float)
        if not low <= value <= high:  # type: ignore[operator]  # a number; nan fails here too
            raise WrongError(_out_of_range(value, low, high))
        return float(value)  # type: ignore[arg-type]  # as above

    return check


def _out_of_range(value: object, low: float, high: float) -> str:
    said = _("must be between {low} and {high}, got {got}")
    return said.format(low=low, high=high, got=_shown(value))


def days(duty: int, months: int) -> Check[int]:
    """Accept days of retention from the duty up to ten years.

    The duties are 30 days (general area) and 90 days (critical area), 31 and 92 where the rule
    speaks of months: contract section 2, ``[retention]``.
    """

    def check(value: object) -> int:
        found = typed(value, int)
        if found < duty:
            said = _(
                "must be at least {duty} days, which is the duty"
                " ({months} where the rule speaks of months), got {got}"
            )
            raise WrongError(said.format(got=_shown(found), duty=duty, months=months))
        return whole(duty, 3660)(found)

    return check


def text(value: object) -> str:
    """Accept a word or sentence for people: not empty, on one line, at most 100 characters."""
    found = typed(value, str)
    if not found.strip() or len(found) > 100 or not _on_one_line(found):
        raise WrongError(_("must be 1 to 100 printable characters on one line"))
    return found


def _on_one_line(found: str) -> bool:
    return found.replace("\N{IDEOGRAPHIC SPACE}", " ").isprintable()


def matching(pattern: str) -> Check[str]:
    """Accept text that is an identifier by this regular expression."""

    def check(value: object) -> str:
        found = typed(value, str)
        if not re.fullmatch(pattern, found):
            said = _("must be {pattern}: small letters a-z, digits and hyphens only")
            raise WrongError(said.format(pattern=pattern))
        return found

    return check


def one_of(*words: str) -> Check[Any]:
    """Accept one of these words."""

    def check(value: object) -> str:
        found = typed(value, str)
        if found not in words:
            listed = ", ".join(f'"{word}"' for word in words)
            raise WrongError(_("must be one of {words}").format(words=listed))
        return found

    return check


def file_path(folder: Path) -> Check[Path]:
    """Accept a path; a relative one counts from the folder of the configuration file."""

    def check(value: object) -> Path:
        found = typed(value, str)
        if not found or not _on_one_line(found):
            raise WrongError(_("must be a path"))
        return folder / found

    return check


def runtime_dir(folder: Path) -> Check[Path]:
    """Accept a folder for sockets: unix(7) allows 107 bytes for the path of one."""

    def check(value: object) -> Path:
        found = file_path(folder)(value)
        if len(str(found / "control.sock").encode()) > 107:
            raise WrongError(_("is too long: a socket's path in it has at most 107 bytes"))
        return found

    return check


def absolute_path(value: object) -> Path:
    """Accept a path from the root."""
    found = file_path(Path())(value)
    if not found.is_absolute():
        raise WrongError(_("must be an absolute path, beginning with /"))
    return found


def credential(folder: Path) -> Check[Path]:
    """Accept the name of a credential file, and not the credential itself."""

    def check(value: object) -> Path:
        found = file_path(folder)(value)
        if ":" in found.name:
            raise WrongError(_('must name a file; "user:password" stands inside that file'))
        return found

    return check
