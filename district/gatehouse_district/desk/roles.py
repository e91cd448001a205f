"""Who may what. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gatehouse.texts import _
from gatehouse_district.errors import AnswerError

_NAME: Final = re.compile(r"[\w.@-]{1,32}")
_DISPLAY: Final = 60


class Role(StrEnum):
    """What an account may; each may what those before it may."""

    WATCH = "watch"
    """See everything but accounts and the journal."""
    ANSWER = "answer"
    """Acknowledge alarms, ask for pictures, release evidence."""
    ADMINISTER = "administer"
    """Accounts and the journal."""

    def may(self, needed: "Role") -> bool:
        """Whether this role is enough where that one is needed."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    name: str
    display: str
    """As others see it: the name that stands beside an answered alarm."""
    role: Role


def account_name(text: str) -> str:
    """Return a name as it is stored, the same however it was typed. Raises AnswerError."""
    name = unicodedata.normalize("NFKC", text).strip().casefold()
    if not _NAME.fullmatch(name):
        raise AnswerError(
            _("a name has 1 to 32 letters, digits, dots, hyphens; this is none: {name!r}").format(
                name=text[:40]
            )
        )
    return name


def display_name(text: str, otherwise: str) -> str:
    """Return a name to show; an empty one is ``otherwise``. Raises AnswerError."""
    shown = unicodedata.normalize("NFC", text).strip() or otherwise
    if len(shown) > _DISPLAY or not shown.isprintable():
        raise AnswerError(
            _("a shown name has at most {most} printable characters").format(most=_DISPLAY)
        )
    return shown


def role_named(text: str) -> Role:
    """Return the role of this name. Raises AnswerError."""
    try:
        return Role(text)
    except ValueError as exc:
        raise AnswerError(_("the roles are watch, answer and administer")) from exc
