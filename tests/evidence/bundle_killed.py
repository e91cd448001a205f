"""A bundle's whole life in a process of its own, killed at the n-th step: FOLDER STEP.

Each line on stdout says what was done: what was said before the kill must be on the disk after it.
"""

import os
import sys
from pathlib import Path

from gatehouse.evidence import bundle, plan
from gatehouse.evidence.manifest import Item, Manifest
from gatehouse.evidence.shelf import Release, Shelf, Told
from video.cleaner import killing

ALARM = "01a21662-6194-75e6-b4f7-7745787c88f4"
AT = "2026-11-26T05:00:00.000000Z"
CLIP = b"a clip" * 100


def first() -> Manifest:
    """Return the manifest that it begins with."""
    return Manifest(
        alarm=ALARM,
        gateway="gw",
        school="school",
        event={},
        event_sha256=bundle.sha256_of(b"event"),
        begins=AT,
        ends=AT,
        cameras=("gate",),
    )


def item(name: str, content: bytes, kind: str) -> Item:
    """Return a manifest's item."""
    sha256, size = bundle.sha256_of(content), len(content)
    said = {"file": name, "sha256": sha256, "bytes": size, "begins": AT, "ends": AT}
    return Item(kind=kind, camera="gate", clock="synced", **said)  # type: ignore[arg-type]  # as said


def main() -> None:
    """Live through it."""
    folder, step = Path(sys.argv[1]), int(sys.argv[2])
    wrap = killing(step)
    for name in ("fsync", "replace", "rename", "unlink", "rmdir", "mkdir", "fchmod"):
        setattr(os, name, wrap(getattr(os, name)))
    shelf, manifest = Shelf(folder), first()
    place = shelf.place(ALARM)
    bundle.begin(place, manifest)
    said("begun")
    for number in (1, 2):
        contents = {f"0{number}-gate.jpg": b"%d" % number, f"0{number}-gate.small.jpg": b"s"}
        items = [item(name, content, "picture") for name, content in contents.items()]
        manifest = plan.with_more(manifest, items=items)
        bundle.add(place, contents, manifest)
        said(f"picture {number}")
    fresh = place / "clip-gate.mp4.new"
    fresh.write_bytes(CLIP)
    bundle.settle(fresh, place / "clip-gate.mp4")
    manifest = plan.ready(plan.with_more(manifest, items=[item("clip-gate.mp4", CLIP, "clip")]))
    bundle.add(place, {}, manifest)
    said("ready")
    shelf.tell(ALARM, Told(ready=True))
    shelf.release(Release(ALARM, "Li", "site", AT))
    said("released")
    shelf.tell(ALARM, Told(ready=True, released=True))
    shelf.remove(ALARM)
    said("gone")


def said(what: str) -> None:
    """Say that something is done."""
    sys.stdout.write(what + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
