"""Certificates over HTTPS: the first one for a one-time code, the next ones for the one before."""

from gatehouse_district.enrolment.port import routes

__all__ = ["routes"]
