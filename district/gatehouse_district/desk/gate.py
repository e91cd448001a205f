"""The gate before every request, whoever answers it: names, sizes, times, heads, language."""

import asyncio
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehouse import texts
from gatehouse_district.desk.limits import neighbourhood
from gatehouse_district.desk.parts import Parts

LANGUAGE_COOKIE: Final = "language"
LANGUAGES: Final = ("zh_CN", "en")
_BROWSERS: Final = {"zh": "zh_CN", "en": "en"}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADS: Final = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    # no-referrer would make browsers send "Origin: null" with our own forms
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_HSTS: Final = "max-age=31536000"


class TooLargeError(Exception):
    """A body that is larger than it may be, or too slow; never leaves the gate."""


class Gate:
    """ASGI middleware: what fails here never reaches a page."""

    def __init__(self, inner: ASGIApp, parts: Parts) -> None:
        self._inner = inner
        self._parts = parts
        self._hosts = {host.lower() for host in parts.hosts}
        self._posts = parts.buckets(parts.limits.post_any)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it here."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._inner(scope, receive, send)
            return
        headers = Headers(scope=scope)
        sent = _Sent(send, hsts=self._parts.secure)
        if _name_of(headers.get("host", "")) not in self._hosts:
            await PlainTextResponse("This desk is not called so.\n", 421)(scope, receive, sent)
            return
        if wait_s := self._too_often(scope, headers):
            later = {"retry-after": str(int(wait_s) + 1)}
            await PlainTextResponse("Too often.\n", 429, later)(scope, receive, sent)
            return
        if self._claims_too_much(headers):
            await PlainTextResponse("Too large.\n", 413)(scope, receive, sent)
            return
        texts.use(language_of(scope, headers))
        try:
            await self._inner(scope, _Body(receive, self._parts), sent)
        except ClientDisconnect:
            return  # nobody is there to be answered; a traceback for each would fill the log
        except TooLargeError:
            if not sent.started:
                await PlainTextResponse("Too large, or too slow.\n", 413)(scope, receive, sent)

    def _too_often(self, scope: Scope, headers: Headers) -> float:
        """Return how long to wait; who has signed in has limits of their own behind the gate.

        Else anybody behind the same router could keep them from answering an alarm.
        """
        if scope["method"] in {"GET", "HEAD"}:
            return 0.0
        token = cookie_parser(headers.get("cookie", "")).get(self._parts.cookie, "")
        if token and self._parts.accounts.sessions.seen(token):
            return 0.0
        address = scope["client"][0] if scope.get("client") else ""
        return self._posts.take(neighbourhood(address), self._parts.steady_s())

    def _claims_too_much(self, headers: Headers) -> bool:
        length = headers.get("content-length", "0")
        return not length.isdecimal() or int(length[:20]) > self._parts.limits.body_bytes


class _Body:
    """What the browser sends: not more than it may, not slower than it may."""

    def __init__(self, receive: Receive, parts: Parts) -> None:
        self._receive = receive
        self._left = parts.limits.body_bytes
        self._within_s = parts.limits.body_s
        self._whole = False

    async def __call__(self) -> Message:
        if self._whole:  # what comes now is the end of the connection
            return await self._receive()
        try:
            async with asyncio.timeout(self._within_s):
                message = await self._receive()
        except TimeoutError as exc:
            raise TooLargeError from exc
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._left < 0:
                raise TooLargeError
        return message


class _Sent:
    """What goes back: with the heads that keep browsers careful."""

    def __init__(self, send: Send, *, hsts: bool) -> None:
        self._send = send
        self._hsts = hsts
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADS.items():
                headers.setdefault(name, value)
            if self._hsts:
                headers["strict-transport-security"] = _HSTS
        await self._send(message)


def language_of(scope: Scope, headers: Headers) -> str:
    """Return the language of a request: what it asks for, its cookie, its browser's, Chinese."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), max_num_fields=None)
    asked: str = query.get("lang", [""])[-1]
    if asked in LANGUAGES:
        return asked
    for part in headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == LANGUAGE_COOKIE and value in LANGUAGES:
            return value
    accepted = headers.get("accept-language", "").lower()[:200]
    firsts = [part.strip()[:2] for part in accepted.split(",")]
    return next(
        ("zh_CN" if each == "zh" else "en" for each in firsts if each in {"zh", "en"}), "zh_CN"
    )


def _name_of(host: str) -> str:
    """Return a Host header without its port."""
    host = host.lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
