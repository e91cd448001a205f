"""The schemas of what ``--json`` prints, one file a document, and how each is asked for."""

import json
from importlib.resources import files
from typing import Any, Final

import jsonschema

Json = dict[str, Any]

_END: Final = ".schema.json"
SCHEMAS: Final[Json] = {
    file.name.removesuffix(_END): json.loads(file.read_text("utf-8"))
    for file in (files("gatehouse") / "schemas").iterdir()
    if file.name.endswith(_END)
}


def valid(name: str, document: Any) -> None:
    """Check a document by the schema of this name. Raises jsonschema.ValidationError."""
    jsonschema.Draft202012Validator(SCHEMAS[name]).validate(document)


def typed_as(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the command and the options that print what a schema describes: its title."""
    program, *words = SCHEMAS[name]["title"].split()
    assert program == "gatehouse"
    options = tuple(word for word in words if word.startswith("--"))
    return tuple(word for word in words if word not in options), options
