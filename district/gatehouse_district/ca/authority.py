"""The authority's folder, and everything that is done with it. Moments are handed in.

============  ====================================================================================
`ca.key`      its key, EC P-256, 0600: whoever reads it can be any gateway. No passphrase: the
              receiver signs renewals by itself, and would need it in a file beside
`ca.pem`      its certificate: to every gateway and to the broker
`crl.pem`     what is revoked: to the broker after every `revoke`
`register.db` what was signed, revoked and promised
============  ====================================================================================
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gatehouse import files
from gatehouse.enrol.code import SECRET_BYTES, Code
from gatehouse.enrol.statement import WITHIN_S
from gatehouse.texts import _
from gatehouse_district.ca import (
    codes,
    ending,
    founding,
    keyfile,
    names,
    profiles,
    renewing,
    requests,
)
from gatehouse_district.ca.profiles import Kind, Span
from gatehouse_district.ca.register import Change, Entry, Kept, Register
from gatehouse_district.errors import AuthorityError

_SECRET: Final = 0o600
_OPEN: Final = 0o644
_PEM: Final = serialization.Encoding.PEM

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Signed:
    """A fresh certificate."""

    pem: bytes
    entry: Entry


class Authority:
    """Signs, revokes, and remembers. Each call blocks for a few ms; from any thread."""

    def __init__(
        self,
        folder: Path,
        cert: x509.Certificate,
        key: ec.EllipticCurvePrivateKey,
        random: Random = secrets.token_bytes,
    ) -> None:
        self.folder = folder
        self._cert = cert
        self._key = key
        self._random = random
        self._register = Register(folder / "register.db")

    @classmethod
    def init(cls, folder: Path, at: datetime, *, name: str, span: Span = profiles.ROOT) -> Self:
        """Make a new authority in a folder, with an empty list of revocations.

        One that was cut while it was made is finished, under the name that it got then. Raises
        AuthorityError where there is one, OSError.
        """
        if not name.strip() or len(name) > 64 or not name.isprintable():
            raise AuthorityError(_("the authority's name must be 1 to 64 printable characters"))

        def make(beside: Path) -> None:
            key = ec.generate_private_key(ec.SECP256R1())
            cert = profiles.root(key, name, at, span)
            made = cls(beside, cert, key)
            made._register.prepare()
            files.hand_over(beside / "register.db", beside)
            made.remake_list(at)
            made._put("ca.pem", cert.public_bytes(_PEM), _OPEN)
            made._put("ca.key", keyfile.pem(key), _SECRET)

        founding.found(folder, make)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the authority in a folder. Raises AuthorityError."""
        return cls(folder, *keyfile.load(folder))

    @property
    def ca(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.pem"

    @property
    def crl(self) -> Path:
        """The list of revocations."""
        return self.folder / "crl.pem"

    @property
    def pem(self) -> bytes:
        """The authority's certificate, as it is handed to gateways."""
        return self._cert.public_bytes(_PEM)

    @property
    def ends(self) -> datetime:
        """When the authority itself ends."""
        return self._cert.not_valid_after_utc

    def sign_request(self, pem: bytes, at: datetime, *, gateway: str | None = None) -> Signed:
        """Sign a gateway's request, for that gateway if one is named. Raises AuthorityError."""
        wanted = requests.read(pem)
        _same(wanted.name, gateway)
        with self._register.change() as change:
            return self._sign(change, Kind.GATEWAY, [wanted.name], wanted.key, at=at)

    def issue(
        self, kind: Kind, given: Sequence[str], at: datetime, *, file: str, span: Span | None = None
    ) -> tuple[Path, Path]:
        """Make a key and its certificate; writes and returns ``<file>.pem`` and ``<file>.key``.

        Raises AuthorityError, OSError.
        """
        if kind is Kind.RECEIVER:
            checked = [names.RECEIVER]
        else:
            checked = [(names.gateway if kind is Kind.GATEWAY else names.server)(n) for n in given]
        if not checked:
            raise AuthorityError(_("a server's certificate needs at least one name"))
        key = ec.generate_private_key(ec.SECP256R1())
        with self._register.change() as change:
            signed = self._sign(change, kind, checked, key.public_key(), at=at, span=span)
        self._put(f"{file}.key", keyfile.pem(key), _SECRET)
        self._put(f"{file}.pem", signed.pem, _OPEN)
        return self.folder / f"{file}.pem", self.folder / f"{file}.key"

    def reissue(self, file: str, at: datetime) -> Entry:
        """Sign ``<file>.pem`` anew: a server's or the receiver's, for the same names and key.

        Nothing but ``<file>.pem`` changes, in one step, so that nobody ever finds half a pair.
        Raises AuthorityError, OSError.
        """
        cert = ending.present(self.folder / f"{file}.pem", self._cert)
        with self._register.change() as change:
            entry = change.entry(cert.serial_number)
            if entry is None or entry.revoked_s is not None:
                raise AuthorityError(_("{file} was revoked: sign a new one").format(file=file))
            if entry.kind is Kind.GATEWAY:
                raise AuthorityError(
                    _("{file} is a gateway's, which renews itself").format(file=file)
                )
            given = ending.names(cert) or [entry.name]
            signed = self._sign(change, entry.kind, given, ending.key(cert), at=at)
        self._put(f"{file}.pem", signed.pem, _OPEN)
        return signed.entry

    def entries(self) -> Sequence[Entry]:
        """Return everything that was ever signed. Raises AuthorityError."""
        with self._register.change() as change:
            return change.entries()

    def revoke(self, what: str, at: datetime, reason: str) -> Sequence[Entry]:
        """Revoke all that stands for a name, or one serial number (hex); remakes the list.

        Returns what was revoked now. Raises AuthorityError when there is nothing.
        """
        with self._register.change() as change:
            known = [entry for entry in change.entries() if _is(entry, what)]
            if not known:
                said = _("{what} is no name and no serial number that was signed here")
                raise AuthorityError(said.format(what=ascii(what[:80])))
            standing = [entry for entry in known if entry.revoked_s is None]
            for entry in standing:
                change.revoke(entry.serial, int(at.timestamp()), reason)
            if known[0].name == what:
                change.forget_code(what)
        self.remake_list(at)
        return standing

    def remake_list(self, at: datetime) -> None:
        """Write the list of revocations anew. Raises AuthorityError, OSError."""
        with self._register.change() as change:  # the lock: lists are written in their order
            revoked = [
                (entry.serial, datetime.fromtimestamp(entry.revoked_s, UTC))
                for entry in change.entries()
                if entry.revoked_s is not None
            ]
            made = profiles.revocations(
                self._cert, self._key, number=change.next_list(), at=at, revoked=revoked
            )
            self._put("crl.pem", made.public_bytes(_PEM), _OPEN)

    def code(self, gateway: str, at: datetime) -> codes.OneTimeCode:
        """Make the one code of a gateway; an earlier one is void. Raises AuthorityError."""
        names.gateway(gateway)
        secret, salt = self._random(SECRET_BYTES), self._random(codes.SALT_BYTES)
        ends = at + codes.CODE_LIVES
        kept = Kept(salt, codes.digest(secret, salt), int(ends.timestamp()))
        with self._register.change() as change:
            change.keep_code(gateway, kept)
        der = self._cert.public_bytes(serialization.Encoding.DER)
        return codes.OneTimeCode(gateway, Code.make(der, secret).text(), ends)

    def redeem(self, gateway: str, secret: bytes, pem: bytes, at: datetime) -> Signed:
        """Sign a gateway's request for a code, which is then used up. Raises AuthorityError.

        The refusal is the same for a code that is wrong, used, too old, or another gateway's.
        """
        with self._register.change() as change:
            kept = change.code(gateway)
        now_s = int(at.timestamp())
        refused = _("no such code for this gateway: wrong, used, or older than 24 hours")
        if not codes.right(kept, secret, now_s):  # slow, so outside the transaction
            raise AuthorityError(refused)
        wanted = requests.read(pem)  # one that is no good leaves the code for another try
        _same(wanted.name, gateway)
        with self._register.change() as change:
            if change.code(gateway) != kept:
                raise AuthorityError(refused)
            change.forget_code(gateway)
            return self._sign(change, Kind.GATEWAY, [gateway], wanted.key, at=at)

    def renew(self, renewal: renewing.Renewal, at: datetime) -> Signed:
        """Sign a gateway's next certificate, if it proves that it holds this one.

        Raises AuthorityError.
        """
        wanted = requests.read(renewal.request)
        present = renewing.presented(renewal, self._cert)
        now_s = int(at.timestamp())
        with self._register.change() as change:
            entry = change.entry(present.serial_number)
            renewing.judge(renewal, present, entry, wanted, at)
            forget_s = now_s + 2 * WITHIN_S
            if not change.use_nonce(renewal.nonce, now_s, forget_s):
                raise AuthorityError(_("this request was made before: it is a replay"))
            return self._sign(change, Kind.GATEWAY, [wanted.name], wanted.key, at=at)

    def _sign(
        self,
        change: Change,
        kind: Kind,
        given: Sequence[str],
        key: requests.PublicKey,
        *,
        at: datetime,
        span: Span | None = None,
    ) -> Signed:
        lasts = span or profiles.USUAL[kind]
        ends = min(at + lasts.ends, self.ends)
        begins = at + lasts.begins
        if begins >= ends:
            raise AuthorityError(_("the authority itself has ended: make a new one"))
        serial = x509.random_serial_number()  # 159 random bits (RFC 5280: at most 20 bytes)
        begins_s, ends_s, at_s = (int(moment.timestamp()) for moment in (begins, ends, at))
        entry = Entry(serial, kind, given[0], begins_s, ends_s, at_s)
        change.add(entry)
        cert = profiles.leaf(
            self._cert,
            self._key,
            kind=kind,
            names=given,
            key=key,
            serial=serial,
            begins=begins,
            ends=ends,
        )
        return Signed(cert.public_bytes(_PEM), entry)

    def _put(self, name: str, content: bytes, mode: int) -> None:
        files.replace(self.folder / name, content, mode=mode, to_owner=True)


def _same(name: str, gateway: str | None) -> None:
    if gateway is not None and name != gateway:
        said = _("the request is for {name}, not for {gateway}")
        raise AuthorityError(said.format(name=name, gateway=gateway))


def _is(entry: Entry, what: str) -> bool:
    return what in {entry.name, format(entry.serial, "x")}
