"""The report for programs: one JSON document; times are UTC, RFC 3339, lengths in s. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from gatehouse.report.facts import Facts, Lengths
from gatehouse.report.presses import Drill, Press
from gatehouse.report.running import Uptime


def document(facts: Facts) -> dict[str, Any]:
    """Return all facts."""
    return {
        "school": facts.school,
        "gateway": facts.gateway,
        "from": time(facts.span.begin),
        "to": time(facts.span.end),
        "made": time(facts.made),
        "log": {
            "source": facts.source,
            "since": time(facts.log_since),
            "whole_span": not facts.begins_before_the_log,
            "unread": facts.unread,
        },
        "receipts": facts.receipts,
        "presses": [_press(each) for each in facts.presses],
        "presses_summary": _summary(facts.real),
        "drills": [_drill(each) for each in facts.drills],
        "tests": [
            {
                "time": time(each.at),
                "kind": each.kind,
                "result": each.result,
                "count": each.count,
                "not_ok": [{"name": name, "result": result} for name, result in each.not_ok],
                "by": each.by,
            }
            for each in facts.tests
        ],
        **_faults(facts),
        "recordings": _recordings(facts),
        "places": [
            {"place": each.name, "cameras": list(each.cameras), "covered": each.covered}
            for each in facts.places
        ],
        "video_silent": facts.silence,
        "clock": [{"time": time(each.at), "offset_s": each.offset_s} for each in facts.clock],
        "uptime": _uptime(facts.uptime),
    }


def time(at: datetime | None) -> str | None:
    """Write a time as the contract does."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def _press(press: Press) -> dict[str, Any]:
    reset = press.reset
    return {
        "id": press.id,
        "time": time(press.at),
        "time_known": press.sure,
        "button": press.button,
        "location": press.location,
        "mode": str(press.mode),
        "presses": press.presses,
        "held_at_start": press.held_at_start,
        "pending": press.waits,
        "received_s": press.received_s,
        "acknowledged_s": press.acknowledged_s,
        "acknowledged_by": press.acknowledged_by,
        "reset": reset and {"time": time(reset.at), "by": reset.by, "reason": reset.reason},
    }


def _summary(real: Sequence[Press]) -> dict[str, Any]:
    return {
        "real": len(real),
        "pending": sum(1 for each in real if each.waits),
        "received_s": _lengths(Lengths.of([each.received_s for each in real])),
        "acknowledged_s": _lengths(Lengths.of([each.acknowledged_s for each in real])),
    }


def _lengths(lengths: Lengths) -> dict[str, Any]:
    return {"known": lengths.known, "median": lengths.median_s, "max": lengths.longest_s}


def _drill(drill: Drill) -> dict[str, Any]:
    return {
        "from": time(drill.begin),
        "to": time(drill.end),
        "buttons": list(drill.buttons),
        "not_pressed": list(drill.not_pressed),
        "reason": drill.reason,
    }


def _faults(facts: Facts) -> dict[str, Any]:
    closed = facts.closed
    rows = [
        {
            "subject": each.subject,
            "fault": each.fault,
            "from": time(each.begin),
            "to": time(each.end),
            "seconds": each.seconds(facts.made),
            "within_24h": each.within_a_day(facts.made),
        }
        for each in facts.faults
    ]
    summary = {
        "opened": closed.opened,
        "closed": closed.closed,
        "within_24h": closed.in_time,
        "not_within_24h": closed.too_late,
        "share_within_24h": closed.share,
    }
    return {"faults": rows, "faults_summary": summary}


def _recordings(facts: Facts) -> list[dict[str, Any]] | None:
    if facts.recordings is None:
        return None
    return [
        {
            "camera": each.camera,
            "area": each.area,
            "required_days": each.required_days,
            "proven_days": each.proven_days,
            "verdict": each.verdict,
            "gaps": [
                {"from": time(gap.begin), "to": time(gap.end), "seconds": gap.seconds}
                for gap in each.gaps
            ],
            "missing_s": each.missing_s,
            "amiss": each.amiss,
        }
        for each in facts.recordings
    ]


def _uptime(uptime: Uptime) -> dict[str, Any]:
    return {
        "known_from": time(uptime.span.begin),
        "known_to": time(uptime.span.end),
        "share_least": uptime.up_least,
        "share_most": uptime.up_most,
        "down_least_s": uptime.down_least_s,
        "down_most_s": uptime.down_most_s,
        "starts": [
            {
                "time": time(each.at),
                "reason": each.reason,
                "down_least_s": each.down_least_s,
                "down_most_s": each.down_most_s,
            }
            for each in uptime.starts
        ],
    }
