"""The district's service: receiver, desk, enrolment and socket, joined in one process.

The receiver is what it lives for. Desk and socket may fail and are begun again; the receiver's
failure ends the process, which systemd restarts.
"""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from gatehouse import process, texts
from gatehouse.clock import Clock, open_clock
from gatehouse.config import ConfigError
from gatehouse.control.server import ControlServer
from gatehouse.errors import GatehouseError
from gatehouse.systemd import Notifier
from gatehouse.threads import off_loop
from gatehouse_district.config import Config, read
from gatehouse_district.errors import BrokerFilesError, DeskError
from gatehouse_district.receiver.identity import Identity
from gatehouse_district.receiver.receiver import Receiver
from gatehouse_district.serve.certificates import Watch
from gatehouse_district.serve.front import Front
from gatehouse_district.serve.kept_up import supervised
from gatehouse_district.serve.requests import Requests

log = logging.getLogger(__name__)

_UNIT: Final = "gatehouse-district"
_READ_S: Final = 10.0
_LISTEN_S: Final = 2.0
_STOP_S: Final = 6.0
"""For desk and socket to end; systemd waits for 20."""


def serve(path: Path, environ: Mapping[str, str]) -> int:
    """Run the service until SIGTERM; returns its exit code."""
    try:
        config = read(path)
        texts.use(config.district.language)
        clock = open_clock(environ.get("GATEHOUSE_CLOCK"), environ.get("GATEHOUSE_BOOTID"))
        for folder in (config.district.state_dir, config.district.runtime_dir):
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        alone = process.only_one(config.district.state_dir / "serve.lock", _UNIT)
    except ConfigError as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    except (GatehouseError, LookupError, OSError) as exc:
        log.critical("the district's service cannot start: %s", exc)
        return 1
    with alone:
        return process.run(DistrictService(config, clock, Notifier(environ)).run())


class DistrictService:
    """One run of the service."""

    def __init__(self, config: Config, clock: Clock, notifier: Notifier) -> None:
        self._config = config
        self._clock = clock
        self._notifier = notifier

    async def run(self) -> int:
        """Work until told to stop. Returns the exit code."""
        loop = asyncio.get_running_loop()
        stop, again = asyncio.Event(), asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        loop.add_signal_handler(signal.SIGHUP, again.set)
        code = 0
        try:
            receiver = await off_loop(self._receiver, name="certificates", timeout_s=_READ_S)
            async with _running(receiver):
                await self._work(receiver, stop, again)
        except* (GatehouseError, OSError) as expected:
            for known in expected.exceptions:
                log.critical("the service ends, to be restarted: %s", known)
            code = 1
        except* Exception as defects:
            for error in defects.exceptions:
                log.critical("the service ends, to be restarted", exc_info=error)
            code = 1
        log.info("stopped")
        return code

    def _receiver(self) -> Receiver:
        """Prepare the receiver. Raises BrokerFilesError."""
        broker, keep = self._config.broker, self._config.keep
        files = None
        if broker.ca is not None and broker.cert is not None and broker.key is not None:
            files = Identity(broker.ca, broker.cert, broker.key)
        try:
            return Receiver(
                broker.url,
                self._config.district.database,
                files,
                pictures_bytes=keep.pictures_mb * 1_000_000,
            )
        except OSError as exc:
            raise BrokerFilesError(
                f"the files of [broker] in {self._config.path} cannot be used: "
                f"{exc.strerror or exc}; are {broker.ca}, {broker.cert} and {broker.key} there, "
                "readable by this user, and a pair?"
            ) from exc

    async def _work(self, receiver: Receiver, stop: asyncio.Event, again: asyncio.Event) -> None:
        """Keep all going until told to stop; desk and socket end before the receiver."""
        certificates = Watch(self._config, lambda: receiver.session.broker_ends_s)
        listening = asyncio.Event()
        front = Front(self._config, self._clock, receiver, certificates.said)
        socket = ControlServer(
            self._config.district.socket,
            Requests(receiver.answering, receiver.news).handlers(),
            acts={"acknowledge"},
        )
        async with asyncio.TaskGroup() as tasks:
            desk = tasks.create_task(supervised("the desk", front.run))
            kept = [
                tasks.create_task(receiver.failed()),
                tasks.create_task(supervised("the socket", partial(_answer, socket, listening))),
                tasks.create_task(_certificates(front, again)),
                tasks.create_task(supervised("the look at certificates", certificates.run)),
                tasks.create_task(self._sign_of_life()),
            ]
            with contextlib.suppress(TimeoutError):  # it receives without its socket
                async with asyncio.timeout(_LISTEN_S):
                    await listening.wait()
            self._notifier.say("READY=1", "STATUS=receiving")
            log.info("receiving by %s", self._config.broker.url)
            await stop.wait()
            self._notifier.say("STOPPING=1")
            front.stop()
            await asyncio.wait((desk,), timeout=_STOP_S)
            for task in (desk, *kept):
                task.cancel()

    async def _sign_of_life(self) -> None:
        """Tell systemd three times in each period that the loop goes round."""
        period_s = self._notifier.watchdog_s
        while period_s is not None:
            self._notifier.say("WATCHDOG=1")
            await asyncio.sleep(period_s / 3)


@contextlib.asynccontextmanager
async def _running(receiver: Receiver) -> AsyncIterator[None]:
    """Have it receive; a broker that is away is tried on. Raises DistrictStoreError."""
    try:
        await receiver.start(wait=False)
        yield
    finally:
        await receiver.stop()


async def _certificates(front: Front, again: asyncio.Event) -> None:
    """Read the desk's certificate again at each SIGHUP."""
    while True:
        await again.wait()
        again.clear()
        try:
            await front.certificate_again()
        except (DeskError, TimeoutError) as exc:
            log.error("the old certificate stays: %s", exc)  # noqa: TRY400  # its text says all


async def _answer(
    socket: ControlServer, listening: asyncio.Event, well: Callable[[], None]
) -> None:
    """Answer on the socket until cancelled; ``well`` is called once it listens."""
    await socket.start()
    listening.set()
    well()
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await socket.close()
