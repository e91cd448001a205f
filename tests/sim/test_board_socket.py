"""The simulated board's socket: whatever is said to it, it answers and goes on."""

import json
import queue
import socket
import stat
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gatehouse.alarm.gpio import open_board
from gatehouse.errors import BoardError, NotRunningError
from gatehouse_sim.board_socket import LONGEST_LINE, MOST_CONNECTIONS
from gatehouse_sim.wires import WiringError
from gatehouse_sim.wiring_client import WiringClient
from sim.board_school import LIMIT_S, School, open_school

BAD = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'{"do": "explode"}',
    b'{"do": ["set"]}',
    b'{"do": "set", "pin": 17}',
    b'{"do": "set", "pin": 28, "level": 0}',
    b'{"do": "set", "pin": 17, "level": 2}',
    b'{"do": "set", "pin": 17, "level": true}',
    b'{"do": "set", "pin": "17", "level": 0}',
    b'{"do": "set", "pin": 17, "level": 0, "levle": 1}',
    b'{"do": "press", "pin": 17, "for_s": NaN}',
    b'{"do": "press", "pin": 17, "for_s": -1}',
    b'{"do": "press", "pin": 17, "for_s": 1e9}',
    b'{"do": "history", "pin": 22} {"do": "pins"}',
    b"[" * 4000,
]


@pytest.fixture
def school() -> Iterator[School]:
    """A simulated board that the agent listens to."""
    with open_school() as school:
        yield school


def test_bad_requests_get_an_error_and_harm_nothing(school: School) -> None:
    """Acceptance runs talk to the board all day: one slip must not end the school."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(LIMIT_S)
        link.connect(str(school.path))
        lines = link.makefile("rb")
        for bad in BAD:
            link.sendall(bad + b"\n")
            answer = json.loads(lines.readline())
            assert answer["ok"] is False, bad
            assert answer["error"], bad
        link.sendall(b'{"do": "set", "pin": 17, "level": 0}\n')
        assert json.loads(lines.readline())["ok"] is True
        lines.close()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=200).filter(lambda b: b"\n" not in b))
@example(b'{"do": "set", "pin": 17, "level": -0}')
def test_whatever_is_said_is_answered(school: School, said: bytes) -> None:
    """A line without an answer would leave the other side waiting for ever."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(LIMIT_S)
        link.connect(str(school.path))
        with link.makefile("rb") as lines:
            link.sendall(said + b"\n")
            assert json.loads(lines.readline())["ok"] in {True, False}
    assert school.board.alive()


def test_a_line_without_an_end_is_refused(school: School) -> None:
    """It would fill the agent's memory."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(LIMIT_S)
        link.connect(str(school.path))
        link.sendall(b"x" * (LONGEST_LINE + 1))
        with link.makefile("rb") as lines:
            assert "at most" in json.loads(lines.readline())["error"]
            assert lines.readline() == b""
    assert school.client.request("pins")["ok"]


def test_several_hands_at_once(school: School) -> None:
    """A test that presses while another reads the lamp's history is the ordinary case."""
    answers: queue.Queue[dict[str, Any]] = queue.Queue()

    def hand() -> None:
        with WiringClient(school.path) as client:
            for level in (0, 1) * 10:
                answers.put(client.request("set", pin=5, level=level))

    hands = [threading.Thread(target=hand) for _ in range(4)]
    for thread in hands:
        thread.start()
    for thread in hands:
        thread.join(LIMIT_S)
    assert answers.qsize() == 80
    levels = [level for _, level in school.client.history(5)]
    assert all(a != b for a, b in pairwise(levels))


def test_too_many_connections_are_refused(school: School) -> None:
    """Each one costs a thread in the agent's own process."""
    clients = [WiringClient(school.path) for _ in range(MOST_CONNECTIONS - 1)]
    for client in clients:
        client.request("pins")
    with (
        WiringClient(school.path) as one_too_many,
        pytest.raises((WiringError, NotRunningError)),
    ):
        one_too_many.request("pins")
    for client in clients:
        client.close()
    assert school.client.request("pins")["ok"]


def test_only_the_owner_may_touch_the_wires(school: School) -> None:
    """Who may write here presses buttons."""
    assert stat.S_IMODE(school.path.stat().st_mode) == 0o600


def test_the_socket_is_gone_after_close(school: School) -> None:
    """A file that stays would let the next hand wait in vain."""
    school.board.close()
    assert not school.path.exists()
    with pytest.raises(NotRunningError):
        school.client.request("pins")
    with pytest.raises(NotRunningError, match="GPIOZERO_PIN_FACTORY=gatehouse_sim"):
        WiringClient(school.path, timeout_s=0.01)


def test_a_stale_socket_is_replaced(school: School) -> None:
    """After kill -9 the file is still there, and the next start must not fail over it."""
    school.board.close()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(school.path))
    assert school.path.is_socket()
    board = open_board(
        inputs=[], outputs=[], runtime_dir=school.path.parent, factory_name="gatehouse_sim"
    )
    with WiringClient(school.path) as client:
        assert client.request("pins")["pins"] == []
    board.close()


def test_a_file_in_the_way_is_not_removed(school: School) -> None:
    """A wrong path in GATEHOUSE_SIM_SOCKET must not cost somebody a file."""
    school.board.close()
    school.path.write_text("precious", encoding="utf-8")
    with pytest.raises(BoardError, match="GATEHOUSE_SIM_SOCKET"):
        open_board(
            inputs=[], outputs=[], runtime_dir=school.path.parent, factory_name="gatehouse_sim"
        )
    assert school.path.read_text(encoding="utf-8") == "precious"


def test_nobody_polls(school: School) -> None:
    """Idle CPU of the alarm service is a promise: the board's threads must sleep."""
    school.client.request("history", pin=17)
    before = _wake_ups()
    assert len(before) >= 3  # edges, socket, and our connection
    threading.Event().wait(0.3)  # how long they are watched
    assert sum(_wake_ups().values()) - sum(before.values()) <= 3


def _wake_ups() -> dict[str, int]:
    """Count how often each thread of a board has gone to sleep."""
    counts = {}
    for thread in threading.enumerate():
        if thread.name.startswith("board-"):
            status = Path(f"/proc/self/task/{thread.native_id}/status").read_text(encoding="ascii")
            count = status.split("voluntary_ctxt_switches:")[1].split()[0]
            counts[f"{thread.name}-{thread.native_id}"] = int(count)
    return counts
