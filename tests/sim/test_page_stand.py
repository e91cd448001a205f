"""What each browser is owed, also one that sleeps, and what stays when the agent dies. Pure."""

from pathlib import Path

from gatehouse.config.model import Button, Config, District, Enclosure, Gateway, Lamps
from gatehouse_sim.page.stand import MOST_EDGES, Stand

GATE = Button("gate", "", pin=17, loop=27, lamps=Lamps(red=22), relay=26)


def stand() -> Stand:
    """Return a school with one button and a lid."""
    place = Path("/x")
    gateway = Gateway("x-1", "", "en", place, place)
    return Stand(Config(place, gateway, (GATE,), District(()), Enclosure(tamper=12)))


async def test_every_edge_is_owed_in_its_order() -> None:
    """Without it a lamp that blinked twice between two looks would have blinked once."""
    school = stand()
    viewer = school.look()
    viewer.edges.clear()
    for level in (1, 0, 1):
        school.edge(22, level)
    assert viewer.edges == [(22, 1), (22, 0), (22, 1)]
    assert viewer.woken.is_set()


async def test_a_browser_that_sleeps_is_given_the_levels() -> None:
    """Without it a browser left open over night would fill the memory of the demo."""
    school = stand()
    viewer = school.look()
    for n in range(3 * MOST_EDGES):
        school.edge(22, n % 2)
    assert len(viewer.edges) <= MOST_EDGES
    assert dict(viewer.edges)[22] == school.levels[22] == 1


async def test_with_the_board_the_lamps_go_and_the_wires_stay() -> None:
    """Without it a dead agent's lamp would shine on, or its next start find a mended wire."""
    school = stand()
    school.board_came([{"pin": 17, "level": 0}, {"pin": 22, "level": 1}, {"pin": 26, "level": 1}])
    school.board_went()
    assert (school.levels[22], school.levels[26]) == (0, 0)
    assert school.inputs == {17: 0, 27: 0, 12: 0}


async def test_only_what_is_said_in_words_makes_words_stale() -> None:
    """Without it each blink of a lamp would send the whole page again."""
    school = stand()
    viewer = school.look()
    viewer.stale = False
    school.edge(22, 1)
    assert not viewer.stale
    school.edge(17, 0)
    assert viewer.stale
