"""How often a password may be tried, by whom and where. Pure."""

from dataclasses import dataclass

from gatehouse_district.desk.limits import Buckets
from gatehouse_district.desk.parts import Limits


@dataclass(frozen=True, slots=True)
class Try:
    """One try: for how long it must wait (s), or what it took."""

    wait_s: float = 0.0
    took: tuple[tuple[Buckets, str], ...] = ()


class Tries:
    """Strangers who guess at a name share its tries, and those of one address have theirs.

    One address has fewer at a name than the name has, and gets them back more slowly: alone it
    never keeps the owner of the name from their first sign-in elsewhere. Who has signed in from
    here before (``at_home``) has tries of their own: so nobody locks a person out of the desk by
    guessing, not even from the same room or the same proxy.
    """

    def __init__(self, limits: Limits) -> None:
        def buckets(rate: tuple[float, float]) -> Buckets:
            return Buckets(burst=rate[0], per_s=rate[1])

        self._at_home = buckets(limits.sign_in_account)
        self._by_account = buckets(limits.sign_in_account)
        self._by_address = buckets(limits.sign_in_address)
        self._by_pair = buckets(limits.sign_in_pair)

    def take(self, name: str, near: str, now_s: float, *, at_home: bool) -> Try:
        """Take a try of each that it costs; of none when one has none left."""
        pair = f"{name} {near}"
        costs: tuple[tuple[Buckets, str], ...] = ((self._at_home, pair),)
        if not at_home:
            costs = ((self._by_address, near), (self._by_pair, pair), (self._by_account, name))
        for at, (buckets, key) in enumerate(costs):
            if wait_s := buckets.take(key, now_s):
                self.give_back(Try(took=costs[:at]))
                return Try(wait_s)
        return Try(took=costs)

    def give_back(self, tried: Try) -> None:
        """Give a try back: it was a good one."""
        for buckets, key in tried.took:
            buckets.give_back(key)
