"""A text that is translated where it is shown: checks look in threads, which speak no language."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gatehouse.texts import _


@dataclass(frozen=True, slots=True)
class Text:
    """A message of the catalog and what stands in its braces."""

    message: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        said = {key: str(value) for key, value in self.values.items()}
        return _(self.message).format(**said)


def say(message: str, **values: object) -> Text:
    """Return a text; ``message`` is marked with ``N_``, values may be texts themselves."""
    return Text(message, values)
