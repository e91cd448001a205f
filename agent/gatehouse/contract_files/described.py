"""JSON Schemas of the contract's types, with the docstrings of their fields. Pure.

msgspec knows a type's docstring but not those of its fields, which Python throws away: they are
read from the source.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable
from enum import EnumMeta
from typing import Any, Final

import msgspec

Json = dict[str, Any]

_SPACE: Final = re.compile(r"\s+")


def schemas(types: Iterable[type], ref: str) -> Json:
    """Return the schema of each type and of what it is made of, by the type's name.

    ``ref`` is where they will stand, such as ``#/$defs/``.
    """
    _, found = msgspec.json.schema_components(types, ref_template=ref + "{name}")
    known = {kind.__name__: kind for kind in made_of(types)}
    for name, schema in found.items():
        schema["description"] = plain(schema["description"])
        said = members(known[name])
        if "enum" in schema:
            schema["oneOf"] = [
                {"const": value, "description": said[value]} for value in schema.pop("enum")
            ]
        for field, its in schema.get("properties", {}).items():
            if field in said:
                its["description"] = said[field]
    return found


def members(kind: type) -> dict[str, str]:
    """Return the docstring of each field, or of each value of an enum, by its name on the wire."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101  # it is the source of a class
    found: dict[str, str] = {}
    for member, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(member, ast.AnnAssign):
            name = ast.unparse(member.target)
        elif isinstance(member, ast.Assign) and isinstance(kind, EnumMeta):
            name = ast.unparse(member.targets[0])
        else:
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[_on_the_wire(kind, name)] = plain(str(after.value.value))
    return found


def plain(docstring: str) -> str:
    """Return a docstring as Markdown: its code in single ticks, its paragraphs in one line each."""
    paragraphs = docstring.replace("``", "`").split("\n\n")
    return "\n\n".join(_SPACE.sub(" ", each).strip() for each in paragraphs)


def _on_the_wire(kind: type, name: str) -> str:
    if isinstance(kind, EnumMeta):
        return str(kind[name].value)
    return next(each.encode_name for each in msgspec.structs.fields(kind) if each.name == name)


def made_of(types: Iterable[type]) -> set[type]:
    """Return these types and all structs and enums that they are made of."""
    found: set[type] = set()
    waiting = [msgspec.inspect.type_info(each) for each in types]
    while waiting:
        info = waiting.pop()
        if isinstance(info, msgspec.inspect.EnumType):
            found.add(info.cls)
        elif isinstance(info, msgspec.inspect.StructType) and info.cls not in found:
            found.add(info.cls)
            waiting += [each.type for each in info.fields]
        waiting += _within(info)
    return found


def _within(info: msgspec.inspect.Type) -> list[msgspec.inspect.Type]:
    """Return what a list, a union or the like is made of."""
    parts = [getattr(info, name, None) for name in ("type", "item_type", "value_type")]
    many = [getattr(info, name, ()) for name in ("types", "item_types")]
    found = [*parts, *(each for some in many for each in some)]
    return [each for each in found if isinstance(each, msgspec.inspect.Type)]
