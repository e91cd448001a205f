"""The files that a district's developers read: up to date, valid, and true of their examples."""

import gzip
import json
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT7

from gatehouse.contract import EVENTS
from gatehouse.contract_files.__main__ import texts, write
from gatehouse.contract_files.envelope import EVENT
from gatehouse.contract_files.example_messages import all_messages
from gatehouse.contract_files.examples import all_events
from gatehouse.events import Event
from gatehouse.uplink.topics import Topics

Json = dict[str, Any]

HERE: Final = Path(__file__).parent
DISTRICT: Final = HERE.parents[1] / "config" / "district"
MADE: Final = texts()
DOCUMENT: Final[Json] = json.loads(MADE["asyncapi.json"])
SCHEMA_OF: Final = {"birth": "state", "offline": "state"}
MESSAGES: Final = [
    (SCHEMA_OF.get(name, name), each) for name, some in all_messages().items() for each in some
]
EXAMPLES: Final = [*(("event", each) for each in all_events()), *MESSAGES]
IDS: Final = [f"{name}-{each.get('type', at)}" for at, (name, each) in enumerate(EXAMPLES)]


def validator(name: str) -> jsonschema.Draft202012Validator:
    """Return what checks a message by its schema file."""
    return jsonschema.Draft202012Validator(json.loads(MADE[f"schemas/{name}.json"]))


VALIDATORS: Final = {name: validator(name) for name, _ in EXAMPLES}


def test_the_files_are_those_that_the_code_makes() -> None:
    """Without it a district would be built on a contract that no gateway keeps any more."""
    there = {path.relative_to(DISTRICT).as_posix() for path in DISTRICT.glob("schemas/*.json")}
    assert there | {"asyncapi.json"} == set(MADE)
    stale = [name for name, text in MADE.items() if (DISTRICT / name).read_text("utf-8") != text]
    assert stale == [], "run `make contract`"


def test_they_are_written_where_one_says(tmp_path: Path) -> None:
    """Without it `make contract` could write less than what is compared."""
    write(tmp_path)
    found = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*.json")}
    assert {name: path.read_text("utf-8") for name, path in found.items()} == MADE


@pytest.mark.parametrize("name", sorted(VALIDATORS))
def test_each_schema_is_one(name: str) -> None:
    """Without it a mistake in a schema would let everything pass."""
    jsonschema.Draft202012Validator.check_schema(VALIDATORS[name].schema)


def test_the_document_is_asyncapi() -> None:
    """Without it the tools that a district's developers use would refuse the document."""
    packed = (HERE / "asyncapi-3.0.0.schema.json.gz").read_bytes()
    jsonschema.Draft7Validator(json.loads(gzip.decompress(packed))).validate(DOCUMENT)


def test_every_type_has_an_example() -> None:
    """Without it a developer would have to guess what such an event looks like."""
    assert {each["type"] for each in all_events()} == set(EVENTS)


def test_the_envelope_is_that_of_the_code() -> None:
    """Without it a field of the envelope could come that the files do not know."""
    assert set(EVENT["properties"]) == set(Event.__struct_fields__) == set(EVENT["required"])


@pytest.mark.parametrize(("name", "message"), EXAMPLES, ids=IDS)
def test_each_example_fits_its_schema(name: str, message: Json) -> None:
    """Without it an example could teach what is refused."""
    VALIDATORS[name].validate(message)


@pytest.mark.parametrize(("name", "message"), EXAMPLES, ids=IDS)
def test_what_lacks_a_field_does_not_fit(name: str, message: Json) -> None:
    """Without it a schema could be true of anything, and prove nothing."""
    for field in message:
        short = {key: value for key, value in message.items() if key != field}
        optional = (name, field) in {("reply", "reason"), ("heartbeat", "recordings")}
        assert VALIDATORS[name].is_valid(short) is optional, field


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "gatehouse.alarm.cancelled"},
        {"subject": "camera/gate"},
        {"data": {"location": "南门", "held_at_start": "no"}},
        {"time": "2026-11-23T08:00:00+08:00"},
    ],
)
def test_an_event_that_does_not_fit_its_type_is_told(broken: Json) -> None:
    """Without it the schema would look at the envelope alone."""
    VALIDATORS["event"].validate(all_events()[0])
    assert not VALIDATORS["event"].is_valid(all_events()[0] | broken)


@pytest.mark.parametrize(
    "command",
    [
        {"command": "acknowledge", "alarm": "x"},
        {"command": "snapshot"},
        {"command": "release-evidence"},
        {"command": "reset", "alarm": "x"},
    ],
)
def test_a_command_without_what_it_needs_is_told(command: Json) -> None:
    """Without it a developer would learn of a missing name from a refusal only."""
    assert not VALIDATORS["command"].is_valid({"id": "1", "expires": 1.0, **command})


def test_the_examples_of_the_document_fit_its_own_schemas() -> None:
    """Without it the document could contradict itself, and generated code with it."""
    registry = Registry[Any]().with_resource("urn:doc", DRAFT7.create_resource(DOCUMENT))
    seen = 0
    for key, message in DOCUMENT["components"]["messages"].items():
        there = {"$ref": f"urn:doc#/components/messages/{key}/payload"}
        fits = jsonschema.Draft7Validator(there, registry=registry)
        for example in message.get("examples", ()):
            fits.validate(example["payload"])
            assert not fits.is_valid({"type": "gatehouse.alarm.raised"})
            seen += 1
    assert seen == len(EXAMPLES) - 1  # a manifest is no message


def test_the_channels_are_the_topics_of_the_code() -> None:
    """Without it a district could listen where no gateway speaks."""
    topics = vars_of(Topics.of("{gateway}"))
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()}
    assert {each for each in topics if "picture" not in each} <= addresses
    assert {each.rpartition("/")[2] for each in addresses} >= {"state", "alarm", "receipt"}


def vars_of(topics: Topics) -> set[str]:
    """Return every topic of a gateway."""
    return {str(getattr(topics, name)) for name in Topics.__slots__}


def test_every_reference_leads_somewhere() -> None:
    """Without it a message could be listed in a channel and be nowhere."""

    def look(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(path := node.get("$ref"), str):
                found: Any = DOCUMENT
                for step in path.removeprefix("#/").split("/"):
                    found = found[step]
            for each in node.values():
                look(each)
        elif isinstance(node, list):
            for each in node:
                look(each)

    look(DOCUMENT)
