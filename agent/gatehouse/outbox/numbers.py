"""Up to which number of a start nothing is missing. Pure."""

from typing import Final, Self

_REMEMBERED: Final = 10_000


class Numbers:
    """The numbers of one start that are stored.

    Events are stored in order, but where the disk has room for alarms alone, those overtake the
    others: the numbers then have a hole, until the others are stored too, or for ever.
    """

    def __init__(self) -> None:
        self.store = ""
        self.start = 0
        self.whole = 0
        self._beyond: set[int] = set()
        self._for_ever = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Numbers) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # it changes

    @property
    def mark(self) -> str | None:
        """What says where the hole begins, ``<store>/<start>/<whole>``; None without a hole."""
        holed = self._beyond or self._for_ever
        return f"{self.store}/{self.start}/{self.whole}" if holed else None

    def took(self, store: str, start: int, count: int) -> None:
        """Note that this number is stored; the first of another start forgets this one."""
        if (store, start) != (self.store, self.start):
            self.__init__()  # type: ignore[misc]  # begins anew
            self.store, self.start = store, start
        if self._for_ever or count <= self.whole:
            return
        self._beyond.add(count)
        while self.whole + 1 in self._beyond:
            self.whole += 1
            self._beyond.remove(self.whole)
        if len(self._beyond) > _REMEMBERED:  # such a hole is never filled
            self._for_ever = True
            self._beyond.clear()

    def copy(self) -> Self:
        """Return the same numbers, to go back to."""
        twin = type(self)()
        vars(twin).update(vars(self), _beyond=set(self._beyond))
        return twin


def previous(mark: str | None, store: str, start: int, newest: int) -> str:
    """Return the number up to which a start is whole, given its newest one and the mark it left."""
    if mark is not None:
        of_store, of_start, whole = mark.rsplit("/", 2)
        if (of_store, int(of_start)) == (store, start):
            newest = int(whole)
    return f"{start:08d}.{newest:010d}"
