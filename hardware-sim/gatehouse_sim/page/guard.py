"""Who may speak to the page: browsers on this machine that look at the page itself.

The page acts on a school, so no website may press its button: a request must name this very server
(another name that leads here, as DNS rebinding makes one, is refused), and one that acts must come
from the page's own origin.
"""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_READS: Final = frozenset({"GET", "HEAD"})
_SECURITY: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """Stands before the page; ``port`` is the one that it listens on."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http":
            return
        why = self._refused(scope["method"], Headers(scope=scope))

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_SECURITY)
            await send(message)

        if why is None:
            await self._app(scope, receive, send_guarded)
        else:
            code, text = why
            await PlainTextResponse(text + "\n", code)(scope, receive, send_guarded)

    def _refused(self, method: str, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if host not in self._hosts:
            return 421, "this server is reached as 127.0.0.1 only"
        if method in _READS:
            return None
        if headers.get("origin") != f"http://{host}":
            return 403, "only the page itself may act"
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return 415, "a wish is JSON"
        return None
