"""All errors of Gatehouse: one root, each also the standard type that fits.

A message says what was tried, on what, and what to do about it.
"""


class GatehouseError(Exception):
    """Root of all errors that Gatehouse raises on purpose."""


class BoardError(GatehouseError, OSError):
    """The GPIO board cannot be opened, is the wrong one, or stopped delivering edges."""


class OutboxError(GatehouseError, OSError):
    """The outbox cannot be opened, read or written."""


class RecordingsError(GatehouseError, OSError):
    """A camera's recordings, or the index of them, cannot be opened, read or deleted."""


class CameraError(GatehouseError, OSError):
    """A camera refused us, did not answer in time, or answered nonsense."""


class UplinkError(GatehouseError, ConnectionError):
    """A broker could not be reached, refused us, or stopped answering."""


class MessageError(GatehouseError, ValueError):
    """A message from outside is not what the contract says it is."""


class SetupError(GatehouseError, ValueError):
    """Setup cannot begin or go on; nothing was written."""


class ControlError(GatehouseError, ValueError):
    """A request on the control socket was refused; ``code`` is for programs."""

    def __init__(self, message: str, code: str = "refused") -> None:
        super().__init__(message)
        self.code = code


class NotRunningError(GatehouseError, ConnectionError):
    """The service that was asked is not running."""


class EnrolError(GatehouseError, ValueError):
    """The gateway's certificate cannot be had, does not fit, or cannot be put in its place."""
