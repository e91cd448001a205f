"""What was gathered for one bundle, on its way to the disk: all that waits goes at once.

A disk that takes nothing is asked again for as long as it takes. Pictures that it did not take are
lost, and the manifest says so as soon as it can be written.
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from gatehouse.evidence import bundle, bundles, plan
from gatehouse.evidence.manifest import CLIP, PICTURE, Held, Item, Lacking, Manifest
from gatehouse.video.cutter import NoRoomError
from gatehouse.video_service.asking import Seen

AGAIN_S: Final = 5.0
"""From one try of a disk that takes nothing to the next."""
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def is_full(error: OSError) -> bool:
    """Whether there is no room, and nothing else amiss."""
    return isinstance(error, NoRoomError) or error.errno in _FULL


@dataclass(slots=True)
class _More:
    """What the next writing adds."""

    files: dict[str, bytes] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    lacking: list[Lacking] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    small: list[tuple[int, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.items or self.lacking or self.held)

    def without_files(self, error: OSError) -> "_More":
        """Return it with what the disk did not take as lacking."""
        why = plan.DISK_FULL if is_full(error) else plan.DAMAGED
        lost = [each for each in self.items if each.kind == PICTURE and each.number is not None]
        lacking = [
            Lacking(camera=each.camera, kind=PICTURE, why=why, text=str(error)) for each in lost
        ]
        kept = [each for each in self.items if each.kind == CLIP]  # it is on the disk already
        return _More({}, kept, [*self.lacking, *lacking], self.held)


@dataclass(frozen=True, slots=True)
class Outside:
    """What a binder tells and asks."""

    do: Callable[[Callable[[], None]], Awaitable[None]]
    """Does disk work beside the loop."""
    changed: Callable[[Manifest], None]
    """Told whenever what is durable of a bundle differs."""
    small: Callable[[str, int, Path], None]
    """Told of each small picture on the disk: the alarm, its number, where it is."""
    trouble: Callable[[str, OSError | None], None]
    """Told that the disk takes nothing of an alarm's bundle; None: it takes again."""


class Binder:
    """Writes one bundle."""

    def __init__(self, folder: Path, manifest: Manifest, outside: Outside, *, begun: bool) -> None:
        """Prepare it; ``begun`` is whether the bundle is on the disk already."""
        self.folder = folder
        self.manifest = manifest
        self.begun = asyncio.Event()
        """Set once the bundle is on the disk."""
        if begun:
            self.begun.set()
        self._outside = outside
        self._more = _More()
        self._news = asyncio.Event()
        self._over = False

    def picture(self, camera: str, turn: int, seen: Seen) -> None:
        """Add a picture in both sizes."""
        number = plan.picture_number(self.manifest.cameras, camera, turn)
        whole, small = plan.picture_files(camera, turn)
        for name, content, told in ((whole, seen.whole, None), (small, seen.small, number)):
            self._more.files[name] = content
            self._more.items.append(
                Item(
                    file=name,
                    kind=PICTURE,
                    camera=camera,
                    sha256=bundle.sha256_of(content),
                    bytes=len(content),
                    begins=seen.taken,
                    ends=seen.taken,
                    clock=seen.clock,
                    number=told,
                    source="eye",
                )
            )
        self._more.small.append((number, small))
        self._news.set()

    def add(
        self,
        items: Iterable[Item] = (),
        lacking: Iterable[Lacking] = (),
        held: Iterable[Held] = (),
    ) -> None:
        """Add clips that are on the disk already, what lacks, and what is held."""
        self._more.items += items
        self._more.lacking += lacking
        self._more.held += held
        self._news.set()

    def close(self) -> None:
        """Nothing comes any more: what waits is written, and then the bundle is ready."""
        self._over = True
        self._news.set()

    async def run(self) -> None:
        """Write until closed and all is on the disk."""
        while not self.begun.is_set():
            await self._begin()
        while self._more or not self._over:
            if self._more:
                await self._next()
            else:
                self._news.clear()
                await self._news.wait()
        manifest = plan.ready(self.manifest)
        while (error := await self._finish(manifest)) is not None:
            self._trouble(error)
            await asyncio.sleep(AGAIN_S)

    async def _finish(self, manifest: Manifest) -> OSError | None:
        """Write the last manifest; what a slow disk wrote after we gave it up goes before."""
        try:
            tidied = partial(bundle.tidy, self.folder, self.manifest, bundles.OWN)
            await self._outside.do(tidied)
        except OSError as exc:
            return exc
        return await self._write({}, manifest)

    async def _begin(self) -> None:
        """Begin the bundle; what is gathered until that can be done waits, and may be lost."""
        try:
            await self._outside.do(partial(bundle.begin, self.folder, self.manifest))
        except OSError as exc:
            self._trouble(exc)
            self._more = self._more.without_files(exc)
            await asyncio.sleep(AGAIN_S)
        else:
            self._trouble(None)
            self._outside.changed(self.manifest)
            self.begun.set()

    async def _next(self) -> None:
        """Write what waits; what the disk does not take of it waits on as lacking."""
        more, self._more = self._more, _More()
        manifest = plan.with_more(
            self.manifest, items=more.items, lacking=more.lacking, held=more.held
        )
        if (error := await self._write(more.files, manifest)) is not None:
            self._trouble(error)
            left = more.without_files(error)
            left.lacking += self._more.lacking
            self._more.lacking = left.lacking
            self._more.items += left.items
            self._more.held += left.held
            await asyncio.sleep(AGAIN_S)
            return
        for number, name in more.small:
            self._outside.small(manifest.alarm, number, self.folder / name)

    async def _write(self, contents: dict[str, bytes], manifest: Manifest) -> OSError | None:
        try:
            await self._outside.do(partial(bundle.add, self.folder, contents, manifest))
        except OSError as exc:
            return exc
        self.manifest = manifest
        self._trouble(None)
        self._outside.changed(manifest)
        return None

    def _trouble(self, error: OSError | None) -> None:
        self._outside.trouble(self.manifest.alarm, error)
