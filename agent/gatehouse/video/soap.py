"""One SOAP question to a camera and its answer, bounded in bytes and time.

What a camera says is a stranger's: it may be huge, slow, compressed to a thousandth, full of
entities, or somebody else's altogether. So it is read raw and counted, a document type declaration
ends it (SOAP 1.2 part 1, section 5, forbids one), and names are looked up without their
namespaces, which makers get wrong. A password is never sent as it is: HTTP digest where the camera
asks for that, else the digest of a WS-UsernameToken, never both at once.
"""

import asyncio
import contextlib
import hashlib
import ipaddress
import logging
import secrets
import socket
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

import httpx
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]  # ships no types
from defusedxml.ElementTree import ParseError, fromstring  # type: ignore[import-untyped]

from gatehouse.clock import Clock
from gatehouse.errors import CameraError
from gatehouse.threads import off_loop

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # its type alone; defusedxml reads

DEVICE_SERVICE: Final = "/onvif/device_service"
"""Where every ONVIF device answers first (ONVIF Core Specification, "Services overview")."""
MOST_BYTES: Final = 256 * 1024
"""Of one answer. A camera of many profiles tells them in some 60 kB."""

_SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
_WSS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_HEADERS: Final = {
    "Content-Type": "application/soap+xml; charset=utf-8",
    "Accept-Encoding": "identity",
}
_REFUSED: Final = {401, 403}

logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of every request


class NoOnvifError(CameraError):
    """Nothing speaks ONVIF there."""


class Talk:
    """A conversation with one camera; ``offset_s`` is by how much its clock is ahead of ours."""

    def __init__(
        self, client: httpx.AsyncClient, place: str, *, clock: Clock, credential: str | None
    ) -> None:
        self._client = client
        self._place = place
        self._clock = clock
        self._known = credential.partition(":")[::2] if credential else None
        self.offset_s = 0.0

    async def ask(self, request: str, path: str = DEVICE_SERVICE) -> "Element":
        """Ask one thing; return the element that answers it.

        Raises NoOnvifError, or CameraError for what is no answer.
        """
        status, answer, shown = await self._post(path, _envelope(request))
        if _is_refused(status, answer) and self._known and not shown:
            status, answer, _ = await self._post(path, _envelope(request, self._token()), bare=True)
        if _is_refused(status, answer):
            raise CameraError(f"{self._place} wants another user or password")
        if answer is None:
            raise NoOnvifError(f"{self._place} does not speak ONVIF (HTTP {status})")
        body = within(answer, "Body")
        first = next(iter(body), None) if body is not None else None
        if first is None:
            raise CameraError(f"{self._place} answered with an empty message")
        if local(first) == "Fault":
            raise CameraError(f"{self._place} answered: {told(first, 'Text', 'faultstring')}")
        return first

    async def _post(
        self, path: str, content: str, *, bare: bool = False
    ) -> tuple[int, "Element | None", bool]:
        """Post it; return the status, the envelope if it is one, and whether a digest was shown."""
        auth = httpx.DigestAuth(*self._known) if self._known and not bare else httpx.Auth()
        try:
            request = self._client.build_request(
                "POST", path, content=content.encode(), headers=_HEADERS
            )
            flow = auth.auth_flow(request)
            ready = next(flow)
            while True:
                response, body = await self._send(ready)
                try:
                    ready = flow.send(response)
                except StopIteration:
                    break
        except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
            raise NoOnvifError(f"{self._place} takes no connection") from exc
        except (CameraError, TimeoutError):
            raise
        except Exception as exc:  # whatever a camera can make a library stumble over
            raise CameraError(f"{self._place} broke off: {type(exc).__name__}") from exc
        return response.status_code, self._envelope(body), "authorization" in request.headers

    async def _send(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        response = await self._client.send(request, stream=True)
        try:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise CameraError(f"{self._place} compressed its answer, which nobody asked for")
            body = bytearray()
            async for data in response.aiter_raw():
                body += data
                if len(body) > MOST_BYTES:
                    raise CameraError(f"{self._place} answered with over {MOST_BYTES} bytes")
        finally:
            await response.aclose()
        return response, bytes(body)

    def _envelope(self, body: bytes) -> "Element | None":
        try:
            return read(body)
        except ValueError as exc:
            raise CameraError(f"{self._place}: {exc}") from exc

    def _token(self) -> str:
        """Make a WS-UsernameToken; its time is the camera's, or it would be taken for a replay."""
        assert self._known is not None  # noqa: S101  # asked only then
        user, password = self._known
        nonce = secrets.token_bytes(16)
        now = self._clock.reading().unix_ns / 1e9 + self.offset_s
        created = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = hashlib.sha1(nonce + f"{created}{password}".encode()).digest()  # noqa: S324  # its rule
        return (
            f'<w:Security s:mustUnderstand="1" xmlns:w="{_WSS}wssecurity-secext-1.0.xsd" '
            f'xmlns:u="{_WSS}wssecurity-utility-1.0.xsd"><w:UsernameToken>'
            f"<w:Username>{escape(user)}</w:Username>"
            f'<w:Password Type="{_WSS}username-token-profile-1.0#PasswordDigest">'
            f"{b64encode(digest).decode()}</w:Password>"
            f'<w:Nonce EncodingType="{_WSS}soap-message-security-1.0#Base64Binary">'
            f"{b64encode(nonce).decode()}</w:Nonce>"
            f"<u:Created>{created}</u:Created></w:UsernameToken></w:Security>"
        )


@contextlib.asynccontextmanager
async def talking(
    host: str,
    port: int | None = None,
    *,
    clock: Clock,
    credential: str | None = None,
    timeout_s: float,
) -> AsyncIterator[Talk]:
    """Talk with the camera at ``host``, for ``timeout_s`` seconds in all.

    ``credential`` is "user:password". Raises NoOnvifError and CameraError.
    """
    place = f"{host}:{port or 80}"
    try:
        async with asyncio.timeout(timeout_s):
            address = await _address(host, timeout_s)
            literal = f"[{address}]" if ":" in address else address
            async with httpx.AsyncClient(
                base_url=f"http://{literal}:{port or 80}",
                verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # not used, and cheap: loads no CAs
                trust_env=False,
                timeout=httpx.Timeout(None, connect=timeout_s / 2),
            ) as client:
                yield Talk(client, place, clock=clock, credential=credential)
    except TimeoutError as exc:
        raise CameraError(f"{place} did not answer within {timeout_s:g} s") from exc


async def _address(host: str, timeout_s: float) -> str:
    """Resolve a name in a thread that no exit waits for."""
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(host))
    try:
        found = await off_loop(
            lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM),
            name="camera-name",
            timeout_s=timeout_s,
        )
    except TimeoutError:
        raise
    except (OSError, UnicodeError) as exc:
        raise NoOnvifError(f"no camera is called {host}") from exc
    return str(found[0][4][0])


