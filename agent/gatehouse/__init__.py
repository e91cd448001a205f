"""Gatehouse: the one-key alarm agent of a school's gatehouse."""

__version__ = "0.1.0"
