"""Evidence: pictures and recordings around an alarm, hashed and held until released."""

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from gatehouse.contract.data import Count, Data, EventId, Sha256


class EvidenceReady(Data, frozen=True, kw_only=True):
    """All that could be gathered around an alarm is on the gateway's disk, and held there."""

    alarm: EventId
    """Id of the alarm."""
    state: Literal["ready"]
    """Always ``ready``."""
    pictures: Count
    """How many pictures there are."""
    clips: Count
    """How many recordings were cut."""
    lacking: Count
    """How many things should be there and are not; the manifest says which, and why."""
    manifest_sha256: Sha256
    """Of the bundle's ``manifest.json``, byte by byte."""
    manifest: dict[str, Any] | UnsetType = UNSET
    """What ``manifest.json`` says (schemas/evidence-manifest.json); left out if too long."""
    key: str | UnsetType = UNSET
    """Never means two happenings; ours, to tell each once."""


class EvidenceReleased(Data, frozen=True, kw_only=True):
    """A bundle need not be kept any longer: it may go when room is needed."""

    alarm: EventId
    """Id of the alarm."""
    by: str
    """Who let it go."""
    via: Literal["site", "district"]
    """Where: on site, or by a command of the district."""
    key: str | UnsetType = UNSET
    """Never means two happenings; ours, to tell each once."""
