"""The technician's hand on the simulated wiring: what ``gatehouse-sim press`` and tests use."""

import json
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from gatehouse.config.model import Button
from gatehouse.errors import NotRunningError
from gatehouse_sim.wires import CLOSED, OPEN, WiringError

_TRY_AGAIN_S: Final = 0.02
PRESS_S: Final = 0.2
"""How long a hurried finger holds a button, s."""


class WiringClient:
    """One connection to a running simulated board.

    Waits up to ``timeout_s`` for the board to listen, and as long for each answer. Raises
    NotRunningError when there is no board, or it has gone.
    """

    def __init__(self, path: Path, *, timeout_s: float = 5.0) -> None:
        self._path = path
        self._socket = _connect(path, timeout_s)
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the board."""
        self._lines.close()
        self._socket.close()

    def request(self, do: str, **asked: Any) -> dict[str, Any]:  # noqa: ANN401  # what JSON holds
        """Ask one thing (contract section 7) and return the answer.

        Raises WiringError with the board's own words when it refuses.
        """
        try:
            self._socket.sendall(json.dumps({"do": do, **asked}).encode() + b"\n")
            line = self._lines.readline()
        except OSError as exc:
            raise _no_board(self._path, str(exc)) from exc
        if not line:
            raise _no_board(self._path, "the connection was closed")
        answer: dict[str, Any] = json.loads(line)
        if not answer.get("ok"):
            raise WiringError(str(answer.get("error")))
        return answer

    def set(self, pin: int, level: int, *, silent: bool = False) -> int:
        """Move a wire and return when, CLOCK_MONOTONIC in ns."""
        more = {"silent": True} if silent else {}
        return int(self.request("set", pin=pin, level=level, **more)["t"])

    def history(self, pin: int) -> list[tuple[int, int]]:
        """Return the pin's edges: when and to which level."""
        return [(t, level) for t, level in self.request("history", pin=pin)["edges"]]


def press(
    client: WiringClient, button: Button, *, for_s: float | None = None, bounce_ms: float = 0.0
) -> int:
    """Press a button and return the time of its contact's first edge, in ns.

    Without ``for_s`` a latching button stays in until it is mended or turned back, and another one
    is held for PRESS_S.
    """
    if for_s is None and button.latching:
        if button.loop is not None:
            client.set(button.loop, OPEN)
        return client.set(button.pin, CLOSED)
    asked = {"pin": button.pin, "for_s": for_s if for_s is not None else PRESS_S}
    return int(client.request("press", bounce_ms=bounce_ms, **asked)["t"])


def cut(client: WiringClient, button: Button) -> int:
    """Cut the wire that both contacts share: both read open. Returns when, in ns."""
    at_ns = client.set(button.pin, OPEN)
    return at_ns if button.loop is None else client.set(button.loop, OPEN)


def short(client: WiringClient, button: Button) -> int:
    """Short the normally-open contact to ground while the loop stays closed; return when, in ns."""
    if button.loop is not None:
        client.set(button.loop, CLOSED)
    return client.set(button.pin, CLOSED)


def mend(client: WiringClient, button: Button) -> int:
    """Make the button's wiring healthy again, and let go of it. Returns when, in ns."""
    at_ns = client.set(button.pin, OPEN)
    return at_ns if button.loop is None else client.set(button.loop, CLOSED)


def _connect(path: Path, timeout_s: float) -> socket.socket:
    end = time.monotonic() + timeout_s
    while True:
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        link.settimeout(timeout_s or None)
        try:
            link.connect(str(path))
        except OSError as exc:
            link.close()
            if time.monotonic() >= end:
                raise _no_board(path, str(exc)) from exc
            time.sleep(_TRY_AGAIN_S)  # the file that comes wakes nobody
        else:
            return link


def _no_board(path: Path, why: str) -> NotRunningError:
    return NotRunningError(
        f"no simulated board answers on {path} ({why}): start the agent with"
        " GPIOZERO_PIN_FACTORY=gatehouse_sim, or see gatehouse-sim demo"
    )
