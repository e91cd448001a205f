"""The files by which one side of a TLS connection is known: the same as a district's own."""

from gatehouse_district.receiver.identity import Identity

__all__ = ["Identity"]
