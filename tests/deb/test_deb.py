"""The package as far as it can be judged without a network; the rest is tests/nspawn."""

import re
import subprocess
from pathlib import Path

import pytest
from build import SOURCE, describe, lay_out
from packages import DISTRICT, GATEWAY, PACKAGES, SCRIPTS, Package
from wheels import LEFT_OUT, MACHINES, PYTHONS, pins

UNITS = SOURCE / "systemd"


@pytest.fixture(scope="module", params=list(PACKAGES.values()), ids=list(PACKAGES))
def package(request: pytest.FixtureRequest) -> Package:
    """Lend each package."""
    found: Package = request.param
    return found


@pytest.fixture(scope="module")
def root(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lend what a package holds besides wheels."""
    folder = tmp_path_factory.mktemp("deb") / "root"
    lay_out(package, folder)
    return folder


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_shell(package: Package, name: str) -> None:
    """Without it a misplaced quote would leave a gateway half installed, with no way back."""
    text = package.script(name)
    assert ". ./room.sh" not in text
    subprocess.run(["dash", "-n"], input=text.encode(), check=True, timeout=60)


def test_every_file_of_systemd_travels(tmp_path: Path) -> None:
    """Without it a new unit or drop-in would work in its tests and be missing on site."""
    for each in PACKAGES.values():
        lay_out(each, tmp_path / each.name)
    ours = {path.name for path in UNITS.rglob("*") if path.is_file()}
    packed = {path.name for path in tmp_path.glob("*/usr/lib/**/*") if path.is_file()}
    assert packed == ours


def test_both_packages_fit_onto_one_machine(tmp_path: Path) -> None:
    """Without it dpkg would refuse the second: each file belongs to one package."""
    files = []
    for each in PACKAGES.values():
        lay_out(each, tmp_path / each.name)
        found = (tmp_path / each.name).rglob("*")
        files.append({path.relative_to(tmp_path / each.name) for path in found if path.is_file()})
    assert not files[0] & files[1]
    assert GATEWAY.place != DISTRICT.place


def test_every_unit_that_can_be_enabled_is(package: Package, root: Path) -> None:
    """Without it a unit would wait for somebody to type systemctl enable, at every school."""
    folder = root / "usr/lib/systemd/system"
    units = [path for path in folder.iterdir() if path.is_file()]
    wanted = {path.name for path in units if "[Install]" in _text(path)}
    found = re.search(r'^UNITS="(.*)"$', package.script("postinst"), re.MULTILINE)
    assert found is not None
    assert set(found[1].split()) == wanted
    purged = package.script("postrm").replace("\\\n", " ")
    assert all(re.search(rf"purge .*\b{re.escape(unit)}", purged) for unit in wanted)


def test_the_program_lies_where_the_units_look(package: Package, root: Path) -> None:
    """Without it every unit would end with 203/EXEC."""
    link = root / "usr/bin" / package.name
    for unit in (root / "usr/lib/systemd/system").glob("*.service"):
        assert f"ExecStart={link.readlink()} " in _text(unit)
    script = package.script("postinst")
    assert f"\nPLACE={link.readlink().parents[1]} " in script
    assert f"\nWHEELS=/{package.wheels}\n" in script


def test_each_service_has_its_sandbox(root: Path) -> None:
    """Without it a service could be installed without what locks it in."""
    folder = root / "usr/lib/systemd/system"
    for unit in folder.glob("*.service"):
        places = (f"{unit.name}.d", "gatehouse-.service.d")
        assert any((folder / place / "10-sandbox.conf").is_file() for place in places)


@pytest.mark.parametrize("arch", MACHINES)
def test_the_control_file_is_whole(package: Package, root: Path, arch: str) -> None:
    """Without it dpkg-deb would refuse, or take a package without what it stands on."""
    lines = describe(package, root, "1.2.3", arch).splitlines()
    fields = dict(line.split(": ", 1) for line in lines if not line.startswith(" "))
    assert fields["Package"] == package.name
    assert (fields["Version"], fields["Architecture"]) == ("1.2.3", arch)
    assert int(fields["Installed-Size"]) > 0
    gateway = package is GATEWAY
    assert ("python3-numpy" in fields["Depends"]) == gateway
    assert ("python3-lgpio" in fields["Depends"]) == (gateway and arch == "arm64")


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("machine", MACHINES.values())
def test_all_that_the_agent_needs_is_named(python: str, machine: str) -> None:
    """Without it a library would be missing where no network can bring it."""
    names = {pin.name for pin in pins(GATEWAY.needs, python, machine)}
    needed = {"aiomqtt", "paho-mqtt", "gpiozero", "colorzero", "msgspec", "psutil", "rich", "tomli"}
    assert (
        needed | {"av", "httpx", "httpcore", "h11", "defusedxml", "cryptography", "cffi"} <= names
    )
    assert not {name for name in names if python in LEFT_OUT.get(name, ())}
    assert not names & {"starlette", "picamera2", "gatehouse-agent", "pytest"}
    assert ("lgpio" in names) == (python == "3.11")


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("machine", MACHINES.values())
def test_all_that_the_district_needs_is_named(python: str, machine: str) -> None:
    """Without it the district's server would need a network to be installed."""
    names = {pin.name for pin in pins(DISTRICT.needs, python, machine)}
    assert {"starlette", "uvicorn", "h11", "jinja2", "markupsafe", "argon2-cffi"} <= names
    assert {"argon2-cffi-bindings", "cffi", "cryptography", "msgspec", "rich"} <= names
    assert not names & {"av", "numpy", "gatehouse-agent", "pytest"}


def test_what_the_page_names_is_in_the_package(root: Path, package: Package) -> None:
    """Without it the one-hour page would copy files that are not there."""
    if package is not DISTRICT:
        return
    page = _text(SOURCE / "docs" / "district.md")
    for name in set(re.findall(r"/(usr/share/gatehouse-district/[\w./-]+)", page)):
        assert (root / name).exists(), name


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
