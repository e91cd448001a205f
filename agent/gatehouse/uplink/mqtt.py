"""One connection to one broker: the only file that imports aiomqtt and paho.

aiomqtt and paho open the connection, greet, subscribe, ping and part. Publications and their
PUBACKs go past them as bytes (frames.py), many in one write, and with the reason codes that
aiomqtt drops.

What must hold: a client is used for one attempt only; an abandoned attempt never sends CONNECT; no
thread is waited for; nothing of ours runs inside paho's callbacks, because paho holds locks there.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import aiomqtt
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import ConnectFlags, DisconnectFlags
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gatehouse.threads import off_loop
from gatehouse.uplink import frames, tls
from gatehouse.uplink.failures import (
    BrokerRefusedError,
    ClosedError,
    TakenOverError,
    UnreachableError,
)
from gatehouse.uplink.timing import Timing
from gatehouse.uplink.wire import Limits, Listener, Peer

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike  # there for type checkers only

_log = logging.getLogger(__name__)
_paho_log = logging.getLogger(f"{__name__}.paho")
_paho_log.setLevel(logging.CRITICAL)  # link.py says once what paho would say each time

MAXIMUM_PACKET: Final = 128 * 1024
"""The largest packet we take, in bytes (contract section 3)."""

_READ_BYTES: Final = 64 * 1024
_TAKEN_OVER: Final = 0x8E
_WANT: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def reason_text(code: int, packet: int = PacketTypes.PUBACK) -> str:
    """Return the standard's name of a reason code (MQTT 5 section 2.4)."""
    names = ReasonCode.names.get(code, {})
    fitting = [name for name, packets in names.items() if packet in packets]
    return next(iter([*fitting, *names]), f"code 0x{code:02x}")


