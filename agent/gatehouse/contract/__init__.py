"""The contract's words as types: what each event's data holds (contract section 4)."""

from gatehouse.events import Event


def remarks(event: Event) -> list[str]:
    """Return what of an event does not fit the contract's types; empty when all does."""
    return [] if event.specversion == "1.0" else [f"specversion is {event.specversion!r}, not 1.0"]
