"""Why there is no connection, each with the fault that it is (contract section 4)."""

from typing import ClassVar

from gatehouse.errors import UplinkError


class UnreachableError(UplinkError):
    """No connection: name, route, refusal of TCP, silence, or a connection that was lost."""

    fault: ClassVar[str] = "offline"


class BrokerRefusedError(UnreachableError):
    """The broker answered CONNECT with a reason code of 0x80 or above."""

    fault = "broker-refused"


class CertificateRefusedError(UnreachableError):
    """One side does not accept the other's certificate, or ours cannot be read."""

    fault = "certificate"


class ClosedError(UnreachableError):
    """The broker closed the connection without a word, while nothing was wrong."""


class TakenOverError(UnreachableError):
    """Another client connected under our id (DISCONNECT 0x8E, or ClosedError again and again)."""

    fault = "duplicate-id"
