"""What a person at the district may ask for, and what is refused (contract section 3).

Nothing here starts a drill, resets an alarm or disarms a button.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Final

from gatehouse.clock import Clock
from gatehouse.errors import MessageError
from gatehouse.uplink import messages
from gatehouse.uplink.errands import RELEASE, SNAPSHOT, Errands, RefusedError
from gatehouse.uplink.frames import Incoming

_log = logging.getLogger(__name__)

INBOX: Final = 64
"""Commands that wait to be answered; more are dropped and counted, receipts never are."""

REMEMBERED: Final = 10_000
FURTHEST_S: Final = 24 * 3600.0
TOLD_A_MINUTE: Final = 10
"""Refusals that become events, so that a flood cannot fill the outbox."""

_ERRANDS: Final = frozenset({SNAPSHOT, RELEASE})

Answer = tuple[bytes, bytes | None]
"""A reply and its correlation data."""


class Commands:
    """Judges commands one at a time, when there is room to answer.

    What the video service has to do is answered when that is done; the others do not wait for it.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        acknowledge: Callable[[str, str], bool],
        selftest: Callable[[str], bool],
        errands: Errands,
        stir: Callable[[], None],
        refused: Callable[[str, dict[str, object]], None],
        remember: Callable[[str, float], None],
        seen: Iterable[tuple[str, float]] = (),
    ) -> None:
        self._clock = clock
        self._acknowledge = acknowledge
        self._selftest = selftest
        self._errands = errands
        self._stir = stir
        self._tell_refused = refused
        self._remember = remember
        self._seen = dict(seen)
        self._inbox: deque[Incoming] = deque()
        self._answers: deque[Answer] = deque()
        self._told: deque[int] = deque(maxlen=TOLD_A_MINUTE)
        self._untold = 0
        self.refusals: Counter[str] = Counter()

    def arrived(self, message: Incoming) -> None:
        """Let a command wait for its answer; drop it when too many wait."""
        if len(self._inbox) < INBOX:
            self._inbox.append(message)
            return
        if not self.refusals["dropped"]:
            _log.warning("more than %d commands wait; dropping and counting the rest", INBOX)
        self.refusals["dropped"] += 1

    def next_reply(self) -> Answer | None:
        """Carry out or refuse the next commands, up to one that has its answer; return that."""
        while self._inbox and not self._answers:
            message = self._inbox.popleft()
            command: messages.Command | None = None
            try:
                command = messages.command(message.payload)
                self._judge(command)
                if not self._carry_out(command, message.correlation):
                    continue
            except MessageError as exc:
                refused = exc if isinstance(exc, RefusedError) else RefusedError("malformed")
                self._answer(command, message.correlation, refused)
            except Exception:  # noqa: BLE001  # a mistake in here must not cost the connection
                _log.exception("carrying out a command failed")
                self._reply(command, message.correlation, "failed")
            else:
                self._answer(command, message.correlation, None)
        return self._answers.popleft() if self._answers else None

    def _answer(
        self,
        command: messages.Command | None,
        correlation: bytes | None,
        refused: RefusedError | None,
    ) -> None:
        """Let the answer to a command go, and count a refusal."""
        if refused is not None:
            self._count(refused, command)
        self._reply(command, correlation, None if refused is None else str(refused))

    def _reply(
        self, command: messages.Command | None, correlation: bytes | None, reason: str | None
    ) -> None:
        said = messages.Reply(id=command.id if command else None, ok=reason is None, reason=reason)
        self._answers.append((messages.encode(said), correlation))

    def _judge(self, command: messages.Command) -> None:
        """Refuse what is expired, too far ahead or replayed.

        A Pi without a battery wakes in the past, where everything is far ahead: how far is judged
        only once the clock is set, a person's acknowledgement must not be lost for it.
        """
        expires_s = messages.expiry(command.expires)
        now_s = self._clock.reading().unix_ns / 1e9
        if expires_s <= now_s:
            raise RefusedError("expired")
        if self._clock.synced() and expires_s > now_s + FURTHEST_S:
            raise RefusedError("expires more than 24 h ahead")
        if command.id in self._seen:
            raise RefusedError("replayed")
        self._seen[command.id] = expires_s
        self._remember(command.id, expires_s)
        if len(self._seen) > REMEMBERED:
            del self._seen[min(self._seen, key=self._seen.__getitem__)]

    def _carry_out(self, command: messages.Command, correlation: bytes | None) -> bool:
        """Do what is asked; False when its answer comes later."""
        if command.command in _ERRANDS:

            def answered(refused: RefusedError | None) -> None:
                self._answer(command, correlation, refused)
                self._stir()

            self._errands.begin(command, answered)
            return False
        if command.command == "selftest":  # answered at once; its report is an event
            if not self._selftest(command.id):
                raise RefusedError("a self-test is under way")
            return True
        if command.command != "acknowledge":
            raise RefusedError("unknown command")
        if command.alarm is None or command.by is None:
            raise RefusedError("acknowledge needs alarm and by")
        if not self._acknowledge(command.alarm, command.by):
            raise RefusedError("unknown alarm")
        return True

    def _count(self, refused: RefusedError, command: messages.Command | None) -> None:
        """Count a refusal, and tell of ten a minute; the next one told says how many were not."""
        self.refusals[refused.reason] += 1
        now_ns = self._clock.reading().monotonic_ns
        if len(self._told) == TOLD_A_MINUTE and now_ns - self._told[0] < 60_000_000_000:
            self._untold += 1
            return
        self._told.append(now_ns)
        data: dict[str, object] = {"count": self.refusals.total()}
        if command is not None:
            data |= {"id": command.id, "command": command.command}
        if self._untold:
            data["untold"] = self._untold
            self._untold = 0
        self._tell_refused(str(refused), data)
