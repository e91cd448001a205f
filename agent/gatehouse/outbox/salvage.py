"""Opening the outbox whatever state its file is in: nothing is thrown away, everything is told.

A file that is set aside is replaced in steps, so that kill -9 between any two of them loses
nothing: the new file is made whole beside the old one; the old one gets its second name; the new
one is called ready; the old one loses its first name; the new one gets it. What is called ready is
complete, and a start that finds it goes on from there.
"""

import contextlib
import logging
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gatehouse import events
from gatehouse.errors import MessageError, OutboxError
from gatehouse.outbox import sqlite
from gatehouse.outbox.model import Opening
from gatehouse.outbox.orders import Acknowledged, Order, Put, Seen
from gatehouse.outbox.sqlite import DamagedError, RefusedError, told
from gatehouse.outbox.store import Store
from gatehouse.outbox.wreck import Row, Wreck, remove

log = logging.getLogger(__name__)

_BATCH: Final = 500
_KEPT: Final = 5
"""Damaged files that are kept: a dying card must not fill itself with them."""

Random = Callable[[int], bytes]


def open_store(path: Path, now_unix: float, random: Random) -> Store:
    """Open the file; set a damaged or newer one aside. Raises OutboxError when the disk fails."""
    with told("open", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if _ready(path).exists():
            _finish(path, now_unix)
        version = sqlite.version_in_head(path)
    if version is not None and version > sqlite.VERSION:
        kept = _kept(path, "newer", now_unix)
        said = {"version": version, "known": sqlite.VERSION, "kept_as": kept.name}
        return _replace(path, kept, now_unix, random, lambda _: ("outbox-newer", said))
    if version is None:
        log.error("%s is not a database; it is set aside and salvaged", path)
        return salvage(path, now_unix, random)
    try:
        store = Store(path)
        try:
            store.check()
            _identify(store, random)
        except OutboxError:
            store.abandon()
            raise
    except DamagedError as exc:
        log.error("%s; it is set aside and salvaged", exc)  # noqa: TRY400  # a state, not a defect
        return salvage(path, now_unix, random)
    return store


def opening(store: Store, now_unix: float, claimed: Callable[[Opening], None]) -> Opening:
    """Count this start, durably, and read what stands. Raises OutboxError.

    ``claimed`` is told the start's own number as soon as it is durable: reading may take longer.
    """
    name = store.meta("store") or ""
    previous = store.previous(name)
    start = store.begin_start()
    claimed(Opening(name, start, previous))
    return Opening(
        store=name,
        start=start,
        previous=previous,
        pending=tuple(store.waiting()),
        alarms=tuple(store.alarms()),
        faults=tuple(store.faults()),
        drill_open=store.meta("drill") == "1",
        last_event=store.last_event(),
        commands=tuple(store.commands(now_unix)),
        trouble=tuple(store.found()),
    )


def salvage(path: Path, now_unix: float, random: Random) -> Store:
    """Replace a damaged file by one with every event of it that can be read."""
    if _ready(path).exists():  # that was done, and its last steps failed
        with told("replace", path):
            _finish(path, now_unix)
        return Store(path)
    kept = _kept(path, "damaged", now_unix)

    def fill(store: Store) -> tuple[str, Mapping[str, Any]]:
        saved, lost = 0, None
        if (wreck := _wreck(path)) is not None:
            with contextlib.closing(wreck):
                held = wreck.events()
                saved = _take_over(wreck, store, now_unix)
                lost = None if held is None else max(0, held - saved)
        log.warning("%d events salvaged from %s, %s lost", saved, kept, lost)
        return "outbox-damaged", {"salvaged": saved, "lost": lost, "kept_as": kept.name}

    return _replace(path, kept, now_unix, random, fill)


def _wreck(path: Path) -> Wreck | None:
    """Return what is left of a file; None when nothing can be read."""
    try:
        return Wreck(path, _beside(path, "graft"))
    except DamagedError:
        return None


def _replace(
    path: Path,
    kept: Path,
    now_unix: float,
    random: Random,
    fill: Callable[[Store], tuple[str, Mapping[str, Any]]],
) -> Store:
    fresh = _beside(path, "new")
    with told("replace", path):
        remove(fresh)
        store = Store(fresh)
        try:
            _identify(store, random)
            store.note_found(*fill(store))
        except BaseException:
            store.abandon()
            raise
        store.finish()
        if path.is_file():
            for suffix in ("-wal", ""):
                with contextlib.suppress(FileNotFoundError):
                    os.link(path.with_name(path.name + suffix), kept.with_name(kept.name + suffix))
        fresh.rename(_ready(path))
        _sync(path.parent)
        _finish(path, now_unix)
    return Store(path)


def _finish(path: Path, now_unix: float) -> None:
    """Put the file that is ready into its place."""
    if path.is_dir():
        path.rename(_kept(path, "damaged", now_unix))
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    _sync(path.parent)
    _ready(path).rename(path)
    for old in sorted(path.parent.glob(f"{path.stem}.damaged-*{path.suffix}"))[:-_KEPT]:
        with contextlib.suppress(OSError):
            remove(old)
    _sync(path.parent)


def _take_over(wreck: Wreck, store: Store, now_unix: float) -> int:
    saved = 0
    for orders in _batches(_events(wreck.rows())):
        saved += _write(store, orders, now_unix)
    _write(store, [Acknowledged((id_,), by) for id_, by in wreck.acknowledged().items()], now_unix)
    _write(store, [Seen(id_, expires) for id_, expires in wreck.commands().items()], now_unix)
    return saved


def _events(rows: Iterable[Row]) -> Iterator[Put]:
    for row in rows:
        try:
            event = events.decode(row.body)
        except MessageError:
            continue
        yield Put(
            event,
            row.body,
            alarm=False,
            sent=row.sent,
            received=not row.pending,
            stored_unix=row.stored_unix,
            answered=row.answered,
        )


def _batches(orders: Iterable[Order]) -> Iterator[list[Order]]:
    batch: list[Order] = []
    for order in orders:
        batch.append(order)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


def _write(store: Store, orders: list[Order], now_unix: float) -> int:
    """Write what can be kept; returns how many of them."""
    try:
        store.write(orders, now_unix)
    except RefusedError:
        if len(orders) == 1:
            return 0
        return sum(_write(store, [order], now_unix) for order in orders)
    return len(orders)


def _identify(store: Store, random: Random) -> None:
    if store.meta("store") is None:
        store.set_meta("store", str(uuid.UUID(bytes=random(16), version=4)))


def _beside(path: Path, word: str) -> Path:
    return path.with_name(f"{path.stem}.{word}{path.suffix}")


def _ready(path: Path) -> Path:
    return _beside(path, "ready")


def _kept(path: Path, why: str, now_unix: float) -> Path:
    stamp = datetime.fromtimestamp(now_unix, UTC).strftime("%Y%m%dT%H%M%S%fZ")
    return _beside(path, f"{why}-{stamp}")


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
