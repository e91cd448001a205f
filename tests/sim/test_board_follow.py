"""What the page needs of the board: every edge as it happens, and a button that is let go of."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatehouse_sim.wires import Wires, press
from gatehouse_sim.wiring_client import cut, mend
from sim.board_school import GATE, LIMIT_S, RED, School, open_school


@pytest.fixture
def school() -> Iterator[School]:
    """Open a board that the agent listens to."""
    with open_school() as school:
        yield school


def follower(path: Path) -> socket.socket:
    """Connect, and ask for every edge."""
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(LIMIT_S)
    link.connect(str(path))
    link.sendall(b'{"do": "follow"}\n')
    assert link.recv(1, socket.MSG_PEEK)  # the board has begun to tell
    return link


def test_who_follows_is_told_the_pins_and_then_every_edge(school: School) -> None:
    """Without it the page would compute its lamps, and show what no pin does."""
    school.board.write(RED, True)
    with follower(school.path) as link, link.makefile("rb") as lines:
        first = json.loads(lines.readline())
        assert {pin["pin"]: pin["level"] for pin in first["pins"]} == {17: 1, 27: 0, 5: 1, RED: 1}
        at_ns = school.client.set(17, 0)
        school.board.write(RED, False)
        told = [json.loads(lines.readline()) for _ in range(2)]
        assert told[0] == {"pin": 17, "t": at_ns, "level": 0}
        assert (told[1]["pin"], told[1]["level"]) == (RED, 0)


def test_one_who_does_not_read_is_left_behind(school: School) -> None:
    """Without it a browser that sleeps would hold up the lamps, and with them the agent."""
    with follower(school.path) as link:
        for _ in range(5_000):  # more than a socket's buffer holds
            school.board.write(RED, True)
            school.board.write(RED, False)
        assert school.client.set(17, 0)
        with link.makefile("rb") as lines:
            assert 10 < sum(1 for _ in lines) < 10_000  # to its end


def test_a_held_button_is_let_go_of(school: School) -> None:
    """Without it a press in a browser would last a time that nobody chose."""
    school.client.request("press", pin=17, for_s=3600, bounce_ms=5)
    school.client.request("release", pin=17)  # while it may still bounce
    moves = press(Wires({}, {17: 27}), 17, start_ns=0, for_s=3600, bounce_ms=5)
    assert school.heard(len(moves)) == [(move.pin, move.level) for move in moves]
    school.client.request("press", pin=17, for_s=0)  # nothing of the first press is left


def test_to_let_go_of_what_nobody_holds_is_nothing(school: School) -> None:
    """Without it the second of two fingers would open a contact that is cut, or mend it."""
    school.client.request("release", pin=17)
    school.client.request("press", pin=17, for_s=3600)
    cut(school.client, GATE)
    school.client.request("release", pin=17)
    assert (school.board.level(17), school.board.level(27)) == (1, 1)
    mend(school.client, GATE)
