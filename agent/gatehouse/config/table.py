"""Reading one table of the file: each key is asked for once, what nobody asked for is a mistake."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, TypeVar

from gatehouse.config import values
from gatehouse.config.lines import KeyPath, Lines
from gatehouse.config.mistakes import Mistake
from gatehouse.texts import _

T = TypeVar("T")

MOST_STRANGE: Final = 100
"""Unknown keys of one table that are told; a file with more is something else altogether."""


@dataclass(slots=True)
class Findings:
    """What is known across tables while one file is checked."""

    lines: Lines
    mistakes: list[Mistake] = field(default_factory=list)
    pins: dict[int, str] = field(default_factory=dict)

    def note(self, key: str, path: KeyPath, message: str, section: str) -> None:
        """Note a mistake, with its line where that can be told."""
        shown = key if key.isprintable() else ascii(key)
        self.mistakes.append(Mistake(shown, self.lines.of(path), message, section))


class Table:
    """One table, for reading. ``sound`` is False once anything in it was wrong."""

    def __init__(
        self,
        found: Mapping[str, Any],
        *,
        key: str,
        path: KeyPath,
        section: str,
        findings: Findings,
    ) -> None:
        self._found = found
        self._key = key
        self._path = path
        self._section = section
        self._findings = findings
        self._asked: list[str] = []
        self.sound = True

    def note(self, name: str, message: str, *, section: str | None = None) -> None:
        """Note a mistake at one key; one of another section leaves this table sound."""
        key = f"{self._key}.{name}" if name else self._key
        path = (*self._path, name.partition("[")[0]) if name else self._path
        self._findings.note(key, path, message, section or self._section)
        self.sound = self.sound and section is not None

    def has(self, name: str) -> bool:
        """Whether the key is there."""
        return name in self._found

    def need(self, name: str, check: values.Check[T], instead: T) -> T:
        """Return a value that must be there; ``instead`` if it is missing or wrong."""
        if not self.has(name):
            self.note(name, _("is missing"))
        return self.take(name, check, instead)

    def take(self, name: str, check: values.Check[T], default: T) -> T:
        """Return a value, or the default where it is missing or wrong."""
        self._asked.append(name)
        if name not in self._found:
            return default
        try:
            return check(self._found[name])
        except values.WrongError as exc:
            self.note(name, str(exc))
            return default

    def pin(self, name: str, *, needed: bool = False) -> int | None:
        """Return a pin, which nothing else in the file may use; None where it is missing."""
        check: values.Check[int | None] = values.whole(0, values.LAST_PIN)
        found = self.need(name, check, None) if needed else self.take(name, check, None)
        if found is None:
            return None
        key = f"{self._key}.{name}"
        first = self._findings.pins.setdefault(found, key)
        if first != key:
            said = _("GPIO {pin} is used twice, here and by {first}")
            self.note(name, said.format(pin=found, first=first))
        return found

    def many(self, name: str, check: values.Check[T], *, needed: bool = False) -> tuple[T, ...]:
        """Return the values of an array, without the wrong and the repeated ones."""
        listed: list[Any] = self.take(name, values.array, [])
        if needed and not listed and (name not in self._found or self._found[name] == []):
            self.note(name, _("needs at least one entry"))
        taken: list[T] = []
        for index, value in enumerate(listed):
            place = f"{name}[{index + 1}]"
            try:
                checked = check(value)
            except values.WrongError as exc:
                self.note(place, str(exc))
                continue
            if checked in taken:
                self.note(place, _("stands there twice"))
                continue
            taken.append(checked)
        return tuple(taken)

    def inner(self, name: str) -> "Table | None":
        """Return a table inside this one; None where it is missing or something else."""
        found = self.take(name, values.table, None)
        if found is None:
            return None
        return Table(
            found,
            key=f"{self._key}.{name}",
            path=(*self._path, name),
            section=self._section,
            findings=self._findings,
        )

    def end(self) -> bool:
        """Note the keys that nobody asked for; return whether the table is sound."""
        strange = [name for name in self._found if name not in self._asked]
        for name in strange[:MOST_STRANGE]:
            self.note(name, unknown(name, self._asked))
        return self.sound


def section(found: Mapping[str, Any], name: str, findings: Findings) -> Table | None:
    """Return a top-level table; an absent one is empty, so that its missing keys are told."""
    table = found.get(name, {})
    if isinstance(table, dict):
        return Table(table, key=name, path=(name,), section=name, findings=findings)
    said = _("must be one table, written [{name}]; got {got}")
    findings.note(name, (name,), said.format(name=name, got=values.kind(table)), name)
    return None


def unknown(name: str, known: list[str]) -> str:
    """Say that a key is unknown, and which one was probably meant."""
    near = nearest(name, known)
    if near is None:
        return _("is not a key that Gatehouse knows")
    return _('is not a key that Gatehouse knows; did you mean "{near}"?').format(near=near)


def nearest(name: str, known: list[str]) -> str | None:
    """Return the known word that was probably meant."""
    near = get_close_matches(name.lower()[:64], known, n=1, cutoff=0.7)
    return near[0] if near else None
