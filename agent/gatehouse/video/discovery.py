"""Finds ONVIF cameras on the local network by WS-Discovery.

A probe goes out twice, as SOAP over UDP has it; what answers within the time is a stranger's word.
It is counted in datagrams and bytes, and what is no answer is passed over.
"""

import asyncio
import contextlib
import socket
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from gatehouse.video.soap import every, fit, read, told, within

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # its type alone; defusedxml reads

MULTICAST: Final = ("239.255.255.250", 3702)
MOST_DEVICES: Final = 256
MOST_BYTES: Final = 4 * 1024 * 1024
"""Of all answers together; 256 devices tell some 2 kB each, and again for each interface."""

_AGAIN_S: Final = 0.25
_SCOPE: Final = "onvif://www.onvif.org/"
_ADDRESSING: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_WS_DISCOVERY: Final = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_PROBE: Final = (
    '<?xml version="1.0" encoding="utf-8"?>'
    f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="{_ADDRESSING}" '
    f'xmlns:d="{_WS_DISCOVERY}"><s:Header><a:Action>{_WS_DISCOVERY}/Probe</a:Action>'
    "<a:MessageID>{id}</a:MessageID>"
    "<a:ReplyTo><a:Address>{anonymous}</a:Address></a:ReplyTo>"
    "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header><s:Body><d:Probe>"
    '<d:Types xmlns:n="http://www.onvif.org/ver10/network/wsdl">n:NetworkVideoTransmitter'
    "</d:Types></d:Probe></s:Body></s:Envelope>"
)


@dataclass(frozen=True, slots=True)
class Device:
    """A camera that answered; texts are the camera's own words, fit to be shown."""

    endpoint: str
    host: str
    port: int | None
    name: str = ""
    hardware: str = ""
    location: str = ""
    xaddrs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a probe brought."""

    devices: tuple[Device, ...]
    passed_over: int
    """Datagrams that were no answers, or too many."""


async def discover(
    timeout_s: float,
    *,
    address: tuple[str, int] = MULTICAST,
    interfaces: Sequence[str] = ("",),
    draw: Callable[[], uuid.UUID] = uuid.uuid4,
) -> Found:
    """Ask who is a camera, and listen for ``timeout_s`` seconds.

    ``interfaces`` are the IPv4 addresses of this machine to ask from; "" leaves it to the routes.
    Raises OSError when none of them can ask.
    """
    loop = asyncio.get_running_loop()
    message_id = f"urn:uuid:{draw()}"
    probe = _PROBE.format(id=message_id, anonymous=f"{_ADDRESSING}/role/anonymous").encode()
    ear = _Ear(message_id)
    async with contextlib.AsyncExitStack() as stack:
        mouths: list[asyncio.DatagramTransport] = []
        refused: OSError | None = None
        for interface in interfaces:
            try:
                sock = _socket(interface)
            except OSError as exc:  # an interface that has just gone
                refused = exc
                continue
            mouth, _ = await loop.create_datagram_endpoint(lambda: ear, sock=sock)
            stack.callback(mouth.close)
            mouths.append(mouth)
        if not mouths:
            raise refused or OSError("no interface to ask from")
        for pause_s in (min(_AGAIN_S, timeout_s / 2), max(0.0, timeout_s - _AGAIN_S)):
            for mouth in mouths:
                mouth.sendto(probe, address)
            await asyncio.sleep(pause_s)
    return Found(tuple(ear.devices.values()), ear.passed_over)


def _socket(interface: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind((interface, 0))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        if interface:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
    except OSError:
        sock.close()
        raise
    return sock


@dataclass(slots=True, weakref_slot=True)
class _Ear(asyncio.DatagramProtocol):
    """Hears answers, each device once."""

    message_id: str
    devices: dict[str, Device] = field(default_factory=dict)
    passed_over: int = 0
    _bytes: int = 0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take in one datagram, whoever sent it."""
        self._bytes += len(data)
        if self._bytes > MOST_BYTES:
            self.passed_over += 1
            return
        heard = _devices(data, addr[0], self.message_id)
        if heard is None:
            self.passed_over += 1
            return
        for device in heard:
            if len(self.devices) < MOST_DEVICES or device.endpoint in self.devices:
                self.devices.setdefault(device.endpoint, device)
            else:
                self.passed_over += 1

    def error_received(self, _exc: Exception) -> None:
        """Pass over what the network says: nobody at that address, no way there."""


def _devices(data: bytes, sender: str, message_id: str) -> list[Device] | None:
    """Read the cameras that one datagram tells of; None when it is no answer to our probe."""
    try:
        envelope = read(data)
    except ValueError:
        return None
    if envelope is None or within(envelope, "ProbeMatches", "ProbeMatch") is None:
        return None
    if told(envelope, "RelatesTo") not in {message_id, ""}:  # some leave it out
        return None
    return [
        _device(match, sender)
        for match in every(envelope, "ProbeMatch")
        if "NetworkVideoTransmitter" in told(match, "Types") or _SCOPE in _raw(match, "Scopes")
    ]


def _device(match: "Element", sender: str) -> Device:
    scopes: dict[str, str] = {}
    for scope in _raw(match, "Scopes").split():
        kind, _, value = scope.removeprefix(_SCOPE).partition("/")
        if scope.startswith(_SCOPE) and value:
            scopes.setdefault(kind, fit(unquote(value), 80))
    xaddrs = tuple(fit(each) for each in _raw(match, "XAddrs").split()[:8])
    host, port = _place(xaddrs, sender)
    return Device(
        endpoint=told(match, "Address") or f"{host}:{port or 80}",
        host=host,
        port=port,
        name=scopes.get("name", ""),
        hardware=scopes.get("hardware", ""),
        location=scopes.get("location", ""),
        xaddrs=xaddrs,
    )


def _place(xaddrs: Sequence[str], sender: str) -> tuple[str, int | None]:
    """Return where it answered from, with the port of its service there.

    Cameras also tell of addresses that lead nowhere from here: link-local ones, those behind a
    router. Whoever answered can be reached where the answer came from.
    """
    for xaddr in xaddrs:
        with contextlib.suppress(ValueError):
            parts = urlsplit(xaddr)
            if parts.scheme == "http" and parts.hostname == sender:
                return sender, parts.port if parts.port != 80 else None
    return sender, None


def _raw(match: "Element", name: str) -> str:
    found = within(match, name)
    return (found.text or "") if found is not None else ""
