"""Every word that the code can send is in the contract's types, and says what it means."""

import ast
import json
import re
from enum import EnumMeta
from pathlib import Path

import msgspec
import pytest

import gatehouse
from gatehouse import events
from gatehouse.checks.health import FAMILIES
from gatehouse.checks.health import FAULTS as OF_HEALTH
from gatehouse.cli import words
from gatehouse.contract import EVENTS, faults, messages
from gatehouse.contract_files.described import made_of, members
from gatehouse.control import reports
from gatehouse.service.standing import FOUND_AT_START
from gatehouse.uplink import failures

AGENT = Path(gatehouse.__file__).parent
TYPE = re.compile(r"gatehouse\.[a-z]+\.[a-z]+")
WORD = re.compile(r"[a-z]+(-[a-z]+)*")
SECTION_4 = (
    "alarm.raised alarm.released alarm.reset line.fault line.restored tamper.opened "
    "tamper.closed power.fault power.restored camera.fault camera.restored recording.gap "
    "retention.shortfall retention.forecast retention.restored disk.fault disk.restored "
    "gateway.started gateway.stopped gateway.fault gateway.restored config.changed "
    "clock.corrected evidence.ready drill.started drill.ended selftest.report "
    "walktest.report command.refused"
)
CAMERA_FAULTS = {
    *("unreachable", "refused", "stalled", "frozen", "dark", "covered", "blurred", "moved"),
    *("low-resolution", "clock-off", "not-recording"),
}
NO_FAULT = {"more", "tamper", "mains", "shortfall"}
"""A count of others; and faults of the gateway that are of other families."""
SAYS_A_FAULT = {"fault", "begin", "end", "Trouble", "supervised", "_on_trouble", "_tell"}
TREES = {
    path.relative_to(AGENT): ast.parse(path.read_text("utf-8")) for path in AGENT.rglob("*.py")
}
TYPES = sorted(
    made_of(
        [
            *(kind.data for kind in EVENTS.values()),
            *(messages.Birth, messages.Offline, messages.Heartbeat),
            *(messages.Reply, messages.Receipt, messages.Command),
        ]
    ),
    key=lambda kind: kind.__name__,
)


def constants() -> set[str]:
    """Return every string of the code that is the name of a type of event, and of no module."""
    nodes = (node for tree in TREES.values() for node in ast.walk(tree))
    found = {node.value for node in nodes if isinstance(node, ast.Constant)}
    said = {value for value in found if isinstance(value, str) and TYPE.fullmatch(value)}
    return said - {f"gatehouse.{'.'.join(path.with_suffix('').parts)}" for path in TREES}


def faults_said() -> dict[str, str]:
    """Return every name that the code gives to a fault where it is told, and where that is."""
    found: dict[str, str] = {}
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            first = node.args[0]
            if name in SAYS_A_FAULT and isinstance(first, ast.Constant):
                word = str(first.value)
                if WORD.fullmatch(word):  # others of these names take sentences
                    found[word] = str(path)
    return found


def test_every_type_in_the_code_is_known() -> None:
    """Without it the district would get events that its own types do not know."""
    said = constants()
    assert len(said) > 25, "the types are not written as they were: look for them elsewhere"
    assert said <= EVENTS.keys()


def test_every_type_of_the_contract_is_known() -> None:
    """Without it a type of the contract could be forgotten."""
    assert {f"gatehouse.{name}" for name in SECTION_4.split()} <= EVENTS.keys()


def test_every_constant_of_the_scribe_is_known() -> None:
    """Without it a new constant beside the others could go unnoticed."""
    named = {value for value in vars(events).values() if isinstance(value, str)}
    assert {value for value in named if TYPE.fullmatch(value)} <= EVENTS.keys()


def test_the_event_log_has_the_same_types() -> None:
    """Without it `gatehouse events --json` could print what its own schema refuses."""
    schema = json.loads((AGENT / "schemas" / "events.schema.json").read_text("utf-8"))
    assert set(schema["$defs"]["event"]["properties"]["type"]["enum"]) == set(EVENTS)


@pytest.mark.parametrize("family", ["line", "camera", "gateway", "power", "disk"])
def test_every_family_that_begins_also_ends(family: str) -> None:
    """Without it a fault could begin that the district never sees end."""
    assert {f"gatehouse.{family}.fault", f"gatehouse.{family}.restored"} <= EVENTS.keys()


def test_the_faults_are_those_of_the_contract() -> None:
    """Without it a name could be added that the contract does not have."""
    assert {*faults.LineFaults} == {"open", "short", "stuck", "chatter"}
    assert {*faults.CameraFaults} == CAMERA_FAULTS == set(reports.CAMERA)
    assert {*faults.RetentionFaults} == set(reports.RETENTION)


def test_every_fault_of_the_gateway_is_known() -> None:
    """Without it a fault that a technician can read would be odd to the district."""
    known = {*faults.GatewayFaults, *faults.DiskFaults}
    assert set(words._GATEWAY) - NO_FAULT <= known
    assert {*FOUND_AT_START, *reports.GATEWAYS} <= known
    assert {fault for each in OF_HEALTH.values() for fault in each} <= known
    assert {name for name, family in FAMILIES.items() if family == "disk"} == {*faults.DiskFaults}
    assert {each.fault for each in vars(failures).values() if hasattr(each, "fault")} <= known


def test_every_fault_that_is_told_by_its_name_is_known() -> None:
    """Without it a fault that somebody adds far from here would be odd to the district."""
    said = faults_said()
    assert len(said) > 10, "faults are not told as they were: look for them elsewhere"
    known = {*faults.GatewayFaults, *faults.CameraFaults, *faults.RetentionFaults, *NO_FAULT}
    assert {name: where for name, where in said.items() if name not in known} == {}


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_field_says_what_it_means(kind: type) -> None:
    """Without it a district's developer would have to guess a unit, or read Python."""
    assert kind.__doc__
    if isinstance(kind, EnumMeta):
        named = {str(each.value) for each in kind}  # type: ignore[var-annotated]  # any enum's
    else:
        named = {field.encode_name for field in msgspec.structs.fields(kind)}
    said = members(kind)
    assert {name for name in named if not said.get(name)} == set()
