"""Proving answers on this machine: on its board, over its network, before a file is written."""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from gatehouse import unproven
from gatehouse.clock import Clock
from gatehouse.config.model import Button, Config
from gatehouse.errors import BoardError
from gatehouse.setup import brokers, buttons, cameras, document
from gatehouse.setup.answers import TLS_FILES, Answers, Found
from gatehouse.setup.proofs import Limits, Proof
from gatehouse.setup.trial import Trial
from gatehouse.texts import _

_CONFIG: Final = "GATEHOUSE_CONFIG"


class Prover:
    """One machine; ``room`` is a folder for what lives as long as this setup."""

    def __init__(
        self, room: Path, environ: Mapping[str, str], clock: Clock, limits: Limits
    ) -> None:
        self._room = room
        self._environ = environ
        self._clock = clock
        self.limits = limits

    def buttons(
        self,
        found: Found,
        tried: Sequence[Button],
        limit_s: float,
        *,
        ready: Callable[[], None],
        told: Callable[[Trial], None],
    ) -> list[Proof]:
        """Have each button pressed once, when ``ready`` has said so; ``found``: the answers yet."""
        try:
            with self._draft(found):
                board = buttons.open_for(tried, self._room, self._environ)
                try:
                    bench = buttons.Bench(board, tried, ready=ready, told=told)
                    return asyncio.run(bench.prove(limit_s))
                finally:
                    board.close()
        except BoardError as exc:
            return buttons.unreached(tried, str(exc))

    def relay(self, found: Found, button: Button) -> str | None:
        """Close a relay for a moment; returns why that could not be done."""
        if button.relay is None:
            return None
        try:
            with self._draft(found):
                board = buttons.open_for([button], self._room, self._environ)
                try:
                    return asyncio.run(
                        buttons.close_relay(board, button.relay, self.limits.relay_s)
                    )
                finally:
                    board.close()
        except BoardError as exc:
            return str(exc)

    def brokers(self, answers: Answers) -> list[Proof]:
        """Connect to all brokers, with the certificates where they lie now."""
        config = answers.config
        ca, cert, key = (answers.source(name) for name in TLS_FILES)
        missing = [path.name for path in (ca, cert, key) if path is not None and not path.is_file()]
        if missing:
            why = _("missing: {files}").format(files=", ".join(missing))
            return [
                Proof(f"broker/{broker.url}", unproven.CONNECTION, why)
                for broker in config.district.brokers
            ]
        district = replace(config.district, ca=ca, cert=cert, key=key)
        work = brokers.prove(
            config.gateway.id, district, self._clock, limit_s=self.limits.brokers_s
        )
        return asyncio.run(work)

    def cameras(self, config: Config) -> list[Proof]:
        """See whether the network cameras answer."""
        return asyncio.run(cameras.prove(config.cameras, limit_s=self.limits.cameras_s))

    @contextmanager
    def _draft(self, found: Found) -> Iterator[None]:
        """Name a configuration of what was answered so far: a simulated board is wired by it."""
        draft = self._room / "gatehouse.toml"
        draft.write_text(document.configuration(found), encoding="utf-8")
        before = os.environ.get(_CONFIG)
        os.environ[_CONFIG] = str(draft)
        try:
            yield
        finally:
            os.environ.pop(_CONFIG)
            if before is not None:
                os.environ[_CONFIG] = before


def relays_unmoved(tried: Sequence[Button]) -> list[Proof]:
    """Say that relays were not moved: it takes somebody who has told the alarm host's people."""
    why = _("not moved: it would raise the alarm at its host")
    return [
        Proof(f"button/{button.name}", unproven.RELAY, why)
        for button in tried
        if button.relay is not None
    ]
