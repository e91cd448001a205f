"""Errors of the district's side; the root is Gatehouse's own."""

from gatehouse.errors import GatehouseError


class DistrictStoreError(GatehouseError, OSError):
    """The district's database cannot be opened, read or written."""


class AnswerError(GatehouseError, ValueError):
    """An answer to an alarm, or another wish of a person, cannot be carried out."""


class AuthorityError(GatehouseError, ValueError):
    """The certificate authority refuses, or is not there."""


class SignInError(GatehouseError, PermissionError):
    """Somebody is not who they say, or may not do this."""


class DeskError(GatehouseError, OSError):
    """The desk's page cannot be served: its address, its certificate, its key."""


class BrokerFilesError(GatehouseError, OSError):
    """The files by which the receiver is known to the broker cannot be used."""
