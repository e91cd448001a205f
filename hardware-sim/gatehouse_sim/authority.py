"""A throwaway authority for one simulated district: the district's own, with a month of life.

The moment to count from is handed in, as the machine's clock may be a simulated one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from gatehouse_sim.identity import Identity

try:
    from gatehouse_district import ca
    from gatehouse_district.ca import Kind, Span
except ModuleNotFoundError as exc:  # the one place that needs the extra
    raise ModuleNotFoundError(
        "the simulated school makes its own certificates and needs the extra 'sim': "
        "pip install 'gatehouse-agent[sim]'",
        name=exc.name,
    ) from exc

__all__ = ["EXPIRED", "NOT_YET", "SERVER_NAMES", "VALID", "Authority", "Span"]

SERVER_NAMES: Final = ("localhost", "127.0.0.1")

VALID: Final = Span(timedelta(days=-1), timedelta(days=30))
EXPIRED: Final = Span(timedelta(days=-30), timedelta(days=-1))
NOT_YET: Final = Span(timedelta(days=1), timedelta(days=30))
_FILES: Final = ("ca.key", "ca.pem", "crl.pem", "register.db")


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs servers and clients; its certificate is ``ca.pem`` in its folder."""

    folder: Path
    moment: datetime
    real: ca.Authority
    """The district's authority that does the work."""

    @classmethod
    def make(
        cls, folder: Path, moment: datetime, *, name: str = "Gatehouse test authority"
    ) -> Self:
        """Make a fresh authority whose certificates count from ``moment`` (with a time zone)."""
        for file in _FILES:
            (folder / file).unlink(missing_ok=True)
        return cls(folder, moment, ca.Authority.init(folder, moment, name=name, span=VALID))

    @property
    def ca(self) -> Path:
        """The authority's own certificate."""
        return self.real.ca

    @property
    def crl(self) -> Path:
        """What it revoked."""
        return self.real.crl

    def server(
        self, names: Sequence[str] = SERVER_NAMES, *, file: str = "server", span: Span = VALID
    ) -> Identity:
        """Sign a server for these names and addresses; writes ``<file>.pem`` and ``<file>.key``."""
        return self._issue(Kind.SERVER, names, file, span)

    def client(self, common_name: str, *, file: str | None = None, span: Span = VALID) -> Identity:
        """Sign a client; writes ``<file or common name>.pem`` and ``.key``."""
        kind = Kind.RECEIVER if common_name == ca.RECEIVER else Kind.GATEWAY
        return self._issue(kind, [common_name], file or common_name, span)

    def revoke(self, name: str) -> None:
        """Revoke all that was signed for a name; a broker has to be given the new list."""
        self.real.revoke(name, self.moment, "test")

    def _issue(self, kind: Kind, names: Sequence[str], file: str, span: Span) -> Identity:
        cert, key = self.real.issue(kind, names, self.moment, file=file, span=span)
        return Identity(self.ca, cert, key, self.crl)
