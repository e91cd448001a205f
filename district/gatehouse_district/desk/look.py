"""Templates, and how one row of a list looks. The only file with jinja2."""

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gatehouse import texts
from gatehouse_district import event_words
from gatehouse_district.desk import alarm_view, gateway_view, strangers, times, words
from gatehouse_district.desk.alarm_view import Seen
from gatehouse_district.desk.parts import Parts
from gatehouse_district.desk.table import Row
from gatehouse_district.model import Gateway

T = TypeVar("T")

_AT_ONCE: Final = 40
"""Rows drawn before others have their turn: receipts wait for the same loop."""


class Look:
    """How pages look; what they say comes from elsewhere."""

    def __init__(self, parts: Parts) -> None:
        self._environment = Environment(
            loader=PackageLoader("gatehouse_district.desk"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        zone = parts.zone
        self._environment.globals.update(
            _=texts._,
            words=words,
            event_words=event_words,
            alarms=alarm_view,
            gateways=gateway_view,
            district=parts.district,
            help=parts.help,
        )
        self._environment.filters.update(
            cut=strangers.cut,
            lines=strangers.lines,
            pretty=strangers.pretty,
            ms=times.unix_ms,
            part=strangers.quoted,
            at=lambda text: times.shown(text, zone),
            clock=lambda text: times.shown(text, zone, "%H:%M:%S"),
        )

    def page(self, template: str, **said: object) -> str:
        """Return a whole page, in the language in use."""
        return self._environment.get_template(template).render(**said)

    async def alarms(self, rows: Iterable[Row[Seen]], language: str, *, answers: bool) -> Markup:
        """Return the rows of alarms one behind the other."""
        return await _drawn(rows, lambda row: self.alarm(row, language, answers=answers))

    async def gateways(self, rows: Iterable[Row[Gateway]], language: str) -> Markup:
        """Return the rows of gateways one behind the other."""
        return await _drawn(rows, lambda row: self.gateway(row, language))

    def alarm(self, row: Row[Seen], language: str, *, answers: bool) -> str:
        """Return one alarm as everybody sees it who speaks this and may do this."""
        return self._row(row, "alarm_row.html", language, answers=answers)

    def gateway(self, row: Row[Gateway], language: str) -> str:
        """Return one gateway's row."""
        return self._row(row, "gateway_row.html", language, answers=False)

    def _row(self, row: Row[Any], template: str, language: str, *, answers: bool) -> str:
        drawn = row.drawn.get((language, answers))
        if drawn is None:
            texts.use(language)
            drawn = self.page(template, item=row.item, answers=answers)
            row.drawn[language, answers] = drawn
        return drawn


async def _drawn(rows: Iterable[Row[T]], draw: Callable[[Row[T]], str]) -> Markup:
    """Draw rows, a few at a time."""
    drawn = []
    for number, row in enumerate(rows, 1):
        drawn.append(Markup(draw(row)))  # noqa: S704  # what templates have escaped
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return Markup("").join(drawn)


def said_as_json(value: object) -> str:
    """Return JSON for a stream or an attribute: one line, and no half characters in it."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))
