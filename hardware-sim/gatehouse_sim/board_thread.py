"""The thread that moves the simulated wires when their time has come and gives the edges."""

import heapq
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from itertools import count
from typing import Final

from gatehouse_sim.wires import Move, WiringError

_ANSWER_S: Final = 30.0
"""An edge that was not given by then never will be."""

_NS: Final = 1_000_000_000
_Due = tuple[int, int, Move, Future[int] | None, int]
"""When, the how many-th, what, who waits for it, and the plan that it belongs to."""


class BoardThread:
    """Makes planned moves in the order of their time, in one daemon thread that sleeps in between.

    A move that comes late, on a machine under load, puts off what remains of its plan: the agent
    must not see a press shorter than the finger meant.
    ``make`` moves the wire, gives the edge and returns when (CLOCK_MONOTONIC, ns). What it raises
    ends the thread for good, as in lgpio. ``lock`` guards the board's wires besides.
    """

    def __init__(self, make: Callable[[Move], int]) -> None:
        self._make = make
        self._due: list[_Due] = []
        self._count = count()
        self._stopping = False
        self.lock = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="board-edges", daemon=True)
        self._thread.start()

    def alive(self) -> bool:
        """Whether edges can still be given."""
        return self._thread.is_alive() and not self._stopping

    def busy(self, pins: frozenset[int]) -> bool:
        """Whether moves of these pins are still to come."""
        now_ns = time.monotonic_ns()
        with self.lock:
            return any(due[2].pin in pins and due[0] > now_ns for due in self._due)

    def plan(self, moves: Sequence[Move], pin: int) -> Future[int]:
        """Take moves in; the future is the time of the first one of ``pin``, once it is given.

        Raises WiringError when the thread is dead.
        """
        with self.lock:
            if not self.alive():
                raise WiringError("the board's edge thread is dead: start the agent again")
            done: Future[int] = Future()
            first = next(move for move in moves if move.pin == pin)
            plan = next(self._count)
            for move in moves:
                told = done if move is first else None
                heapq.heappush(self._due, (move.at_ns, next(self._count), move, told, plan))
            self.lock.notify_all()
            return done

    def forget(self, pins: frozenset[int]) -> None:
        """Drop the moves of these pins that are still to come; who waits for them is told.

        Those whose time has come are still made: two that set a wire at once both get their edge.
        """
        now_ns = time.monotonic_ns()
        with self.lock:
            dropped = [due for due in self._due if due[2].pin in pins and due[0] > now_ns]
            self._due = [due for due in self._due if due not in dropped]
            heapq.heapify(self._due)
            _tell_off(dropped)

    def hasten(self, pins: frozenset[int], *, beyond_ns: int) -> None:
        """Begin now with the moves of these pins that are further away than this, in their rhythm.

        Those that are nearer are made before them.
        """
        now_ns = time.monotonic_ns()
        with self.lock:
            mine = [due for due in self._due if due[2].pin in pins]
            far = [due for due in mine if due[0] > now_ns + beyond_ns]
            if not far:
                return
            near = [due[0] for due in mine if due not in far]
            sooner_ns = min(far)[0] - max([now_ns, *(at_ns + 1 for at_ns in near)])
            kept = [due for due in self._due if due not in far]
            self._due = kept + [
                (at_ns - sooner_ns, n, replace(move, at_ns=at_ns - sooner_ns), done, plan)
                for at_ns, n, move, done, plan in far
            ]
            heapq.heapify(self._due)
            self.lock.notify_all()

    def stop(self) -> None:
        """End the thread after the move it is making; does not wait for it."""
        with self.lock:
            self._stopping = True
            self.lock.notify_all()

    def _run(self) -> None:
        try:
            while (due := self._next()) is not None:
                self._do(due)
        finally:
            with self.lock:
                self._stopping = True
                _tell_off(self._due)
                self._due.clear()

    def _next(self) -> _Due | None:
        """Wait for the next move that is due; None when the thread has to end."""
        with self.lock:
            while not self._stopping:
                wait_ns = self._due[0][0] - time.monotonic_ns() if self._due else None
                if wait_ns is not None and wait_ns <= 0:
                    return heapq.heappop(self._due)
                self.lock.wait(None if wait_ns is None else wait_ns / _NS)
        return None

    def _do(self, due: _Due) -> None:
        planned_ns, _, move, done, plan = due
        try:
            at_ns = self._make(move)
        except BaseException:
            if done is not None:
                done.cancel()
            raise
        self._put_off(plan, at_ns - planned_ns)
        if done is not None:
            done.set_result(at_ns)

    def _put_off(self, plan: int, late_ns: int) -> None:
        """Make what remains of a plan later by so much."""
        with self.lock:
            if any(due[4] == plan for due in self._due):
                self._due = [
                    (at_ns + late_ns, n, replace(move, at_ns=at_ns + late_ns), done, its)
                    if its == plan
                    else (at_ns, n, move, done, its)
                    for at_ns, n, move, done, its in self._due
                ]
                heapq.heapify(self._due)


def _tell_off(dropped: Iterable[_Due]) -> None:
    for due in dropped:
        if due[3] is not None:
            due[3].cancel()


def answer(done: Future[int]) -> int:
    """Wait for a planned move and return its time in ns; raise WiringError if it never comes."""
    try:
        return done.result(_ANSWER_S)
    except CancelledError:
        raise WiringError(
            "the edge was not given: another request took the contact over, or the thread died"
        ) from None
    except TimeoutError:
        raise WiringError(f"the board's edge thread gave no edge within {_ANSWER_S} s") from None
