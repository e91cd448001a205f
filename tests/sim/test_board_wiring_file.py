"""Where the simulated board finds its wiring, and what it does when the file is broken."""

from pathlib import Path

import pytest

from gatehouse_sim.wires import WiringError
from gatehouse_sim.wiring_file import levels_from, read

FILE = """
[gateway]
state_dir = "{folder}/state"
runtime_dir = "{folder}/run"
[[button]]
name = "gate"
pin = 17
loop = 27
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Write a configuration with one form C button."""
    path = tmp_path / "gatehouse.toml"
    path.write_text(FILE.format(folder=tmp_path), encoding="utf-8")
    return path


def test_the_configuration_names_wiring_and_socket(config: Path) -> None:
    """``gatehouse-sim press`` finds the board by the same file as the agent."""
    found = read({"GATEHOUSE_CONFIG": str(config)})
    assert found.wires.levels == {17: 1, 27: 0}
    assert found.socket == config.parent / "run" / "sim.sock"


def test_the_environment_overrides(config: Path) -> None:
    """Contract section 7: a button held at start, and a socket elsewhere."""
    found = read(
        {
            "GATEHOUSE_CONFIG": str(config),
            "GATEHOUSE_SIM_LEVELS": '{"17": 0}',
            "GATEHOUSE_SIM_SOCKET": "/tmp/x.sock",  # noqa: S108  # only a name here
        }
    )
    assert found.wires.levels == {17: 0, 27: 0}
    assert found.socket == Path("/tmp/x.sock")  # noqa: S108  # as above


def _break(config: Path, *, state_dir: bool) -> None:
    good = config.parent / "state" / "config" / "last-good.toml"
    good.parent.mkdir(parents=True)
    good.write_text(config.read_text(encoding="utf-8"), encoding="utf-8")
    line = f'  state_dir = "{config.parent}/state"\n' if state_dir else ""
    config.write_text(f"[gateway\n{line}pin = = 3\n", encoding="utf-8")


def test_a_broken_file_leaves_the_wiring_of_the_last_good_copy(config: Path) -> None:
    """The agent starts on that copy after a typing mistake: its lines must not look cut."""
    _break(config, state_dir=True)
    found = read({"GATEHOUSE_CONFIG": str(config)})
    assert found.wires.levels == {17: 1, 27: 0}
    assert found.wires.loops == {17: 27}
    assert found.socket == config.parent / "run" / "sim.sock"


def test_a_broken_file_without_its_state_dir_is_helped_by_systemd(config: Path) -> None:
    """The unit's STATE_DIRECTORY is the only one left to tell."""
    _break(config, state_dir=False)
    environ = {
        "GATEHOUSE_CONFIG": str(config),
        "STATE_DIRECTORY": str(config.parent / "state"),
    }
    assert read(environ).wires.levels == {17: 1, 27: 0}


def test_wires_of_the_last_good_copy_stay(config: Path) -> None:
    """A mistake the board cannot see sends the agent to the old pins: they are still wired."""
    _break(config, state_dir=True)
    config.write_text(
        f'[gateway]\nstate_dir = "{config.parent}/state"\n[[button]]\npin = 17\nloop = 25\nx = 1\n',
        encoding="utf-8",
    )
    found = read({"GATEHOUSE_CONFIG": str(config)})
    assert found.wires.levels == {17: 1, 27: 0, 25: 0}
    assert found.wires.loops == {17: 25}


def test_without_any_file_all_contacts_are_open(tmp_path: Path) -> None:
    """A board with nothing to read must still open, at the places of the contract."""
    found = read({"GATEHOUSE_CONFIG": str(tmp_path / "none"), "STATE_DIRECTORY": str(tmp_path)})
    assert found.wires.levels == {}
    assert found.socket == Path("/run/gatehouse/sim.sock")


@pytest.mark.parametrize(
    "said", ["17=0", "[17]", '{"x": 0}', '{"17": 2}', '{"17": "0"}', '{"99": 0}', '{"17": true}']
)
def test_levels_that_cannot_be_understood_are_refused(said: str) -> None:
    """A test that held a button in vain would pass for the wrong reason."""
    with pytest.raises(WiringError, match="GATEHOUSE_SIM_LEVELS"):
        levels_from(said)
