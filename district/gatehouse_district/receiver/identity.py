"""The files by which one side of a TLS connection is known."""

import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom it trusts, its own certificate and its key, in PEM."""

    ca: Path
    cert: Path
    key: Path
    crl: Path | None = None
    """The authority's revocation list, for who lets others in."""

    def context(self) -> ssl.SSLContext:
        """Return what a connection needs. Raises OSError (ssl.SSLError) for files of no use."""
        context = ssl.create_default_context(cafile=self.ca)
        context.load_cert_chain(self.cert, self.key)
        return context

    def client_id(self, name: str) -> str:
        """Return a client id that nobody can say who has not the key. Raises OSError.

        A broker ends the session of whoever has the id that another comes with, whatever the
        other's certificate (mosquitto 2.0.11): one stolen gateway could keep a district deaf.
        """
        return f"{name}-{hashlib.sha256(self.key.read_bytes()).hexdigest()[:16]}"
