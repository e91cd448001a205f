"""The page's hands: what is done to a wire beside an end or a start of the agent is not lost."""

import asyncio

from gatehouse_sim.page.hands import Hands
from gatehouse_sim.page.stand import Stand
from gatehouse_sim.school import Plan, opened
from gatehouse_sim.wires import CLOSED
from sim.page_school import folder


async def test_a_press_beside_an_end_is_held_at_the_next_start_and_let_go_of() -> None:
    """Without it the board that goes would have the press, or the one that comes keep it for ever.

    The page's own watch is not run: it may always be later than the hand.
    """
    with folder() as root:
        async with opened(root, Plan(tls=False)) as school:
            stand = Stand(school.config)
            hands = Hands(school, stand)
            ending = asyncio.create_task(hands.stop())
            await asyncio.sleep(0)  # it has begun
            assert await hands.press("gate")
            await ending
            assert stand.inputs[17] == CLOSED
            await hands.start()
            (alarm,) = await school.district.wait_for(lambda d: d.alarms())
            assert alarm.event.data["held_at_start"] is True
            await hands.let_go("gate")
            await school.agent.wait_for(lambda s: s["buttons"][0]["line"] == "normal")
