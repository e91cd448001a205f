"""Passwords: argon2id beside the loop, two at a time, as slow for nobody as for somebody.

One address has one of the two places at most: its flood waits behind itself.
"""

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gatehouse.texts import _
from gatehouse.threads import off_loop
from gatehouse_district.desk.turns import Turns
from gatehouse_district.errors import AnswerError, SignInError

SHORTEST: Final = 10
"""Characters. NIST SP 800-63B asks for 8, and for no rules about their kind."""
LONGEST: Final = 256
_AT_ONCE: Final = 2
"""Each takes 64 MiB and some 50 ms of all cores (RFC 9106, the second recommended option)."""
_EACH: Final = 1
_WAITING_EACH: Final = 4
"""Of one address: a few who share a router and begin their shift."""
_WAITING: Final = 64
_TIMEOUT_S: Final = 30.0


class Passwords:
    """Makes and compares hashes; ``hasher`` is another one in tests alone."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobodys = self._hasher.hash("of nobody")
        self._turns = Turns(_AT_ONCE, each=_EACH, waiting_each=_WAITING_EACH, waiting=_WAITING)

    async def hashed(self, password: str) -> str:
        """Return the hash of a new password. Raises AnswerError for one that may not be."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise AnswerError(
                _("a password has {least} to {most} characters").format(
                    least=SHORTEST, most=LONGEST
                )
            )
        async with self._turns.place(""):  # of one who has signed in
            return await off_loop(
                lambda: self._hasher.hash(_bytes(password)), name="argon2", timeout_s=_TIMEOUT_S
            )

    async def right(self, hashed: str | None, password: str, near: str = "") -> bool:
        """Whether the password is the one of this hash; None is the hash of nobody.

        ``near`` is where it was typed (`limits.neighbourhood`). Raises SignInError when too many
        ask at once, there or in all.
        """
        if not self._turns.has_room(near):
            raise SignInError(_("too many sign in at once; try again in a minute"))
        async with self._turns.place(near):
            same = await off_loop(
                lambda: self._same(hashed or self._nobodys, password),
                name="argon2",
                timeout_s=_TIMEOUT_S,
            )
        return same and hashed is not None

    def stale(self, hashed: str) -> bool:
        """Whether a hash was made with other costs than those of now."""
        return self._hasher.check_needs_rehash(hashed)

    def _same(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, _bytes(password[:LONGEST]))
        except (VerificationError, InvalidHashError):
            return False


def _bytes(password: str) -> bytes:
    """Return what is hashed: a form may bring lone surrogates, which are no UTF-8."""
    return password.encode("utf-8", "surrogatepass")
