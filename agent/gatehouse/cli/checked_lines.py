"""How checks look while they run: one line each, what to do below it, wide and narrow."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from gatehouse.checks.frame import Check, Outcome, Result
from gatehouse.texts import _

if TYPE_CHECKING:
    from rich.console import Console

_NARROW: Final = 60
"""Columns below which what was seen has lines of its own."""
_COLOURS: Final = {"OK": "green", "WARN": "yellow", "FAIL": "bold red", "SKIP": "dim"}


class Lines:
    """Shows which check runs, and each as it ends."""

    def __init__(self, screen: "Console", checks: Iterable[Check]) -> None:
        from rich.cells import cell_len  # noqa: PLC0415  # not needed for --json, which must be quick

        self.screen = screen
        self._title = max(cell_len(_(check.title)) for check in checks)
        self._status: Any = None

    def begins(self, check: Check) -> None:
        """Show that a check runs, where somebody watches."""
        if self.screen.is_terminal:
            self._status = self.screen.status(_(check.title))
            self._status.start()

    def ended(self, outcome: Outcome) -> None:
        """Show how it ended."""
        self.close()
        self.screen.print(self.line(outcome))

    def ask(self, question: str) -> bool:
        """Ask whoever is there; anything that does not begin with no counts as seen."""
        self.close()
        answer = self.screen.input(f"{question} [y/n] ", markup=False).strip().lower()
        return answer[:1] in {"y", "是"}

    def close(self) -> None:
        """Show no progress any more."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def line(self, outcome: Outcome) -> Any:  # noqa: ANN401  # rich's renderables share no class
        """Lay one check out."""
        from rich.markup import escape  # noqa: PLC0415  # as above
        from rich.table import Table  # noqa: PLC0415

        word = f"[{_COLOURS[outcome.result]}]{outcome.result}[/]"
        title, seconds = escape(_(outcome.check.title)), f"{outcome.seconds:.1f} s"
        remedy = outcome.remedy()
        arrow = "→ " if remedy and remedy.isascii() else "→"  # else rich breaks the line behind it
        said = [escape(outcome.figure()), f"{arrow}{escape(remedy)}" if remedy else ""]
        rest = "\n".join(part for part in said if part)
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=4)
        if self.screen.width < _NARROW:
            grid.add_column(overflow="fold")
            grid.add_row(word, f"{title}  {seconds}")
            grid.add_row("", rest)
        else:
            grid.add_column(width=self._title)
            grid.add_column(width=7, justify="right")
            grid.add_column(overflow="fold")
            grid.add_row(word, title, seconds, rest)
        return grid

    def sum_up(self, done: list[Outcome]) -> None:
        """Count how they ended."""
        counts = {result: sum(each.result is result for each in done) for result in Result}
        said = [f"{count} {result}" for result, count in counts.items() if count]
        self.screen.print("\n" + _(", ").join(said))
