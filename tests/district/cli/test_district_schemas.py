"""What ``gatehouse-district … --json`` prints is what its schema says, of every command."""

import importlib
from datetime import UTC, datetime
from typing import Any, Final

import jsonschema
import pytest

from cli.schemas import parsers, schemas_of, valid
from district.cli.conftest import SCHOOL, Place
from gatehouse_district.ca import Authority, Kind
from gatehouse_district.cli import COMMANDS, frame
from gatehouse_district.model import Presence, Stage

SCHEMAS: Final = schemas_of("gatehouse_district")


def test_every_document_has_a_schema() -> None:
    """Without it a new command would print what nobody has promised, or a schema describe none."""
    parser, commands, shared = frame()
    for name in COMMANDS:
        importlib.import_module(f"gatehouse_district.cli.{name}").add(commands, shared)
    offered = {words for words, options in parsers((), parser) if "--json" in options}
    assert {tuple(name.split("-")) for name in SCHEMAS} == offered
    for name, schema in SCHEMAS.items():
        assert schema["title"] == f"gatehouse-district {name.replace('-', ' ')} --json"
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        jsonschema.Draft202012Validator.check_schema(schema)


def test_what_is_printed_is_what_is_promised(place: Place, typed: Any) -> None:
    """Without it a program that goes by the schema would stumble over the document."""
    ca = place.root / "state" / "ca"
    authority = Authority.init(ca, datetime.now(UTC), name="test")
    authority.issue(Kind.SERVER, ["desk.example"], datetime.now(UTC), file="desk")
    authority.revoke("desk.example", datetime.now(UTC), "mistake")
    more = {"alarms": ["--all"], "ca-code": [SCHOOL]}
    for name in SCHEMAS:
        command, *rest = name.split("-")
        said = typed(place, command, *rest, *more.get(name, []), "--json")
        valid(name, said.document, SCHEMAS)
        (listed,) = [each for each in said.document.values() if isinstance(each, list)] or [[1]]
        assert listed  # an empty list would prove nothing


def test_the_closed_words_are_those_of_the_code() -> None:
    """Without it a word that is new in the code would be refused by whoever reads by the schema."""
    alarm = SCHEMAS["alarms"]["$defs"]["alarm"]["properties"]
    assert set(alarm["stage"]["enum"]) == {*Stage}
    gateway = SCHEMAS["gateways"]["$defs"]["gateway"]["properties"]
    assert set(gateway["presence"]["enum"]) == {*Presence}


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("alarms", "stage", "seen"),
        ("alarms", "presses", 0),
        ("alarms", "arrived", "2026-11-23"),
        ("alarms", "id", None),
        ("gateways", "presence", "away"),
        ("gateways", "lacking", -1),
        ("events", "position", 0),
        ("events", "event", {}),
    ],
)
def test_a_schema_refuses(place: Place, typed: Any, name: str, path: str, value: Any) -> None:
    """Without it a schema that lets everything pass would look like a promise."""
    document = typed(place, name, "--json").document
    document[name][0][path] = value
    with pytest.raises(jsonschema.ValidationError):
        valid(name, document, SCHEMAS)
