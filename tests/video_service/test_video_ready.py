"""The video service says that it is ready once it can be asked."""

import asyncio
import signal
from pathlib import Path

import pytest

from gatehouse.clock import SystemClock
from gatehouse.config import Config, District, Gateway, Loaded
from gatehouse.systemd import Notifier
from gatehouse.video_service.service import SOCKET, VideoService


@pytest.mark.parametrize("taken", [False, True])
async def test_ready_means_that_it_answers(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    """What is started after it asks at once; and where nobody can, recording goes on all the same.

    A socket that cannot be opened must not end the service for a start that took too long.
    """
    root = tmp_path_factory.mktemp("r")
    socket, ready = root / SOCKET, asyncio.Event()
    if taken:
        (root / "video.new").mkdir()
    seen: list[bool] = []

    def say(_self: Notifier, *lines: str) -> None:
        if "READY=1" in lines:
            seen.append(socket.is_socket())
            ready.set()

    monkeypatch.setattr(Notifier, "say", say)
    config = Config(Path("x.toml"), Gateway("gw", "实验小学", "en", root, root), (), District(()))
    service = VideoService(root / "x.toml", Loaded(config, (), False), SystemClock("boot"), {})
    task = asyncio.create_task(service.run())
    async with asyncio.timeout(60):
        await ready.wait()
        signal.raise_signal(signal.SIGTERM)
        assert await task == 0
    assert seen == [not taken]
