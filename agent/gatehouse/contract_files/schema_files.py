"""One JSON Schema a message, each complete in itself. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from gatehouse.contract import EVENTS, messages
from gatehouse.contract_files import envelope
from gatehouse.contract_files.described import schemas
from gatehouse.evidence.manifest import Manifest

Json = dict[str, Any]

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_DEFS: Final = "#/$defs/"
_SINGLE: Final[Mapping[str, type]] = {
    "heartbeat": messages.Heartbeat,
    "reply": messages.Reply,
    "receipt": messages.Receipt,
    "command": messages.Command,
    "evidence-manifest": Manifest,
}
_WHOLE: Final = frozenset({"Birth", "Offline", "Manifest", "Item", "Lacking", "Held"})
"""What may be left out where these are read is always written."""
_ARGUMENTS: Final = {
    "acknowledge": ("alarm", "by"),
    "selftest": (),
    "snapshot": ("camera",),
    "release-evidence": ("alarm",),
}


def all_files() -> dict[str, Json]:
    """Return every schema by the name of its file, without the ending."""
    files = {"event": _event(), "state": _state()}
    for name, kind in _SINGLE.items():
        files[name] = {"$ref": _DEFS + kind.__name__, "$defs": parts([kind], _DEFS)}
    return {name: {**_head(name), **body} for name, body in files.items()}


def parts(kinds: list[type], ref: str) -> Json:
    """Return the schemas of these types, as strict as the contract is to whoever sends them."""
    found = schemas(kinds, ref)
    for name in _WHOLE & found.keys():
        found[name]["required"] = list(found[name]["properties"])
    if "Command" in found:
        found["Command"] |= _arguments()
    return found


def _event() -> Json:
    rules = [
        {
            "if": {"properties": {"type": {"const": type_}}},
            "then": {"properties": envelope.of_type(type_, kind, _DEFS)},
        }
        for type_, kind in EVENTS.items()
    ]
    data = parts([kind.data for kind in EVENTS.values()], _DEFS)
    return {**envelope.EVENT, "allOf": rules, "$defs": data}


def _state() -> Json:
    both = [messages.Birth, messages.Offline]
    forms = [{"$ref": _DEFS + kind.__name__} for kind in both]
    return {"title": "State", "oneOf": forms, "$defs": parts(list(both), _DEFS)}


def _arguments() -> Json:
    """Return what each command needs; others than these are refused."""
    rules = [
        {
            "if": {"properties": {"command": {"const": name}}},
            "then": {
                "required": list(needed),
                "properties": {field: {"type": "string"} for field in needed},
            },
        }
        for name, needed in _ARGUMENTS.items()
        if needed
    ]
    return {"allOf": [{"properties": {"command": {"enum": list(_ARGUMENTS)}}}, *rules]}


def _head(name: str) -> Json:
    return {"$schema": _DRAFT, "$id": f"urn:gatehouse:contract:{name}"}
