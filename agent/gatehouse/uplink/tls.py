"""Certificates: ours and the district's authority, read in a daemon thread because disks hang."""

import logging
import socket
import ssl
from typing import Any, Final

from gatehouse.config.model import District
from gatehouse.config.pairs import pairs
from gatehouse.threads import off_loop
from gatehouse.uplink.failures import CertificateRefusedError, UnreachableError

_log = logging.getLogger(__name__)

NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME (openssl/x509_vfy.h): dates go unjudged, chain and name do not."""

_AUTHORITY_CODES: Final = {18, 19, 20, 21}  # self-signed and unknown issuer (x509_vfy.h)
_NAME_CODES: Final = {62, 64}  # host name, IP address


class NamedContext(ssl.SSLContext):
    """Verifies the configured name while paho connects to the resolved address."""

    name: str

    def wrap_socket(self, sock: socket.socket, *args: Any, **kwargs: Any) -> ssl.SSLSocket:  # noqa: ANN401  # passed on unseen
        """Wrap a socket; the name asked for replaces the address that paho knows.

        The handshake is done here, because paho leaves the socket open when it fails.
        """
        kwargs["server_hostname"] = self.name
        wrapped = super().wrap_socket(sock, *args, **kwargs)
        try:
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped


class Certificates:
    """Makes the TLS context of each attempt; the last good one serves when the disk does not."""

    def __init__(self, district: District, *, timeout_s: float) -> None:
        self._district = district
        self._timeout_s = timeout_s
        self._good: dict[bool, NamedContext] = {}
        self._failing = False
        self._reading = False

    async def context(self, name: str, *, dates: bool) -> NamedContext:
        """Return a context that verifies ``name``, and certificates' dates if ``dates``.

        Raises CertificateRefusedError when the files cannot be used and never could.
        """
        try:
            if self._reading:
                raise TimeoutError("an earlier read still hangs in the disk")
            built = await off_loop(
                self._read, name="gatehouse-certificates", timeout_s=self._timeout_s
            )
        except (OSError, ValueError) as exc:
            self._note(exc)
        else:
            self._failing = False
            self._good = {True: built[0], False: built[1]}
        context = self._good[dates]
        context.name = name
        return context

    def _read(self) -> tuple[NamedContext, NamedContext]:
        """Read in the thread; one at a time, or a dead disk would collect a thread an attempt."""
        self._reading = True
        try:
            return _build(self._district, dates=True), _build(self._district, dates=False)
        finally:
            self._reading = False

    def _note(self, exc: Exception) -> None:
        """Say once that the files cannot be read; raise if there is nothing to fall back on."""
        why = str(exc) or f"no answer from the disk within {self._timeout_s:g} s"
        named = (self._district.ca, self._district.cert, self._district.key)
        files = ", ".join(str(file) for file in named if file is not None)
        message = f"cannot read the certificates {files}: {why}; check [district] ca, cert and key"
        if not self._good:
            raise CertificateRefusedError(message) from exc
        if not self._failing:
            self._failing = True
            _log.warning("%s; going on with those read before", message)


def _build(district: District, *, dates: bool) -> NamedContext:
    """Read the files and make the context; blocks. Raises OSError, ssl.SSLError, ValueError."""
    if district.ca is None or district.cert is None:
        raise ValueError("mqtts:// needs [district] ca, cert and key")
    context = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cafile=district.ca)
    _load(context, district)
    if not dates:
        context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
    return context


def _load(context: NamedContext, district: District) -> None:
    """Load the first pair that is whole; of the others the configured one says what is wrong."""
    wrong: OSError | None = None
    for pair in pairs(district):
        try:
            context.load_cert_chain(pair.cert, pair.key, password="")  # never ask at a terminal
        except OSError as exc:  # ssl.SSLError too: broken, or between the files of two pairs
            if wrong is None or (pair.cert, pair.key) == (district.cert, district.key):
                wrong = exc
        else:
            return
    raise wrong or ValueError("mqtts:// needs [district] ca, cert and key")


def explain(exc: ssl.SSLError, broker: str) -> UnreachableError:
    """Return what a TLS failure means for the person who must mend it."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return CertificateRefusedError(f"{broker}: {_verification(exc)}")
    reason = exc.reason or ""
    if isinstance(exc, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return UnreachableError(f"{broker} ended the TLS connection: {exc}")
    if "ALERT" in reason:
        return CertificateRefusedError(
            f"{broker} refused our certificate ({reason}); check [district] cert and key, and that "
            "the district's authority made them"
        )
    return CertificateRefusedError(f"{broker}: TLS failed ({reason or exc}); is this its TLS port?")


def _verification(exc: ssl.SSLCertVerificationError) -> str:
    why = exc.verify_message
    if exc.verify_code in _AUTHORITY_CODES:
        return f"its certificate is from another authority ({why}); check [district] ca"
    if exc.verify_code in _NAME_CODES:
        return f"its certificate is for another name ({why}); check the broker's name"
    if exc.verify_code == 10:
        return "its certificate has expired; the district must renew it"
    if exc.verify_code == 9:
        return "its certificate is not yet valid; check the clock of this machine"
    return f"its certificate cannot be trusted ({why})"
