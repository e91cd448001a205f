"""A gatehouse for commands: a configuration, and a service that answers what a test says."""

import asyncio
import contextlib
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.typed import CONFIG, STATUS, Answers, Gatehouse
from gatehouse import texts
from gatehouse.control.server import ControlServer
from gatehouse.errors import ControlError
from gatehouse_sim.school import short_folder

VIDEO_DOS = ("cameras", "recordings", "relearn", "evidence-release")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Type in English, on a terminal of 80 columns, with no configuration named."""
    for name in (
        "GATEHOUSE_CONFIG",
        "LANGUAGE",
        "LC_ALL",
        "LC_MESSAGES",
        "NO_COLOR",
        "FORCE_COLOR",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "80")
    yield
    texts.use("en")


@pytest.fixture
def place() -> Iterator[Gatehouse]:
    """Lend a configured gatehouse in which no service runs."""
    root = short_folder()
    file = root / "gatehouse.toml"
    file.write_text(CONFIG.format(root=root), encoding="utf-8")
    yield Gatehouse(root, file)
    shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def answering(path: Path, dos: Iterable[str]) -> Iterator[Answers]:
    """Run a service in a thread: it answers as the test says, and notes what it was asked."""
    answers = Answers()

    async def answer(request: dict[str, Any]) -> Any:
        answers.asked.append(request)
        answers.begun.set()
        said = answers.said.get(request["do"], {})
        if isinstance(said, ControlError):
            raise said
        return lines(said) if isinstance(said, list) else said

    async def lines(said: list[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
        for line in said:
            yield line
        await asyncio.get_running_loop().create_future()

    ready = threading.Event()
    stop: list[Callable[[], object]] = []

    async def serve() -> None:
        server = ControlServer(path, dict.fromkeys(dos, answer))
        await server.start()
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(over.set))
        ready.set()
        await over.wait()
        await server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="fake-service")
    thread.start()
    assert ready.wait(60)
    yield answers
    stop[0]()
    thread.join(20)


@pytest.fixture
def service(place: Gatehouse) -> Iterator[Answers]:
    """Run an alarm service."""
    dos = (
        *("status", "events", "reset", "drill-start", "drill-stop", "watch"),
        *("walktest", "selftest-report"),
    )
    with answering(place.root / "control.sock", dos) as answers:
        answers.said["status"] = STATUS
        yield answers


@pytest.fixture
def video(place: Gatehouse) -> Iterator[Answers]:
    """Run a video service."""
    with answering(place.root / "video.sock", VIDEO_DOS) as answers:
        yield answers
