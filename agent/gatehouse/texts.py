"""Texts that people read, in Chinese and English, through gettext.

The English text is the key. Catalogs lie in ``locale/`` and are compiled when the package is built.
"""

import gettext
import os
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Final

DOMAIN: Final = "gatehouse"
LOCALE_DIR: Final = Path(__file__).parent / "locale"

_catalog: ContextVar[gettext.NullTranslations | None] = ContextVar("catalog", default=None)


def _(message: str) -> str:
    """Return the message in the language in use; English until `use` was called."""
    catalog = _catalog.get()
    if catalog is None or not message:  # gettext's answer to "" is the catalog's head
        return message
    return catalog.gettext(message)


def N_(message: str) -> str:  # noqa: N802  # the marker's name that gettext's tools know
    """Mark a message that is translated later, where it is shown."""
    return message


def language_of(environ: Mapping[str, str]) -> str:
    """Return ``zh_CN`` or ``en``, by the locale variables in gettext's own order."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name, "")
        if value:
            return "zh_CN" if value.lower().startswith("zh") else "en"
    return "en"


def use(language: str | None) -> None:
    """Speak this language from now on; None asks the locale."""
    chosen = language or language_of(os.environ)
    _catalog.set(
        gettext.translation(DOMAIN, LOCALE_DIR, [chosen], fallback=True)
        if chosen != "en"
        else gettext.NullTranslations()
    )


def in_use() -> str:
    """Return the language of `_` now, as HTTP names it (RFC 5646)."""
    return "zh-CN" if isinstance(_catalog.get(), gettext.GNUTranslations) else "en"
