"""Opening the right board and no other, and failing in words that help."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from contract.board_rigs import CONTACT, LAMP, fake_lgpio, simulated
from gatehouse.alarm.chip import CHIP_LABELS, choose_chip, read_labels
from gatehouse.alarm.gpio import edge_time_ns, open_board
from gatehouse.errors import BoardError

NOW_NS = 5_000_000_000_000


@pytest.mark.parametrize("name", ["mock", "rpigpio", "native", "GATEHOUSE_SIM"])
def test_other_factories_are_refused(name: str, tmp_path: Path) -> None:
    """An alarm on a factory that polls, or that pretends, would miss presses in silence."""
    with pytest.raises(BoardError, match=r"'lgpio' .*'gatehouse_sim'"):
        open_board(inputs=[], outputs=[], runtime_dir=tmp_path, factory_name=name)


@pytest.mark.parametrize("name", [None, "", "lgpio"])
def test_lgpio_is_what_no_name_means(name: str | None, tmp_path: Path) -> None:
    """Without a name gpiozero would try its factories in turn, down to one that polls."""
    with fake_lgpio({4: "pinctrl-rp1"}) as fake:
        board = open_board(
            inputs=[CONTACT],
            outputs=[LAMP],
            runtime_dir=tmp_path,
            factory_name=name,
            chip_labels=lambda _: fake.labels,
        )
        assert (board.name, board.alive(), fake.opened) == ("lgpio", True, [4])
        board.close()
        assert fake.opened == []


@pytest.mark.parametrize("label", CHIP_LABELS)
def test_the_chip_is_found_by_its_label(label: str) -> None:
    """Kernels renumber the chips; by number the buttons could be those of the Wi-Fi chip."""
    labels = {0: "raspberrypi-exp-gpio", 2: "brcmvirt-gpio", 11: label, 12: label}
    assert choose_chip(labels) == 11


@pytest.mark.parametrize("labels", [{}, {0: "gpio-mockup-A", 1: "pinctrl-rp1x"}])
def test_a_machine_without_the_right_chip_is_refused(labels: dict[int, str]) -> None:
    """On a PC with any GPIO chip the alarm would run on pins that lead nowhere."""
    with pytest.raises(BoardError, match=r"pinctrl-rp1.*group gpio") as caught:
        choose_chip(labels)
    assert all(label in str(caught.value) for label in labels.values())


def test_labels_are_read_through_lgpio(tmp_path: Path) -> None:
    """A chip that may not be opened must show in the message and not end the search."""
    for name in ("gpiochip0", "gpiochip1", "gpiochip10", "gpiomem"):
        (tmp_path / name).touch()
    with fake_lgpio({0: "pinctrl-bcm2711", 10: "other"}) as fake:
        labels = read_labels(fake, tmp_path)
        assert labels == {0: "pinctrl-bcm2711", 1: "can not open gpiochip", 10: "other"}
        assert fake.opened == []


def test_edges_have_the_kernel_s_time() -> None:
    """A press is measured between edges: the thread's own delay must not count."""
    assert edge_time_ns(NOW_NS / 1e9 - 0.25, NOW_NS) == NOW_NS - 250_000_000


def test_a_frozen_process_still_learns_how_long_a_press_was() -> None:
    """Edges that waited for 20 s would otherwise all be now, and the press a spike."""
    assert edge_time_ns(NOW_NS / 1e9 - 20, NOW_NS) == NOW_NS - 20_000_000_000


@pytest.mark.parametrize("ticks", [1.8e9, 0.0, NOW_NS / 1e9 + 1])
def test_times_of_another_clock_are_not_believed(ticks: float) -> None:
    """Old kernels stamp with the wall clock: a press in fifty years is never due."""
    assert edge_time_ns(ticks, NOW_NS) == NOW_NS


def test_a_failed_write_is_a_board_error(tmp_path: Path) -> None:
    """The error of lgpio would pass every handler that expects an OSError."""
    with fake_lgpio({0: "pinctrl-rp1"}) as fake:
        board = open_board(
            inputs=[],
            outputs=[LAMP],
            runtime_dir=tmp_path,
            factory_name=None,
            chip_labels=lambda _: fake.labels,
        )
        fake.failing.add(LAMP)
        with pytest.raises(BoardError, match=f"write GPIO {LAMP}"):
            board.write(LAMP, on=True)
        board.close()  # tells in the log, and closes all the same
        assert fake.opened == []


