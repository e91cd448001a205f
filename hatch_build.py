"""Compile the message catalogs when a wheel or an editable install is built."""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own generic is private
    """Write each committed ``.po`` as the ``.mo`` that gettext reads."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature
        """Compile every catalog below the two source roots."""
        root = Path(self.root)
        for po in [*root.glob("agent/**/*.po"), *root.glob("hardware-sim/**/*.po")]:
            with po.open("rb") as source:
                catalog = read_po(source, locale=po.parts[-3])
            with po.with_suffix(".mo").open("wb") as target:
                write_mo(target, catalog)
