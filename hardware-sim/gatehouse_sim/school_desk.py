"""The district's desk beside a simulated district: the real one, with an account made for it."""

import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from gatehouse.clock import SystemClock
from gatehouse.texts import _
from gatehouse_district.desk import Accounts, Parts, Role, app
from gatehouse_district.desk.journal import Action
from gatehouse_district.receiver.receiver import Receiver
from gatehouse_sim.page.app import Desk
from gatehouse_sim.page.server import listen, served

USUAL_PORT: Final = 8081
USER: Final = "demo"
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are taken for one another."""


@contextlib.asynccontextmanager
async def desk_of(receiver: Receiver, folder: Path, port: int | None = None) -> AsyncIterator[Desk]:
    """Serve the desk of a receiver, which keeps its file in a folder; its one account.

    Raises OSError for a port that is taken, DistrictStoreError.
    """
    listener = listen(port, USUAL_PORT)
    clock = SystemClock()
    accounts = Accounts(folder / "desk.db", clock, secrets.token_bytes)
    with listener, contextlib.closing(accounts):
        password = _password()
        by = Action("gatehouse-sim", "127.0.0.1", "account-add")
        await accounts.add(USER, Role.ADMINISTER, password, display=_("duty officer"), by=by)
        parts = Parts(
            records=receiver.records,
            answering=receiver.answering,
            news=receiver.news,
            accounts=accounts,
            clock=clock,
            random=secrets.token_bytes,
            district=_("simulated district"),
            secure=False,
            hears=lambda: receiver.connected,
        )
        desk = app(parts)
        async with served(desk, listener, lifespan=True):
            try:
                yield Desk(f"http://127.0.0.1:{listener.getsockname()[1]}/", USER, password)
            finally:
                desk.state.board.stop()


def _password() -> str:
    parts = ("".join(secrets.choice(_LETTERS) for _n in range(4)) for _n in range(3))
    return "-".join(parts)
