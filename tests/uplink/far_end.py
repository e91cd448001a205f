"""What is at the far end of the line: a real broker, one by script, and the district's office."""

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec

from gatehouse.config.model import Broker
from gatehouse.uplink import frames
from gatehouse_sim.ports import reserve
from uplink.fakes import TOPICS


@contextlib.contextmanager
def nobody() -> Iterator[int]:
    """Lend a port at which nobody answers, and that nobody else is given meanwhile."""
    with reserve() as held:
        yield held.getsockname()[1]


def plain(port: int) -> Broker:
    """Return a broker without TLS on this machine."""
    return Broker(f"mqtt://127.0.0.1:{port}", "127.0.0.1", port, tls=False)


def secure(port: int, host: str = "localhost") -> Broker:
    """Return a broker with TLS."""
    return Broker(f"mqtts://{host}:{port}", host, port, tls=True)


class Mosquitto:
    """A private mosquitto that can be killed, frozen and started again."""

    def __init__(self, folder: Path, *, lines: Sequence[str] = ("allow_anonymous true",)) -> None:
        self._held = reserve()
        self.port: int = self._held.getsockname()[1]
        self._folder = folder / f"mosquitto-{self.port}"
        self._folder.mkdir()
        self._conf = self._folder / "mosquitto.conf"
        head = [f"listener {self.port} 127.0.0.1", "set_tcp_nodelay true", "log_type error"]
        head.append("max_queued_messages 0")  # else a slow district loses what was acknowledged
        self._conf.write_text("\n".join([*head, *lines, ""]), encoding="ascii")
        self._process: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """Kill it and give its port back."""
        self.kill()
        self._held.close()

    async def start(self) -> None:
        """Start it and wait until it listens."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220  # returns at once
                ["/usr/sbin/mosquitto", "-c", self._conf], stdout=log, stderr=log
            )
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                assert self._process.poll() is None, (self._folder / "log").read_text()
                await asyncio.sleep(0.01)

    def freeze(self) -> None:
        """Stop it without ending it: its kernel still acknowledges TCP."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)


class Office:
    """The district's side: notes what it gets, and sends receipts unless told not to."""

    def __init__(self, port: int, *, receipts: bool = True) -> None:
        self._port = port
        self.receipts = receipts
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.raw: list[aiomqtt.Message] = []
        self._client: aiomqtt.Client | None = None
        self._task: asyncio.Task[None] | None = None

    def ids(self, topic: str | None = None) -> list[str]:
        """Return the ids of the events that came, doubled ones too."""
        return [said["id"] for where, said in self.got if "type" in said and topic in {None, where}]

    def pictures(self) -> list[str]:
        """Return the pictures that came: alarm and number."""
        topics = [str(message.topic) for message in self.raw]
        return [topic.partition("/up/picture/")[2] for topic in topics if "/up/picture/" in topic]

    def on(self, topic: str) -> list[dict[str, Any]]:
        """Return what came on a topic."""
        return [said for where, said in self.got if where == topic]

    async def say(self, topic: str, body: bytes | dict[str, Any], **more: Any) -> None:
        """Publish to the gateway."""
        assert self._client is not None
        payload = body if isinstance(body, bytes) else msgspec.json.encode(body)
        await self._client.publish(topic, payload, qos=1, **more)

    async def __aenter__(self) -> "Office":
        ready = asyncio.Event()
        self._task = asyncio.create_task(self._listen(ready))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait((waiting, self._task), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        assert ready.is_set(), self._task.exception()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        async with asyncio.timeout(60):
            while not self._task.done():  # Python 3.11: aiomqtt's wait_for may swallow a cancelling
                self._task.cancel()
                await asyncio.wait((self._task,), timeout=1)
        with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
            self._task.result()

    async def _listen(self, ready: asyncio.Event) -> None:
        async with aiomqtt.Client(
            "127.0.0.1", self._port, protocol=aiomqtt.ProtocolVersion.V5
        ) as client:
            self._client = client
            client.pending_calls_threshold = 10_000
            await client.subscribe([("gatehouse/v1/+/state", 1), ("gatehouse/v1/+/up/#", 1)])
            ready.set()
            async for message in client.messages:
                self.raw.append(message)
                if "/up/picture/" in str(message.topic):
                    continue
                said = msgspec.json.decode(bytes(message.payload))
                self.got.append((str(message.topic), said))
                if self.receipts and "specversion" in said:
                    await client.publish(
                        TOPICS.receipt, msgspec.json.encode({"ids": [said["id"]]}), qos=1
                    )


Answer = Callable[[int, bytes], bytes | None]


class Script:
    """A broker that answers as a test wants; by default it takes everything.

    Each of connack, suback, puback gets the packet and returns the answer, or None for silence.
    """

    def __init__(self) -> None:
        self.port = 0
        self.connack: Answer = lambda _first, _body: bytes([0x20, 3, 0, 0, 0])
        self.suback: Answer = lambda _first, body: bytes([0x90, 5, *body[:2], 0, 1, 1])
        self.puback: Callable[[frames.Incoming], int | None] = lambda _message: 0
        self.pings = True
        self.packets: list[int] = []
        self.published: list[frames.Incoming] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.at_once: bytes = b""  # sent with the CONNACK
        self._server: asyncio.Server | None = None

    def connects(self) -> int:
        """How many CONNECT packets came."""
        return sum(first & 0xF0 == 0x10 for first in self.packets)

    async def send(self, packet: bytes) -> None:
        """Send to whoever connected last."""
        self.writers[-1].write(packet)
        await self.writers[-1].drain()

    def drop(self) -> None:
        """Close every connection."""
        for writer in self.writers:
            writer.close()
        self.writers.clear()

    async def __aenter__(self) -> "Script":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for _turn in range(10):  # what was accepted in the last moment reaches us some turns later
            self.drop()
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        cut = frames.Frames(1 << 20)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            while data := await reader.read(65536):
                for first, body in cut.feed(data):
                    answer = self._answer(first, body)
                    if answer:
                        writer.write(answer)
        with contextlib.suppress(RuntimeError):
            writer.close()

    def _answer(self, first: int, body: bytes) -> bytes | None:
        self.packets.append(first)
        kind = first & 0xF0
        if kind == 0x10:
            said = self.connack(first, body)
            return said + self.at_once if said else None
        if kind == 0x80:
            return self.suback(first, body)
        if kind == 0xC0 and self.pings:
            return bytes([0xD0, 0])
        if kind == frames.PUBLISH:
            message = frames.read_publish(first, body)
            self.published.append(message)
            code = self.puback(message) if message.mid else None
            return None if code is None else bytes([0x40, 3, *message.mid.to_bytes(2, "big"), code])
        return None
