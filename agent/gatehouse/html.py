"""A little HTML: whatever is not made here is escaped. Pure."""

import html
from collections.abc import Iterable
from typing import Final

_EMPTY: Final = frozenset({"meta", "br", "img"})
_CONTROLS: Final = dict.fromkeys([*range(9), *range(11, 13), *range(14, 32), 127], "\ufffd")


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(text: str) -> Html:
    """Return text as HTML; what is HTML already stays as it is."""
    if isinstance(text, Html):
        return text
    return Html(html.escape(text.translate(_CONTROLS), quote=True))


def joined(parts: Iterable[str]) -> Html:
    """Put parts behind each other."""
    return Html("".join(map(escaped, parts)))


def element(name: str, /, *inside: str, cls: str = "", **attributes: str) -> Html:
    """Return one element; its attributes and what is inside are escaped."""
    given = {"class": cls, **attributes} if cls else attributes
    said = "".join(f' {key.replace("_", "-")}="{escaped(value)}"' for key, value in given.items())
    if name in _EMPTY:
        return Html(f"<{name}{said}>")
    return Html(f"<{name}{said}>{joined(inside)}</{name}>")


def table(titles: Iterable[str], rows: Iterable[Iterable[str]], *, cls: str = "") -> Html:
    """Return a table; a cell whose text is a number or a length may be given as it is."""
    head = element("tr", *(element("th", title, scope="col") for title in titles))
    body = [element("tr", *(element("td", cell) for cell in row)) for row in rows]
    return element("table", element("thead", head), element("tbody", *body), cls=cls)


def bad(text: str) -> Html:
    """Make text stand out, also in print."""
    return element("strong", text, cls="bad")


def small(text: str) -> Html:
    """Make text stand back, on a line of its own."""
    return element("span", text, cls="small")


def document(title: str, body: Html, *, css: str, policy: str, language: str) -> str:
    """Return a whole page, which may only do what ``policy`` (Content-Security-Policy) says."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Html(css)),
    )
    lang = "zh-CN" if language.startswith("zh") else "en"
    return "<!DOCTYPE html>\n" + element("html", head, element("body", body), lang=lang) + "\n"
