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
from gatehouse.uplink.frames import Incoming

_log = logging.getLogger(__name__)

INBOX: Final = 64
"""Commands that wait to be answered; more are dropped and counted, receipts never are."""

REMEMBERED: Final = 10_000
FURTHEST_S: Final = 24 * 3600.0
TOLD_A_MINUTE: Final = 10
"""Refusals that become events, so that a flood cannot fill the outbox."""

_LATER: Final = frozenset({"snapshot", "release-evidence"})


class RefusedError(MessageError):
    """A command is not carried out; the message is the reason."""


class Commands:
    """Judges commands one at a time, when there is room to answer."""

    def __init__(
        self,
        *,
        clock: Clock,
        acknowledge: Callable[[str, str], bool],
        selftest: Callable[[str], bool],
        refused: Callable[[str, dict[str, object]], None],
        remember: Callable[[str, float], None],
        seen: Iterable[tuple[str, float]] = (),
    ) -> None:
        self._clock = clock
        self._acknowledge = acknowledge
        self._selftest = selftest
        self._tell_refused = refused
        self._remember = remember
        self._seen = dict(seen)
        self._inbox: deque[Incoming] = deque()
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

    def next_reply(self) -> tuple[bytes, bytes | None] | None:
        """Carry out or refuse the next command; return its reply and correlation data."""
        if not self._inbox:
            return None
        message = self._inbox.popleft()
        command: messages.Command | None = None
        try:
            command = messages.command(message.payload)
            self._judge(command)
            self._carry_out(command)
        except MessageError as exc:
            reason = str(exc) if isinstance(exc, RefusedError) else "malformed"
            self._count(reason, command)
            reply = messages.Reply(id=command.id if command else None, ok=False, reason=reason)
        except Exception:  # noqa: BLE001  # a mistake in here must not cost the connection
            _log.exception("carrying out a command failed")
            reply = messages.Reply(id=command.id if command else None, ok=False, reason="failed")
        else:
            reply = messages.Reply(id=command.id, ok=True)
        return messages.encode(reply), message.correlation

    def _judge(self, command: messages.Command) -> None:
        """Refuse what is expired, too far ahead or replayed.

        Expiry is judged by the wall clock, and so not at all while that is not set: a Pi without
        a battery wakes in the past, and a person's acknowledgement must not be lost for it. The
        replay memory holds all the same.
        """
        expires_s = messages.expiry(command.expires)
        now_s = self._clock.reading().unix_ns / 1e9
        if self._clock.synced():
            if expires_s <= now_s:
                raise RefusedError("expired")
            if expires_s > now_s + FURTHEST_S:
                raise RefusedError("expires more than 24 h ahead")
        if command.id in self._seen:
            raise RefusedError("replayed")
        self._seen[command.id] = expires_s
        self._remember(command.id, expires_s)
        if len(self._seen) > REMEMBERED:
            del self._seen[min(self._seen, key=self._seen.__getitem__)]

    def _carry_out(self, command: messages.Command) -> None:
        if command.command in _LATER:
            raise RefusedError("not supported yet")
        if command.command == "selftest":  # answered at once; its report is an event
            if not self._selftest(command.id):
                raise RefusedError("a self-test is under way")
            return
        if command.command != "acknowledge":
            raise RefusedError("unknown command")
        if command.alarm is None or command.by is None:
            raise RefusedError("acknowledge needs alarm and by")
        if not self._acknowledge(command.alarm, command.by):
            raise RefusedError("unknown alarm")

    def _count(self, reason: str, command: messages.Command | None) -> None:
        """Count a refusal, and tell of ten a minute; the next one told says how many were not."""
        self.refusals[reason] += 1
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
        self._tell_refused(reason, data)
