"""The files by which one side of a TLS connection is known."""

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
