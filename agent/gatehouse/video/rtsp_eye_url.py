"""An RTSP address with its credential, for libav's ears alone. Pure."""

from urllib.parse import quote, urlsplit


def with_credential(url: str, credential: str) -> str:
    """Put "user:password" into an address, whatever characters it is made of."""
    user, colon, password = credential.partition(":")
    if not user:
        return url
    parts = urlsplit(url)
    known = quote(user, safe="") + (f":{quote(password, safe='')}" if colon else "")
    return parts._replace(netloc=f"{known}@{parts.netloc.rpartition('@')[2]}").geturl()
