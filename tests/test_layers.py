"""The house stays drawable: imports run downwards, and each library has its one file."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AGENT = ROOT / "agent" / "gatehouse"
DISTRICT = ROOT / "district" / "gatehouse_district"
GROUND = {"events", "config", "clock", "faults", "errors", "texts", "systemd", "threads", "process"}
GROUND |= {"files", "html", "unproven", "contract"}
LAYERS = {
    "outbox": GROUND,
    "alarm": GROUND,
    "uplink": GROUND | {"outbox"},
    "control": GROUND,
    "video": GROUND,
    "report": GROUND,
    "evidence": GROUND,
    "contract_files": GROUND | {"evidence"},
    "enrol": GROUND | {"uplink"},
    "checks": GROUND | {"outbox", "control"},
    "service": GROUND | {"outbox", "alarm", "uplink", "control", "checks"},
    "video_service": GROUND | {"video", "control", "evidence"},
    "setup": GROUND | {"alarm", "uplink"},
    "cli": GROUND
    | {"service", "video_service", "video", "control", "checks", "uplink", "report", "outbox"}
    | {"setup", "evidence", "enrol"},
}
ONE_FILE = {
    "gpiozero": {"alarm/gpio.py"},
    "lgpio": {"alarm/gpio.py", "alarm/chip.py"},
    "sqlite3": {"outbox/sqlite.py", "video/index.py", "video/index_reader.py"},
    "aiomqtt": {"uplink/mqtt.py"},
    "paho": {"uplink/mqtt.py"},
    "psutil": {"service/machine.py"},
    "numpy": {"video/picture.py", "video/baseline.py", "video/verdict.py", "video/rtsp_eye.py"},
    "av": {"video/rtsp_eye.py", "video/rtsp_pictures.py", "video/jpeg.py"},
    "picamera2": {"video/csi_eye.py", "video/csi_recording.py"},
    "httpx": {"video/soap.py", "enrol/wire.py"},
    "cryptography": {"enrol/papers.py"},
    "defusedxml": {"video/soap.py"},
}
DISTRICT_GROUND = {"model", "ports", "errors", "config", "event_words"}
DISTRICT_LAYERS = {
    "receiver": DISTRICT_GROUND,
    "ca": DISTRICT_GROUND,
    "enrolment": DISTRICT_GROUND | {"ca"},
    "desk": DISTRICT_GROUND,
    "serve": DISTRICT_GROUND | {"receiver", "ca", "enrolment", "desk"},
    "cli": DISTRICT_GROUND | {"receiver", "ca", "enrolment", "desk", "serve"},
    "__main__": {"cli"},
}
DISTRICT_ONE_ROOM = {
    "aiomqtt": {"receiver"},
    "paho": {"receiver"},
    "cryptography": {"ca"},
    "starlette": {"desk", "enrolment"},
    "uvicorn": {"serve"},
    "jinja2": {"desk"},
    "argon2": {"desk"},
    "rich": {"cli"},
}
NEVER = {"gatehouse_sim", "gatehouse_district", "pydantic", "structlog", "typer"}


def imported(path: Path) -> set[str]:
    """Return every module that a file imports, at its top or inside a function."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


FILES = sorted(path for path in AGENT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(AGENT)))
def test_imports_run_downwards(path: Path) -> None:
    """Without it a capability folder could come to depend on another, and the alarm on anything."""
    room = path.relative_to(AGENT).parts[0].removesuffix(".py")
    allowed = LAYERS.get(room, GROUND if room in GROUND else GROUND | {"cli"})
    modules = {name for name in imported(path) if name.startswith("gatehouse.")}
    for module in modules:
        other = module.split(".")[1]
        if other in GROUND | LAYERS.keys():
            assert other == room or other in allowed, f"{path} may not import {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(AGENT)))
def test_each_library_has_its_one_file(path: Path) -> None:
    """Without it a change of a library would be felt all over the house."""
    here = str(path.relative_to(AGENT))
    tops = {name.partition(".")[0] for name in imported(path)}
    assert not tops & NEVER
    for library, homes in ONE_FILE.items():
        assert library not in tops or here in homes
    assert "rich" not in tops or here.startswith("cli/")


DISTRICT_FILES = sorted(path for path in DISTRICT.rglob("*.py"))


@pytest.mark.parametrize("path", DISTRICT_FILES, ids=lambda p: str(p.relative_to(DISTRICT)))
def test_the_district_too_imports_downwards_and_never_the_simulator(path: Path) -> None:
    """Without it the receiver could come to need the desk, or a district the simulated school."""
    room = path.relative_to(DISTRICT).parts[0].removesuffix(".py")
    allowed = DISTRICT_LAYERS.get(room, DISTRICT_GROUND)
    names = imported(path)
    tops = {name.partition(".")[0] for name in names}
    assert "gatehouse_sim" not in tops
    for name in names:
        if name.startswith("gatehouse_district."):
            other = name.split(".")[1]
            if other in DISTRICT_GROUND | DISTRICT_LAYERS.keys():
                assert other == room or other in allowed, f"{path} may not import {name}"
    for library, rooms in DISTRICT_ONE_ROOM.items():
        assert library not in tops or room in rooms, f"{path} may not import {library}"
