"""What a video service might answer: of everything one."""

from typing import Any, Final

LONG: Final = "a-name-of-thirty-two-characters-"


def camera(name: str, verdict: str = "ok", **more: Any) -> dict[str, Any]:
    """Return a row of ``cameras``."""
    row = {
        "name": name,
        "area": "general",
        "covers": [],
        "verdict": verdict,
        "faults": [] if verdict in {"ok", "unknown"} else [verdict],
        "text": None,
        "width": 1920,
        "height": 1080,
        "fps": 25.0,
        "last_frame": "2026-11-23T08:00:03Z",
        "records": True,
    }
    return {**row, **more}


NOTHING: Final = {"width": None, "height": None, "fps": None, "records": None}

CAMERAS: Final[dict[str, Any]] = {
    "cameras": [
        camera("gate", covers=["校门"]),
        camera(LONG, "covered", faults=["covered", "not-recording"], records=False, fps=12.5),
        camera(
            "yard",
            "unreachable",
            text="no answer from 192.0.2.7 [port 554]: connection refused",
            last_frame="2026-11-23T05:00:05Z",
            **NOTHING,
        ),
        camera("hall", "unknown", last_frame=None, **NOTHING),
        camera("kitchen", "clock-off", last_frame="2026-11-23T09:00:04Z"),
    ],
    "uncovered": ["操场", "食堂[后门]"],
}


def kept(name: str, days: float, verdict: str = "ok", **more: Any) -> dict[str, Any]:
    """Return a row of ``recordings``."""
    row = {
        "name": name,
        "area": "general",
        "required_days": 30,
        "proven_days": days,
        "oldest_unbroken": "2026-10-20T08:00:00Z",
        "gaps": [],
        "gap_minutes": 0.0,
        "short_gaps": [],
        "bytes_per_day": 9_345_678_901,
        "days_until_short": None,
        "verdict": verdict,
        "segments": 43_200,
        "unknown_names": 0,
        "amiss": None,
    }
    return {**row, **more}


def gap(begin: str, end: str, seconds: float) -> dict[str, Any]:
    """Return one gap."""
    return {"from": begin, "to": end, "seconds": seconds}


RECORDINGS: Final[dict[str, Any]] = {
    "cameras": [
        kept(
            "gate",
            89.996,
            "forecast",
            area="critical",
            required_days=90,
            gaps=[
                gap("2026-08-20T23:50:00Z", "2026-08-21T00:20:00Z", 1800.0),
                gap("2026-08-10T08:00:00Z", "2026-08-10T08:12:00Z", 720.0),
            ],
            gap_minutes=42.0,
            short_gaps=[{"day": "2026-10-01", "seconds": 45.0}],
            bytes_per_day=21_345_678_901,
            days_until_short=34.2,
            unknown_names=3,
        ),
        kept(LONG, 31.2),
        kept("yard", 3.2),
        kept("hall", 0.0, "unknown", bytes_per_day=None, amiss="/srv/[hall]: permission denied"),
        kept("roof", 12.5, "short", gap_minutes=4000.0, days_until_short=0.0),
    ],
    "disks": [
        {
            "path": "/srv/recordings",
            "free_percent": 12.34,
            "min_free_percent": 5.0,
            "days_until_short": 34.2,
        }
    ],
    "scanning": {"camera": "hall", "segments": 123_456},
}