class Connection(aiomqtt.Client):
    """One attempt to connect, and the connection that came of it."""

    def __init__(self, peer: Peer, listener: Listener, timing: Timing) -> None:
        greeting = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types there
        passing = peer.will_topic is None
        greeting.SessionExpiryInterval = 0 if passing else timing.session_expiry_s
        greeting.MaximumPacketSize = MAXIMUM_PACKET
        last = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]  # the same
        last.WillDelayInterval = timing.will_delay_s
        will = None
        if peer.will_topic is not None:
            will = aiomqtt.Will(peer.will_topic, peer.will, qos=1, retain=True, properties=last)
        super().__init__(
            peer.address,
            peer.port,
            identifier=peer.client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=passing,
            properties=greeting,
            will=will,
            timeout=timing.puback_s,
            keepalive=timing.keepalive_s,
            tls_context=peer.context,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            logger=_paho_log,
        )
        self._client.connect_timeout = timing.connect_s
        self._peer = peer
        self._listener = listener
        self._timing = timing
        self._frames = frames.Frames(MAXIMUM_PACKET)
        self._batch: list[bytes] = []
        self._attached = False
        self._abandoned = False
        self._flushing = False
        self._limits: asyncio.Future[Limits] = self._loop.create_future()
        self.closed: asyncio.Future[UnreachableError] = self._loop.create_future()

    @property
    def greeted(self) -> bool:
        """Whether CONNECT may have been sent."""
        return self._attached

    async def open(self) -> Limits:
        """Connect and wait for the CONNACK. Raises UnreachableError or one of its kinds."""
        timing, peer = self._timing, self._peer
        try:
            await off_loop(
                self._connect_in_thread,
                name="gatehouse-connect",
                timeout_s=2 * timing.connect_s + 1,
            )
            self._attach()
            async with asyncio.timeout(timing.puback_s):
                await asyncio.wait((self._limits, self.closed), return_when=asyncio.FIRST_COMPLETED)
            return self._answer()
        except BaseException as exc:
            self.fail(UnreachableError("the attempt was abandoned"))
            if isinstance(exc, ssl.SSLError):
                raise tls.explain(exc, peer.broker) from exc
            if isinstance(exc, OSError) and not isinstance(exc, UnreachableError):
                why = str(exc) or "no answer in time"
                raise UnreachableError(
                    f"cannot connect to {peer.broker} ({peer.address}): {why}"
                ) from exc
            raise

    def _answer(self) -> Limits:
        """Return what the CONNACK allows; raise why there is none."""
        if self._limits.done():
            return self._limits.result()
        raise self.closed.result()

    def publish_soon(
        self, head: bytes, tail: bytes, body: bytes, *, qos: int = 1, retain: bool = False
    ) -> int:
        """Put a publication into the next write; return its packet identifier (0 for QoS 0)."""
        mid = self._client._mid_generate() if qos else 0  # noqa: SLF001  # shared with SUBSCRIBE
        self._batch.append(frames.publish(head, tail, body, mid=mid, retain=retain))
        self._flush_soon()
        return mid

    def flush(self) -> None:
        """Write what waits now, in one write."""
        client = self._client
        if client.socket() is None or not self._attached:
            return
        self._flushing = True
        try:
            if self._batch:
                packet = b"".join(self._batch)
                self._batch.clear()
                client._packet_queue(frames.PUBLISH, packet, 0, 1)  # noqa: SLF001  # see module
            client.loop_write()
        except Exception as exc:  # noqa: BLE001  # whatever it is, this connection is over
            self.fail(UnreachableError(f"writing to {self._peer.broker} failed: {exc}"))
        finally:
            self._flushing = False
        sock = client.socket()
        if sock is not None and client.want_write():
            self._loop.add_writer(sock.fileno(), self.flush)

    async def subscribe_to(self, topics: Sequence[str]) -> list[int]:
        """Subscribe with QoS 1; return the reason codes of the SUBACK, none if none came in time.

        A connection without a SUBACK is of no use: it is ended.
        """
        try:
            codes = await self.subscribe([(topic, 1) for topic in topics])
        except aiomqtt.MqttError as exc:
            self.fail(UnreachableError(f"no SUBACK from {self._peer.broker}: {exc}"))
            return []
        return [code if isinstance(code, int) else code.value for code in codes]

    def part(self) -> None:
        """Say DISCONNECT and close: the broker drops the will."""
        self.flush()
        if self._client.socket() is not None:
            self._client.disconnect()
            self.flush()
        self.fail(UnreachableError("we have parted"))

    def fail(self, why: UnreachableError) -> None:
        """End this connection, or this attempt, at once."""
        self._abandoned = True
        if not self.closed.done():
            self.closed.set_result(why)
        if self._misc_task is not None:
            self._misc_task.cancel()
        if self._attached:
            self._client._sock_close()  # noqa: SLF001  # aiomqtt has no way to drop a frozen broker
        else:
            self._drop()

    def _connect_in_thread(self) -> None:
        try:
            self._client_connect()
        except BaseException:
            self._drop()  # paho leaves the socket open
            raise
        if self._abandoned:
            self._drop()

    def _drop(self) -> None:
        """Close a socket that the loop does not know; from either side, whoever comes last."""
        sock, self._client._sock = self._client._sock, None  # noqa: SLF001  # see module
        if sock is not None:
            sock.close()

    def _attach(self) -> None:
        """Take the socket over from the connecting thread; only from here on is anything sent."""
        sock = self._client.socket()
        if sock is None or self._abandoned:
            raise UnreachableError("the attempt was abandoned")
        self._attached = True
        self._loop.add_reader(sock.fileno(), self._readable, sock)
        self._misc_task = self._loop.create_task(self._misc_loop())
        self.flush()

    def _flush_soon(self) -> None:
        if self._attached and not self._flushing:
            self._flushing = True
            self._loop.call_soon(self.flush)

    def _readable(self, sock: "SocketLike") -> None:
        """Read what is there, tell it, answer it, all in one turn of the loop."""
        self._flushing = True  # what is queued meanwhile goes out at the end
        try:
            self._read(sock)
        except ssl.SSLError as exc:
            self.fail(tls.explain(exc, self._peer.broker))
        except UnreachableError as exc:
            self.fail(exc)
        except Exception as exc:  # noqa: BLE001  # also paho on garbage: this connection is over
            _log.debug("reading from %s failed", self._peer.broker, exc_info=True)
            self.fail(self._lost(exc))
        self.flush()
        self._flushing = False

    def _read(self, sock: "SocketLike") -> None:
        more = True
        while more:
            try:
                data = sock.recv(_READ_BYTES)
            except _WANT:
                break
            if not data:
                raise ClosedError(f"{self._peer.broker} closed the connection")
            self._client._last_bytes_received = time.monotonic()  # noqa: SLF001  # for its keepalive
            for first, body in self._frames.feed(data):
                self._packet(first, body)
            open_still = self._client.socket() is not None
            more = open_still and isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        self._listener.caught_up()

    def _packet(self, first: int, body: bytes) -> None:
        kind = first & 0xF0
        if kind == frames.PUBACK:
            self._listener.acknowledged(*frames.read_puback(body))
        elif kind == frames.PUBLISH:
            message = frames.read_publish(first, body)
            self._listener.arrived(message)
            if message.qos:
                self._batch.append(frames.puback(message.mid))
        else:
            self._hand_to_paho(first, body)

    def _hand_to_paho(self, first: int, body: bytes) -> None:
        client = self._client
        client._in_packet = {  # noqa: SLF001  # as _packet_read leaves it
            "command": first,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(body),
            "packet": bytearray(body),
            "to_process": 0,
            "pos": 0,
        }
        code = client._packet_handle()  # noqa: SLF001  # see module
        if code > 0:
            client._loop_rc_handle(code)  # noqa: SLF001  # see module

    def _lost(self, why: object) -> UnreachableError:
        return UnreachableError(f"the connection to {self._peer.broker} was lost: {why}")

    async def _misc_loop(self) -> None:
        """Ping when nothing was said for the keepalive; PINGRESP has a deadline of its own."""
        client = self._client
        while client.loop_misc() == MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.flush()
            now = time.monotonic()
            if client.keepalive == 0:
                return  # the broker wants none
            if client._ping_t == 0:  # noqa: SLF001  # see module
                quiet = min(client._last_msg_out, client._last_bytes_received)  # noqa: SLF001
                wait = quiet + client.keepalive - now
            else:
                wait = client._ping_t + self._timing.pingresp_s - now  # noqa: SLF001  # see module
                if wait <= 0:
                    self.fail(self._lost(f"no PINGRESP within {self._timing.pingresp_s:g} s"))
                    return
            await asyncio.sleep(max(0.01, wait))

    # What paho calls. Its locks are held: note, and nothing more.

    def _on_connect(
        self,
        client: PahoClient,  # noqa: ARG002  # paho's signature
        userdata: Any,  # noqa: ANN401, ARG002  # paho's signature
        flags: ConnectFlags,  # noqa: ARG002  # paho's signature
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if self._limits.done() or self.closed.done():
            return
        if reason_code.value >= 0x80:
            text = f"{self._peer.broker} refused us: {reason_code} (0x{reason_code.value:02x})"
            self.closed.set_result(
                BrokerRefusedError(f"{text}; ask the district for this gateway's rights")
            )
            return
        self._limits.set_result(
            Limits(
                getattr(properties, "ReceiveMaximum", 65535),
                getattr(properties, "MaximumPacketSize", 268_435_455),
            )
        )

    def _on_disconnect(
        self,
        client: PahoClient,  # noqa: ARG002  # paho's signature
        userdata: Any,  # noqa: ANN401, ARG002  # paho's signature
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,  # noqa: ARG002  # paho's signature
    ) -> None:
        if self.closed.done():
            return
        code = reason_code.value
        if not flags.is_disconnect_packet_from_server:
            self.closed.set_result(self._lost(reason_code))
        elif code == _TAKEN_OVER:
            who = f"another client connected to {self._peer.broker} as {self._peer.client_id}"
            self.closed.set_result(
                TakenOverError(f"{who}; give each gateway its own id and certificate")
            )
        else:
            self.closed.set_result(self._lost(f"DISCONNECT {reason_code} (0x{code:02x})"))

    def _on_socket_open(
        self,
        client: PahoClient,  # noqa: ARG002  # paho's signature
        userdata: Any,  # noqa: ANN401, ARG002  # paho's signature
        sock: "SocketLike",
    ) -> None:
        """Run in the connecting thread: an abandoned attempt ends before CONNECT is made."""
        if self._abandoned:
            raise ConnectionAbortedError("the attempt was abandoned")
        if isinstance(sock, socket.socket):
            for option in self._socket_options:
                sock.setsockopt(*option)

    def _on_socket_close(
        self,
        client: PahoClient,  # noqa: ARG002  # paho's signature
        userdata: Any,  # noqa: ANN401, ARG002  # paho's signature
        sock: "SocketLike",
    ) -> None:
        if not self._attached:
            return
        self._loop.remove_reader(sock.fileno())
        if not self._limits.done() and isinstance(sock, ssl.SSLSocket) and not self.closed.done():
            # With TLS 1.3 the broker judges our certificate after the handshake; its alert may
            # still lie unread when the write of CONNECT fails.
            try:
                sock.recv(1)
            except ssl.SSLError as exc:
                if not isinstance(exc, _WANT):
                    self.closed.set_result(tls.explain(exc, self._peer.broker))
            except OSError:
                pass  # nothing more to learn; the loss itself is told by _on_disconnect

    def _on_socket_register_write(
        self,
        client: PahoClient,  # noqa: ARG002  # paho's signature
        userdata: Any,  # noqa: ANN401, ARG002  # paho's signature
        sock: "SocketLike",  # noqa: ARG002  # paho's signature
    ) -> None:
        self._flush_soon()

    def _on_socket_unregister_write(
        self,
        client: PahoClient,  # noqa: ARG002  # paho's signature
        userdata: Any,  # noqa: ANN401, ARG002  # paho's signature
        sock: "SocketLike",
    ) -> None:
        if self._attached:
            with contextlib.suppress(ValueError):  # already closed
                self._loop.remove_writer(sock.fileno())
