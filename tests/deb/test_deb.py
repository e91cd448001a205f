"""The package as far as it can be judged without a network; the rest is tests/nspawn."""

import re
import subprocess
from pathlib import Path

import pytest
from build import HERE, SCRIPTS, SOURCE, WHEELS, describe, lay_out
from wheels import LEFT_OUT, MACHINES, PYTHONS, pins

UNITS = SOURCE / "systemd"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lend what the package holds besides wheels."""
    folder = tmp_path_factory.mktemp("deb") / "root"
    lay_out(folder)
    return folder


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_shell(name: str) -> None:
    """Without it a misplaced quote would leave a gateway half installed, with no way back."""
    subprocess.run(["dash", "-n", str(HERE / name)], check=True, timeout=60)


def test_every_file_of_systemd_travels(root: Path) -> None:
    """Without it a new unit or drop-in would work in its tests and be missing on site."""
    ours = {path.name for path in UNITS.rglob("*") if path.is_file()}
    packed = {path.name for path in (root / "usr/lib").rglob("*") if path.is_file()}
    assert packed == ours


def test_every_unit_that_can_be_enabled_is(root: Path) -> None:
    """Without it a unit would wait for somebody to type systemctl enable, at every school."""
    folder = root / "usr/lib/systemd/system"
    units = [path for path in folder.iterdir() if path.is_file()]
    wanted = {path.name for path in units if "[Install]" in _text(path)}
    found = re.search(r'^UNITS="(.*)"$', _text(HERE / "postinst"), re.MULTILINE)
    assert found is not None
    assert set(found[1].split()) == wanted
    purged = _text(HERE / "postrm").replace("\\\n", " ")
    assert all(re.search(rf"purge .*\b{re.escape(unit)}", purged) for unit in wanted)


def test_the_program_lies_where_the_units_look(root: Path) -> None:
    """Without it every unit would end with 203/EXEC."""
    link = root / "usr/bin/gatehouse"
    for unit in (root / "usr/lib/systemd/system").glob("*.service"):
        assert f"ExecStart={link.readlink()} " in _text(unit)
    assert f"\nPLACE={link.readlink().parents[1]} " in _text(HERE / "postinst")
    assert f"\nWHEELS=/{WHEELS}\n" in _text(HERE / "postinst")


@pytest.mark.parametrize("arch", MACHINES)
def test_the_control_file_is_whole(root: Path, arch: str) -> None:
    """Without it dpkg-deb would refuse, or take a package without what it stands on."""
    lines = describe(root, "1.2.3", arch).splitlines()
    fields = dict(line.split(": ", 1) for line in lines if not line.startswith(" "))
    assert (fields["Version"], fields["Architecture"]) == ("1.2.3", arch)
    assert int(fields["Installed-Size"]) > 0
    assert "python3-numpy" in fields["Depends"]
    assert ("python3-lgpio" in fields["Depends"]) == (arch == "arm64")


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("machine", MACHINES.values())
def test_all_that_the_agent_needs_is_named(python: str, machine: str) -> None:
    """Without it a library would be missing where no network can bring it."""
    names = {pin.name for pin in pins("gatehouse-agent[enrol,video]", python, machine)}
    needed = {"aiomqtt", "paho-mqtt", "gpiozero", "colorzero", "msgspec", "psutil", "rich", "tomli"}
    assert needed | {"av", "httpx", "httpcore", "h11", "defusedxml"} <= names
    assert {"cryptography", "cffi"} <= names
    assert not {name for name in names if python in LEFT_OUT.get(name, ())}
    assert not names & {"starlette", "picamera2", "gatehouse-agent", "pytest"}
    assert ("lgpio" in names) == (python == "3.11")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
