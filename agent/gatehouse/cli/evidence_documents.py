"""What ``gatehouse evidence --json`` prints; the tables are made of it too. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from gatehouse.evidence import bundles
from gatehouse.evidence.bundles import Bundle
from gatehouse.evidence.chain import NOT_READ, Chain
from gatehouse.evidence.verify import Finding

DAMAGED: Final = "damaged"

Json = dict[str, Any]


def listed(found: Iterable[Bundle]) -> Json:
    """Return the document of ``evidence list``."""
    return {"bundles": [row(bundle) for bundle in found]}


def row(bundle: Bundle) -> Json:
    """Return one bundle in short."""
    manifest = bundle.manifest
    said: Json = {
        "alarm": bundle.alarm,
        "state": DAMAGED if manifest is None else manifest.state,
        "time": None,
        "button": None,
        "location": None,
        "mode": None,
        "cameras": [],
        "pictures": 0,
        "clips": 0,
        "lacking": 0,
        "bytes": bundle.bytes,
        "released": None,
        "damage": bundle.damage or None,
    }
    if (gone := bundle.released) is not None:
        said["released"] = {"by": gone.by, "via": gone.via, "time": gone.time}
    if manifest is None:
        return said
    data = manifest.event.get("data")
    return said | {
        "time": _text(manifest.event.get("time")),
        "button": _text(manifest.event.get("subject", "")).removeprefix("button/"),
        "location": _text(data.get("location")) if isinstance(data, dict) else "",
        "mode": _text(manifest.event.get("mode")),
        "cameras": list(manifest.cameras),
        "pictures": len(bundles.pictures(manifest)),
        "clips": len(bundles.clips(manifest)),
        "lacking": sum(each.count for each in manifest.lacking),
    }


def shown(bundle: Bundle) -> Json:
    """Return the document of ``evidence show``."""
    said = row(bundle) | {"folder": str(bundle.folder), "manifest_sha256": None}
    said |= {"begins": None, "ends": None, "event": None, "items": [], "lacking": [], "held": []}
    if bundle.manifest is None:
        return said
    manifest: Json = msgspec.to_builtins(bundle.manifest)
    kept = ("begins", "ends", "event", "items", "lacking", "held")
    return (
        said
        | {key: manifest[key] for key in kept}
        | {"manifest_sha256": hashlib.sha256(bundle.manifest_body).hexdigest()}
    )


def verified(bundle: Bundle, findings: Sequence[Finding], chain: Chain | None) -> Json:
    """Return what was found of one bundle."""
    well = not findings and chain is not None and not chain.broken
    return {
        "alarm": bundle.alarm,
        "result": "OK" if well else "FAIL",
        "files": len(bundle.manifest.items) if bundle.manifest is not None else 0,
        "event": NOT_READ if chain is None else chain.event,
        "manifest": NOT_READ if chain is None else chain.manifest,
        "findings": [{"file": f.file, "what": f.what, "text": f.text} for f in findings],
    }


def judged(rows: Sequence[Json]) -> Json:
    """Return the document of ``evidence verify``."""
    well = all(each["result"] == "OK" for each in rows)
    return {"result": "OK" if well else "FAIL", "bundles": list(rows)}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
