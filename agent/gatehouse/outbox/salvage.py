"""Opening the outbox whatever state its file is in: nothing is thrown away, everything is told."""

import contextlib
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gatehouse import events
from gatehouse.errors import MessageError, OutboxError
from gatehouse.outbox import sqlite
from gatehouse.outbox.model import Opening, Trouble
from gatehouse.outbox.orders import Acknowledged, Order, Put, Received, Sent
from gatehouse.outbox.sqlite import DamagedError, Store, Wreck

log = logging.getLogger(__name__)

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Found:
    """An open store and what was amiss with the one before."""

    store: Store
    trouble: tuple[Trouble, ...] = ()


def open_store(path: Path, now_unix: float, random: Callable[[int], bytes]) -> Found:
    """Open the file; set a damaged or newer one aside. Raises OutboxError when the disk fails."""
    version = sqlite.version_in_head(path) if path.exists() else 0
    if version is not None and version > sqlite.VERSION:
        kept = set_aside(path, "newer", now_unix)
        said = {"version": version, "known": sqlite.VERSION, "kept_as": kept.name}
        return Found(_fresh(path, random), (Trouble("outbox-newer", said),))
    if version is None:
        log.error("%s is not a database; it is set aside and salvaged", path)
        return salvage(path, now_unix, random)
    try:
        store = Store(path)
        try:
            if not store.clean:
                store.check()
            _identify(store, random)
        except OutboxError:
            store.abandon()
            raise
    except DamagedError as exc:
        log.error("%s; it is set aside and salvaged", exc)  # noqa: TRY400  # a state, not a defect
        return salvage(path, now_unix, random)
    return Found(store)


def opening(store: Store, now_unix: float, trouble: tuple[Trouble, ...]) -> Opening:
    """Count this start, durably, and read what stands. Raises OutboxError."""
    name = store.meta("store") or ""
    previous = store.previous(name)
    start = int(store.meta("start") or 0) + 1
    store.set_meta("start", str(start))
    store.set_meta("clean", "0")
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
        trouble=trouble,
    )


def set_aside(path: Path, why: str, now_unix: float) -> Path:
    """Rename the file and its WAL; returns the new name. Raises OutboxError."""
    stamp = datetime.fromtimestamp(now_unix, UTC).strftime("%Y%m%dT%H%M%S%fZ")
    kept = path.with_name(f"{path.stem}.{why}-{stamp}{path.suffix}")
    try:
        for suffix in ("-wal", "-shm"):
            beside = path.with_name(path.name + suffix)
            if beside.exists():
                beside.rename(kept.with_name(kept.name + suffix))
        path.rename(kept)
    except OSError as exc:
        raise OutboxError(f"cannot set {path} aside as {kept.name}: {exc}") from exc
    return kept


def salvage(path: Path, now_unix: float, random: Callable[[int], bytes]) -> Found:
    """Set a damaged file aside and take over every event that can be read."""
    kept = set_aside(path, "damaged", now_unix)
    store = _fresh(path, random)
    saved, lost = 0, None
    with contextlib.suppress(OutboxError):  # nothing can be read of it
        wreck = Wreck(kept)
        held = wreck.events()
        saved = _take_over(wreck, store, now_unix)
        lost = None if held is None else max(0, held - saved)
        wreck.close()
    log.warning("%d events salvaged from %s, %s lost", saved, kept, lost)
    said = {"salvaged": saved, "lost": lost, "kept_as": kept.name}
    return Found(store, (Trouble("outbox-damaged", said),))


def _take_over(wreck: Wreck, store: Store, now_unix: float) -> int:
    saved = 0
    orders: list[Order] = []
    for body, sent, waits, _ in wreck.rows():
        try:
            event = events.decode(body)
        except MessageError:
            continue
        orders.append(Put(event, body, alarm=False))
        if sent:
            orders.append(Sent(event.id))
        if not waits:
            orders.append(Received((event.id,)))
        saved += 1
        if len(orders) >= _BATCH:
            store.write(orders, now_unix)
            orders = []
    orders += [Acknowledged((id_,), by) for id_, by in wreck.acknowledged().items()]
    store.write(orders, now_unix)
    return saved


def _fresh(path: Path, random: Callable[[int], bytes]) -> Store:
    store = Store(path)
    _identify(store, random)
    return store


def _identify(store: Store, random: Callable[[int], bytes]) -> None:
    if store.meta("store") is None:
        store.set_meta("store", str(uuid.UUID(bytes=random(16), version=4)))