def read(body: bytes) -> "Element | None":
    """Read a SOAP envelope; None for anything else.

    Raises ValueError for what SOAP forbids because it is dangerous.
    """
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except DefusedXmlException as exc:
        raise ValueError("a document type declaration, which SOAP forbids") from exc
    except (ParseError, ValueError, LookupError):  # an encoding that Python does not have, too
        return None
    return root if local(root) == "Envelope" else None


def local(element: "Element") -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def every(element: "Element", name: str) -> Iterator["Element"]:
    """Give all elements of that name inside of another."""
    return (each for each in element.iter() if local(each) == name)


def within(element: "Element", *names: str) -> "Element | None":
    """Return the first element of one of those names inside of another."""
    return next((each for name in names for each in every(element, name)), None)


def told(element: "Element", *names: str) -> str:
    """Return the text of the first element of one of those names, fit to be shown."""
    found = within(element, *names)
    return fit(found.text or "") if found is not None else ""


def fit(text: str, most: int = 200) -> str:
    """Make a stranger's text fit to be shown: one line, not too long, nothing invisible."""
    line = " ".join(text[: 4 * most].split())
    return "".join(each for each in line if each.isprintable())[:most]


def _envelope(request: str, header: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{_SOAP}">'
        f"<s:Header>{header}</s:Header><s:Body>{request}</s:Body></s:Envelope>"
    )


def _is_refused(status: int, answer: "Element | None") -> bool:
    fault = within(answer, "Fault") if answer is not None else None
    codes = [] if fault is None else [each.text or "" for each in every(fault, "Value")]
    return status in _REFUSED or any("NotAuthorized" in code for code in codes)
