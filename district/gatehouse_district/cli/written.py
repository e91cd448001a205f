"""What an exported file holds: for a spreadsheet, or for a program."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gatehouse.cli.figures import moment
from gatehouse_district.cli.screen import document
from gatehouse_district.model import Entry

COLUMNS: Final = (
    "time", "time_utc", "arrived_utc", "gateway", "type", "subject", "mode", "clock", "fault",
    "by", "store", "sequence", "id", "odd", "data",
)  # fmt: skip
"""Names as in the contract: they are the same in every language, as programs read them too."""

_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # Excel takes full-width ones too
"""How a cell begins that a spreadsheet would carry out (OWASP, CSV injection)."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a file begins, and how one event is written."""

    head: str
    line: Callable[[Entry], str]


def cells(entry: Entry) -> list[str]:
    """Return one event's row."""
    event = entry.event
    data = event.get("data")
    data = data if isinstance(data, dict) else {}
    at = moment(entry.time)
    own = [event.get(name, "") for name in ("type", "subject", "mode", "clock")]
    number = [event.get(name, "") for name in ("store", "sequence", "id")]
    return [
        f"{at.astimezone():%Y-%m-%d %H:%M:%S}" if at is not None else "",
        harmless(entry.time),
        entry.arrived,
        entry.gateway,
        *map(harmless, own),
        harmless(data.get("fault", "")),
        harmless(data.get("by", "")),
        *map(harmless, number),
        harmless(entry.odd),
        harmless(json.dumps(data, ensure_ascii=False)),
    ]


def harmless(value: object) -> str:
    """Return text that a spreadsheet only shows: no formula, no second line, no control."""
    text = "".join(
        letter if letter.isprintable() or letter == "\N{IDEOGRAPHIC SPACE}" else " "
        for letter in str(value)
    )
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _row(values: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(values)
    return line.getvalue()


def _object(entry: Entry) -> str:
    return json.dumps(document(entry), ensure_ascii=False) + "\n"


_BOM: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Without it Excel reads Chinese by the machine's old code page."""

_CSV: Final = Form(_BOM + _row(list(COLUMNS)), lambda entry: _row(cells(entry)))
_LINES: Final = Form("", _object)
FORMS: Final = {".csv": _CSV, ".json": _LINES, ".jsonl": _LINES}
