"""How much somebody else may have us tell: so much at once, and a little all the time. Pure."""


class Allowance:
    """A purse that fills up slowly; times in s of one clock that never goes back."""

    def __init__(self, most: int, every_s: float, now_s: float) -> None:
        """Begin with a full purse; one comes in each ``every_s`` until it is full again."""
        self._most = most
        self._every_s = every_s
        self._left = float(most)
        self._since_s = now_s

    def take(self, now_s: float) -> bool:
        """Take one, if there is one."""
        earned = max(0.0, now_s - self._since_s) / self._every_s
        self._left = min(float(self._most), self._left + earned)
        self._since_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
