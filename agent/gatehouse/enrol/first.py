"""The first certificate: by a request that somebody carries, or by a one-time code."""

from datetime import datetime

from gatehouse.enrol import papers
from gatehouse.enrol.code import Code
from gatehouse.enrol.place import Place, read
from gatehouse.enrol.wire import Desk
from gatehouse.errors import EnrolError
from gatehouse.texts import _


def make_request(place: Place) -> bytes:
    """Make a key, which stays here, and return the request for its certificate (PEM).

    Raises EnrolError.
    """
    key = papers.new_key()
    place.keep_asked(key)
    return papers.request(key, place.gateway)


def install(place: Place, cert: bytes, ca: bytes | None, now: datetime | None) -> None:
    """Put a certificate that somebody brought in its place, if it fits. Raises EnrolError.

    ``ca`` is None where the authority's certificate is there already.
    """
    authority = read(place.ca) if ca is None else ca
    key = place.asked_key()
    papers.check(cert, key, authority, gateway=place.gateway, now=now)
    place.install(cert, key, authority)


def by_code(place: Place, desk: Desk, code: Code, now: datetime | None) -> None:
    """Have the district sign, and put everything in its place. Raises EnrolError.

    The server is nobody until the authority it names is the one that the code speaks of, and until
    it has shown a certificate of that authority; only then it is told the secret.
    """
    ca = desk.authority()
    if not code.fits(papers.authority(ca)):
        raise EnrolError(
            _("this server has another authority than the code speaks of: nothing was told to it")
        )
    key = papers.new_key()
    request = papers.request(key, place.gateway)
    cert = desk.certificate(ca, gateway=place.gateway, secret=code.secret, request=request)
    papers.check(cert, key, ca, gateway=place.gateway, now=now)
    place.install(cert, key, ca)
