"""The client of the control socket: what a command says when all is well, and when it is not."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gatehouse.control.client import ask, stream
from gatehouse.control.server import ControlServer, Limits
from gatehouse.errors import ControlError, NotRunningError

PATIENCE_S = 60.0
Message = dict[str, Any]


async def _echo(request: Message) -> Message:
    return {"asked": request}


async def _refuse(_request: Message) -> Message:
    raise ControlError("no such button", code="no-button")


async def _hang(_request: Message) -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def _count(request: Message) -> AsyncIterator[Message]:
    async def numbers() -> AsyncIterator[Message]:
        for number in range(1, request["to"] + 1):
            yield {"n": number}
        if request.get("then") == "wait":
            await asyncio.Event().wait()

    return numbers()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Path]:
    """Run a real server in a thread of its own, as the client is not asynchronous."""
    path = tmp_path / "control.sock"
    ready = threading.Event()
    stop: list[Callable[[], object]] = []

    async def serve() -> None:
        server = ControlServer(
            path,
            {"echo": _echo, "refuse": _refuse, "hang": _hang, "count": _count},
            Limits(connections=1),
        )
        await server.start()
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(over.set))
        ready.set()
        await over.wait()
        await server.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE_S)
    yield path
    stop[0]()
    thread.join(PATIENCE_S)


@contextmanager
def false_service(path: Path, answer: bytes, *, hold: bool = False) -> Iterator[None]:
    """Answer one client with these bytes, whatever it asks."""
    done = threading.Event()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1)

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)
            if hold:
                done.wait(PATIENCE_S)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(PATIENCE_S)
        listener.close()


def test_an_answer(service: Path) -> None:
    """The plain case, with a request and an answer beyond ASCII and one packet."""
    long = "门" * 20_000
    assert ask(service, {"do": "echo", "text": long})["asked"]["text"] == long


def test_a_refusal_is_an_error_with_its_code(service: Path) -> None:
    """A command must not take a refusal for success."""
    with pytest.raises(ControlError, match="no such button") as caught:
        ask(service, {"do": "refuse"})
    assert caught.value.code == "no-button"


def test_no_service_says_what_to_do(tmp_path: Path) -> None:
    """Neither a missing socket, a dead one nor a path too long is a traceback."""
    dead = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(dead))
    for path in (tmp_path / "none.sock", dead, tmp_path / "none" / "c.sock"):
        with pytest.raises(NotRunningError, match="systemctl start gatehouse-alarm"):
            ask(path, {"do": "status"})
    with pytest.raises(NotRunningError, match="cannot reach"):
        ask(tmp_path / ("x" * 120), {"do": "status"})


def test_a_forbidden_socket_is_not_a_missing_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is not in the group is told so, and not that the service is down."""

    class Forbidden(socket.socket):
        def connect(self, _address: object) -> None:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "socket", Forbidden)
    with pytest.raises(ControlError, match="use sudo"):
        ask(tmp_path / "c.sock", {"do": "echo"})


def test_a_service_that_does_not_answer(service: Path) -> None:
    """A hung service ends the command after its patience, not never."""
    with pytest.raises(NotRunningError, match="did not answer in time"):
        ask(service, {"do": "hang"}, timeout_s=0.1)


def test_a_service_with_all_connections_in_use(service: Path) -> None:
    """Its refusal is read although it closes before it has read the request."""
    watching = stream(service, {"do": "count", "to": 1, "then": "wait"})
    next(watching)
    with pytest.raises(ControlError, match="in use") as caught:
        ask(service, {"do": "echo"})
    assert caught.value.code == "busy"
    watching.close()  # type: ignore[attr-defined]  # it is a generator


@pytest.mark.parametrize("answer", [b"no json\n", b"[]\n", b"\xff\n"])
def test_an_answer_that_is_none(tmp_path: Path, answer: bytes) -> None:
    """Another program on that path is not taken for the service."""
    with (
        false_service(tmp_path / "c.sock", answer),
        pytest.raises(ControlError, match="the service's answer is not"),
    ):
        ask(tmp_path / "c.sock", {"do": "status"})


@pytest.mark.parametrize("answer", [b"", b'{"ok": tr'])
def test_a_service_that_dies_while_it_is_asked(tmp_path: Path, answer: bytes) -> None:
    """Half an answer is none: the service was killed."""
    with (
        false_service(tmp_path / "c.sock", answer),
        pytest.raises(NotRunningError, match="stopped while"),
    ):
        ask(tmp_path / "c.sock", {"do": "status"})


def test_a_refusal_without_reason(tmp_path: Path) -> None:
    """Also an odd refusal is one."""
    with (
        false_service(tmp_path / "c.sock", b'{"ok": 1}\n'),
        pytest.raises(ControlError, match="refused"),
    ):
        ask(tmp_path / "c.sock", {"do": "status"})


def test_a_stream_until_its_stop_condition(service: Path) -> None:
    """A walk test ends with the line it waits for, and that line is seen."""
    answers = stream(service, {"do": "count", "to": 100}, stop=lambda answer: answer["n"] == 3)
    assert [answer["n"] for answer in answers] == [1, 2, 3]


def test_a_stream_until_its_time_is_over(service: Path) -> None:
    """After its time a stream simply ends: the caller knows what it has not seen."""
    request = {"do": "count", "to": 2, "then": "wait"}
    assert [answer["n"] for answer in stream(service, request, timeout_s=2.0)] == [1, 2]


def test_a_stream_whose_service_stops(service: Path) -> None:
    """`status --watch` must not look like a quiet service when there is none any more."""
    seen: list[int] = []
    with pytest.raises(NotRunningError, match="stopped while"):
        seen.extend(answer["n"] for answer in stream(service, {"do": "count", "to": 2}))
    assert seen == [1, 2]
    with pytest.raises(NotRunningError, match="did not answer in time"):
        next(stream(service, {"do": "hang"}, timeout_s=0.1))


def test_lines_may_come_in_pieces(tmp_path: Path) -> None:
    """Several lines in one packet, and a line in several, are lines all the same."""
    said = b"".join(
        json.dumps({"ok": True, "n": n, "x": "y" * 70_000}).encode() + b"\n" for n in range(4)
    )
    with false_service(tmp_path / "c.sock", said, hold=True):
        answers = stream(tmp_path / "c.sock", {}, stop=lambda answer: answer["n"] == 3)
        assert [answer["n"] for answer in answers] == [0, 1, 2, 3]


def test_the_client_is_light() -> None:
    """`gatehouse status` must answer in 0.3 s: its client imports no asyncio."""
    code = "import gatehouse.control.client, sys; print('asyncio' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"
