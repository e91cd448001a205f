"""Our certificate and the district's authority: dates, name, key (docs/decisions/0012).

The certificate is read by a handshake with ourselves, in memory: what OpenSSL accepts there as a
client's is what it will accept at the broker, and the standard library tells what stands in it.
"""

import os
import ssl
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gatehouse.checks.context import Context
from gatehouse.checks.frame import Check, Finding, Findings, fail, nothing, ok, warn
from gatehouse.checks.text import Text, say
from gatehouse.config.model import District
from gatehouse.config.pairs import Pair, pairs
from gatehouse.texts import N_

EXPIRES: Final = "certificate-expires"
WARN_DAYS: Final = 30
FAULT_DAYS: Final = 14
"""From here on it is a fault of the gateway that the district and the lamps show."""

_NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME (openssl/x509_vfy.h): the dates are judged here, in more words."""
_DAY_S: Final = 86_400


def _look(context: Context) -> Findings:
    district = context.config.district
    cert, key, ca = district.cert, district.key, district.ca
    if cert is None or key is None or ca is None:
        return [nothing(N_("no broker speaks TLS"))]
    unreadable = _unreadable((ca, cert, key))
    if unreadable is not None:
        return [unreadable]
    now_s = context.clock.reading().unix_ns / 1e9
    synced = context.clock.synced()
    try:
        pair, own = _usable(district)
    except (ssl.SSLError, OSError, ValueError) as exc:
        return [_unusable(cert, key, exc)]
    found = [*_name(own, context.config.gateway.id), *_dates(own, _OWN, now_s, synced=synced)]
    try:
        authorities = _authorities(ca)
    except (ssl.SSLError, OSError, ValueError) as exc:
        figure = say(N_("{file} cannot be used: {why}"), file=ca.name, why=exc)
        return [*found, fail(figure, say(N_("get {file} from the district again"), file=ca.name))]
    longest = max(authorities, key=lambda each: _seconds(each, "notAfter"))
    found += [
        finding
        for finding in _dates(longest, _AUTHORITY, now_s, synced=synced)
        if finding.remedy is not None
    ]
    return [*found, *_open_key(pair.key)]


_OWN: Final = say(N_("our certificate"))
_AUTHORITY: Final = say(N_("the authority's certificate"))


def _usable(district: District) -> tuple[Pair, Mapping[str, Any]]:
    """Return the pair that the uplink uses, and what stands in its certificate.

    Raises what is wrong with the configured one when none can be used.
    """
    wrong: Exception | None = None
    for pair in pairs(district):
        try:
            return pair, read(pair.cert, pair.key)
        except (ssl.SSLError, OSError, ValueError) as exc:
            if wrong is None or (pair.cert, pair.key) == (district.cert, district.key):
                wrong = exc
    raise wrong or ValueError("no certificate is configured")


def read(cert: Path, key: Path) -> Mapping[str, Any]:
    """Return what stands in a client's certificate, as `ssl.SSLSocket.getpeercert` says it.

    Raises ssl.SSLError when the key does not match or it is no client's, OSError, ValueError.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.load_cert_chain(cert, key, password="")  # never ask at a terminal
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key, password="")
    server.verify_mode = ssl.CERT_REQUIRED
    # The certificate itself is the anchor: who signed it is the broker's to judge.
    server.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_NO_CHECK_TIME)
    server.load_verify_locations(cafile=cert)
    return _handshake(client, server)


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext) -> Mapping[str, Any]:
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there)
    theirs = server.wrap_bio(there, back, server_side=True)
    waiting = [ours, theirs]
    for _ in range(10):  # a handshake takes three turns
        for each in tuple(waiting):
            try:
                each.do_handshake()
                waiting.remove(each)
            except ssl.SSLWantReadError:
                pass
        if theirs not in waiting:
            return theirs.getpeercert() or {}
    raise ValueError("the handshake did not end")


def _authorities(ca: Path) -> list[dict[str, Any]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=ca)
    found: list[dict[str, Any]] = context.get_ca_certs()
    if not found:
        raise ValueError("no authority's certificate stands in it")
    return found


def _unreadable(files: tuple[Path, ...]) -> Finding | None:
    for file in files:
        try:
            with file.open("rb"):
                pass
        except PermissionError:
            if os.geteuid() != 0:
                return nothing(N_("not allowed to read {file}: use sudo"), file=file)
            raise
        except OSError as exc:
            figure = say(N_("{file}: {why}"), file=file, why=exc.strerror or exc)
            remedy = N_("put the file there that the district made: {file}")
            return fail(figure, say(remedy, file=file))
    return None


def _unusable(cert: Path, key: Path, exc: Exception) -> Finding:
    reason = getattr(exc, "reason", None) or str(exc)
    if reason == "KEY_VALUES_MISMATCH":
        figure = say(N_("{key} does not belong to {cert}"), key=key.name, cert=cert.name)
    else:
        figure = say(N_("{file} cannot be used: {why}"), file=cert.name, why=reason)
    return fail(figure, say(N_("get certificate and key from the district, both together")))


def _name(own: Mapping[str, Any], gateway: str) -> list[Finding]:
    names = [value for part in own.get("subject", ()) for key, value in part if key == "commonName"]
    if names == [gateway]:
        return []
    figure = say(N_("it is made out to {name}, not to {id}"), name=", ".join(names), id=gateway)
    return [fail(figure, say(N_("get one for {id}, or mend [gateway] id"), id=gateway))]


def _dates(cert: Mapping[str, Any], whose: Text, now_s: float, *, synced: bool) -> list[Finding]:
    days = int((_seconds(cert, "notAfter") - now_s) // _DAY_S)
    renew = say(N_("have the district renew {whose}"), whose=whose)
    if _seconds(cert, "notBefore") > now_s:
        figure = say(N_("{whose} is not valid yet"), whose=whose)
        return [fail(figure, say(N_("look at the clock of this machine")))]
    if not synced:
        figure = say(
            N_("{whose}: {days} days left by a clock that is not set"), whose=whose, days=days
        )
        return [warn(figure, say(N_("set the clock first")))]
    if days < 0:
        return [fail(say(N_("{whose} has expired"), whose=whose), renew, EXPIRES)]
    figure = say(N_("{whose}: {days} days left"), whose=whose, days=days)
    if days < 1:
        return [fail(figure, renew, EXPIRES)]
    if days < WARN_DAYS:
        return [warn(figure, renew, EXPIRES if days <= FAULT_DAYS else "")]
    return [ok(figure)]


def _seconds(cert: Mapping[str, Any], field: str) -> float:
    return float(ssl.cert_time_to_seconds(str(cert[field])))


def _open_key(key: Path) -> list[Finding]:
    if not stat.S_IMODE(key.stat().st_mode) & stat.S_IRWXO:
        return []
    figure = say(N_("{file} can be read by everybody"), file=key.name)
    return [warn(figure, say(N_("chmod o= {file}"), file=key))]


CHECK: Final = Check.beside("certificates", N_("certificates"), 5.0, _look)
