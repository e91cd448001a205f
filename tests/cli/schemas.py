"""The schemas of what ``--json`` prints, one file a document, and how each is asked for."""

import argparse
import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Final

import jsonschema

Json = dict[str, Any]

_END: Final = ".schema.json"


def schemas_of(package: str) -> Json:
    """Read the schemas of a package's commands."""
    return {
        file.name.removesuffix(_END): json.loads(file.read_text("utf-8"))
        for file in (files(package) / "schemas").iterdir()
        if file.name.endswith(_END)
    }


SCHEMAS: Final = schemas_of("gatehouse")


def valid(name: str, document: Any, schemas: Json = SCHEMAS) -> None:
    """Check a document by the schema of this name. Raises jsonschema.ValidationError."""
    jsonschema.Draft202012Validator(schemas[name]).validate(document)


def parsers(
    words: tuple[str, ...], parser: argparse.ArgumentParser
) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Yield a command and those below it, each with its options."""
    yield words, {option for action in parser._actions for option in action.option_strings}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield from parsers((*words, name), below)


def typed_as(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the command and the options that print what a schema describes: its title."""
    program, *words = SCHEMAS[name]["title"].split()
    assert program == "gatehouse"
    options = tuple(word for word in words if word.startswith("--"))
    return tuple(word for word in words if word not in options), options