def test_close_switches_off_what_was_on(tmp_path: Path) -> None:
    """A siren's relay left closed by a stopped service could only be cut by hand."""
    with fake_lgpio({0: "pinctrl-rp1"}) as fake:
        board = open_board(
            inputs=[CONTACT],
            outputs=[LAMP],
            runtime_dir=tmp_path,
            factory_name=None,
            chip_labels=lambda _: fake.labels,
        )
        heard: list[Any] = []
        board.listen(heard.append)
        board.write(LAMP, on=True)
        board.close()
        assert fake.lines[LAMP].driven == 0
        assert fake._callbacks == []


def test_a_pin_that_cannot_be_claimed_closes_the_board(tmp_path: Path) -> None:
    """A half-open board would hold its pins against the next try."""
    with fake_lgpio({0: "pinctrl-rp1"}) as fake:
        with pytest.raises(BoardError, match="GPIO 99 as an input"):
            open_board(
                inputs=[CONTACT, 99],
                outputs=[],
                runtime_dir=tmp_path,
                factory_name=None,
                chip_labels=lambda _: fake.labels,
            )
        assert fake.opened == []


def test_a_dead_edge_thread_is_seen(tmp_path: Path) -> None:
    """Nothing in lgpio tells that its thread has died, and no press is ever heard again."""
    with fake_lgpio({0: "pinctrl-rp1"}) as fake:
        board = open_board(
            inputs=[],
            outputs=[],
            runtime_dir=tmp_path,
            factory_name=None,
            chip_labels=lambda _: fake.labels,
        )
        fake.stop()
        fake._notify_thread.join(10)
        assert not board.alive()
        board.close()


def test_a_simulated_board_that_cannot_open_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulated board's own complaint has to reach whoever started the agent."""
    monkeypatch.setenv("GATEHOUSE_SIM_LEVELS", "17=0")
    with (
        pytest.raises(BoardError, match="GATEHOUSE_SIM_LEVELS"),
        tempfile.TemporaryDirectory(prefix="gh") as folder,
    ):
        open_board(inputs=[], outputs=[], runtime_dir=Path(folder), factory_name="gatehouse_sim")


def test_two_boards_do_not_share_a_socket() -> None:
    """The second agent would take the first one's wires away."""
    with (
        simulated(print),
        pytest.raises(BoardError, match="another simulated board listens there"),
    ):
        open_board(inputs=[], outputs=[], runtime_dir=Path("/"), factory_name="gatehouse_sim")


TRUE_LGPIO = """
import json, os, sys
from pathlib import Path
from gatehouse.alarm.gpio import open_board
from gatehouse.errors import BoardError

before = os.getcwd()
try:
    open_board(inputs=[17], outputs=[], runtime_dir=Path(sys.argv[1]), factory_name="",
               chip_labels=lambda lgpio: {250: sys.argv[2]})
except BoardError as exc:
    said = str(exc)
print(json.dumps({"said": said, "moved": os.getcwd() != before, "wd": os.environ["LG_WD"]}))
"""


def _true_lgpio(folder: Path, runtime_dir: str, label: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", TRUE_LGPIO, runtime_dir, label],
        cwd=folder,
        capture_output=True,
        check=True,
        timeout=60,
        text=True,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_the_true_lgpio_gets_its_folder_and_the_process_keeps_its_own(tmp_path: Path) -> None:
    """Importing lgpio changes the working directory: relative certificate paths would break."""
    (tmp_path / "run").mkdir()
    said = _true_lgpio(tmp_path, "run", "pinctrl-rp1")
    assert (said["moved"], said["wd"]) == (False, str((tmp_path / "run").resolve()))
    assert (tmp_path / "run" / ".lgd-nfy0").is_fifo()
    assert "cannot open /dev/gpiochip250" in said["said"]


def test_the_true_lgpio_without_its_folder_says_what_to_do(tmp_path: Path) -> None:
    """All that lgpio says is that it cannot find '.lgd-nfy-3'."""
    said = _true_lgpio(tmp_path, "missing", "pinctrl-rp1")
    assert not said["moved"]
    assert "must exist and be writable" in said["said"]
