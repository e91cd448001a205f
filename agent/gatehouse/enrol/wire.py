"""Asking the district's HTTPS port: the only file of this room with `httpx`."""

import base64
import json
import ssl
from collections.abc import Mapping
from typing import Any, Final

import httpx

from gatehouse.errors import EnrolError
from gatehouse.texts import _, in_use
from gatehouse.uplink.tls import NO_CHECK_TIME

PREFIX: Final = "/enrol/v1"
_LIMIT_S: Final = 20.0
_LARGEST: Final = 64 * 1024
"""Bytes of an answer."""


class Desk:
    """One address of a district; every question opens a connection of its own."""

    def __init__(self, url: str, *, dates: bool) -> None:
        self._url = url.removesuffix("/")
        self._dates = dates

    def authority(self) -> bytes:
        """Return the authority's certificate (PEM) as anybody may say it. Raises EnrolError.

        Nobody has proven anything yet: the caller compares it with the code.
        """
        anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        return _pem(self._ask(anybody, "GET", "authority", None), "authority")

    def certificate(self, ca: bytes, *, gateway: str, secret: bytes, request: bytes) -> bytes:
        """Ask for the first certificate (PEM), of a server that ``ca`` vouches for.

        Raises EnrolError.
        """
        body = {"gateway": gateway, "code": _text(secret), "request": request.decode("ascii")}
        return _pem(self._ask(self._verified(ca), "POST", "certificate", body), "certificate")

    def renewal(
        self,
        ca: bytes,
        *,
        request: bytes,
        certificate: bytes,
        nonce: bytes,
        at_s: int,
        signature: bytes,
    ) -> bytes:
        """Ask for the next certificate (PEM), of a server that ``ca`` vouches for.

        Raises EnrolError.
        """
        body = {
            "request": request.decode("ascii"),
            "certificate": certificate.decode("ascii"),
            "nonce": _text(nonce),
            "at": at_s,
            "signature": _text(signature),
        }
        return _pem(self._ask(self._verified(ca), "POST", "renewal", body), "certificate")

    def _verified(self, ca: bytes) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_verify_locations(cadata=ca.decode("ascii"))
        except (ssl.SSLError, ValueError) as exc:
            raise EnrolError(_("no authority's certificate stands in it")) from exc
        if not self._dates:
            context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
        return context

    def _ask(
        self, context: ssl.SSLContext, method: str, path: str, body: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        """Ask, and return the answer's fields. Raises EnrolError."""
        url = f"{self._url}{PREFIX}/{path}"
        tongue = {"Accept-Language": in_use()}  # a refusal is read by who typed the command
        try:
            with (
                httpx.Client(verify=context, timeout=_LIMIT_S, trust_env=False) as client,
                client.stream(method, url, json=body, headers=tongue) as response,
            ):
                content = bytearray()
                for part in response.iter_bytes():
                    content += part
                    if len(content) > _LARGEST:
                        raise EnrolError(_("{url} answers too much").format(url=self._url))
                status = response.status_code
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
            said = _("{url} cannot be asked: {reason}")
            raise EnrolError(
                said.format(url=self._url, reason=str(exc) or type(exc).__name__)
            ) from exc
        answer = _fields(bytes(content))
        if status not in {200, 201}:
            reason = str(answer.get("error") or _("status {status}").format(status=status))
            said = _("{url} refuses: {reason}")
            raise EnrolError(said.format(url=self._url, reason=_printable(reason)))
        return answer


def _fields(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _printable(text: str) -> str:
    """Return a stranger's words as one line that moves no cursor."""
    return "".join(letter for letter in text[:300] if letter.isprintable())


def _pem(answer: Mapping[str, Any], field: str) -> bytes:
    found = answer.get(field)
    if not isinstance(found, str) or not found.isascii():
        raise EnrolError(_("this is no district of Gatehouse: it does not answer as one"))
    return found.encode("ascii")


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
