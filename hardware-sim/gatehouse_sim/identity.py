"""The files by which one side of a TLS connection is known: the same as a district's own."""

from gatehouse_district.receiver.identity import Identity


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom it trusts, its own certificate and its key, and whom nobody trusts any more; in PEM."""

    ca: Path
    cert: Path
    key: Path
    crl: Path | None = None
