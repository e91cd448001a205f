"""At least one example of every type of event, made of the types themselves. Pure."""

from typing import Any, Final

import msgspec

from gatehouse import events
from gatehouse.contract import alarm, camera, evidence, faults, gateway, site, tried
from gatehouse.contract.data import Data

Json = dict[str, Any]

GATEWAY: Final = "qd-sn-0042"
STORE: Final = "0d3c1c1a-7f0e-4b57-9d0b-5c4a2f7f1e11"
BOOTID: Final = "4c2f6a0e-58c1-4a4f-8d6e-0f2b7a9c3d55"
ALARM: Final = "01a2076b-447b-7a3b-8c4d-5e6f708192a3"
COMMAND: Final = "6f1c2d3e-4a5b-4c6d-8e7f-9a0b1c2d3e4f"
SHA256: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
TIME: Final = "2026-11-23T08:00:00.123456Z"
_ROW: Final = tried.Checked(name="disk", result="OK", seconds=0.012, figure="62 %", remedy=None)

_MODES: Final = {
    "drill": events.Mode.DRILL,
    "selftest": events.Mode.TEST,
    "walktest": events.Mode.TEST,
}
_GATE: Final = "button/gate"
_CAMERA: Final = "camera/gate"
_GATEWAY: Final = "gateway"

_DATA: Final[tuple[tuple[str, str, Data], ...]] = (
    ("alarm.raised", _GATE, alarm.AlarmRaised(location="南门门卫室", held_at_start=False)),
    ("alarm.released", _GATE, alarm.AlarmReleased(location="南门门卫室", alarm=ALARM)),
    ("alarm.reset", _GATE, alarm.AlarmReset(by="王", reason="mistake", alarms=[ALARM])),
    ("line.fault", _GATE, site.LineFault(fault=faults.LineFaults.OPEN, location="南门门卫室")),
    ("line.restored", _GATE, site.LineRestored(fault=faults.LineFaults.OPEN)),
    ("tamper.opened", _GATEWAY, site.TamperOpened(fault="tamper")),
    ("tamper.closed", _GATEWAY, site.TamperClosed(fault="tamper")),
    ("power.fault", _GATEWAY, site.PowerFault(fault="mains")),
    ("power.restored", _GATEWAY, site.PowerRestored(fault="mains")),
    ("camera.fault", _CAMERA, camera.CameraFault(fault=faults.CameraFaults.COVERED)),
    (
        "camera.fault",
        _CAMERA,
        camera.CameraFault(fault=faults.CameraFaults.CLOCK_OFF, offset_s=-93.0, by_ntp=False),
    ),
    ("camera.restored", _CAMERA, camera.CameraRestored(fault=faults.CameraFaults.COVERED)),
    (
        "recording.gap",
        _CAMERA,
        camera.RecordingGap(
            begins="2026-11-23T07:10:00Z",
            ends="2026-11-23T07:30:00Z",
            seconds=1200.0,
            key="gap/gate/1795417800000-1795419000000",
        ),
    ),
    (
        "recording.deleted",
        _CAMERA,
        camera.RecordingDeleted(
            begins="2026-10-01T00:00:00Z",
            ends="2026-10-01T04:00:00Z",
            seconds=14400.0,
            segments=240,
            bytes=3_600_000_000,
            reason="under-floor",
            key="deleted/gate/1790812800000-1790827200000-1",
        ),
    ),
    (
        "retention.shortfall",
        _CAMERA,
        camera.RetentionShortfall(fault="shortfall", required_days=90, proven_days=61.25),
    ),
    (
        "retention.shortfall",
        _GATEWAY,
        camera.RetentionShortfall(
            fault="shortfall", disks=[camera.LackingDisk(path="/srv", lacking_bytes=5_000_000_000)]
        ),
    ),
    (
        "retention.forecast",
        _CAMERA,
        camera.RetentionForecast(fault="forecast", days_until_short=6.5),
    ),
    (
        "retention.restored",
        _CAMERA,
        camera.RetentionRestored(fault=faults.RetentionFaults.SHORTFALL),
    ),
    (
        "disk.fault",
        _GATEWAY,
        gateway.DiskFault(
            fault=faults.DiskFaults.SPACE, text="/var/lib/gatehouse: 0.1 GB free (1 %)"
        ),
    ),
    ("disk.restored", _GATEWAY, gateway.DiskRestored(fault=faults.DiskFaults.SPACE)),
    (
        "gateway.started",
        _GATEWAY,
        gateway.GatewayStarted(previous="00000006.0000000311", reason="power"),
    ),
    ("gateway.stopped", _GATEWAY, gateway.GatewayStopped(reason="command")),
    (
        "gateway.fault",
        _GATEWAY,
        gateway.GatewayFault(
            fault=faults.GatewayFaults.OFFLINE,
            broker="mqtts://a.example:8883",
            text="no connection to mqtts://a.example:8883 in time",
        ),
    ),
    ("gateway.restored", _GATEWAY, gateway.GatewayRestored(fault=faults.GatewayFaults.OFFLINE)),
    ("config.changed", _GATEWAY, gateway.ConfigChanged(file="gatehouse.toml")),
    ("clock.corrected", _GATEWAY, gateway.ClockCorrected(bootid=BOOTID, offset_s=86_403.25)),
    (
        "evidence.ready",
        _GATEWAY,
        evidence.EvidenceReady(
            alarm=ALARM, state="ready", pictures=11, clips=1, lacking=0, manifest_sha256=SHA256
        ),
    ),
    (
        "evidence.released",
        _GATEWAY,
        evidence.EvidenceReleased(alarm=ALARM, by="李", via="district"),
    ),
    ("drill.started", _GATEWAY, tried.DrillStarted(buttons=["gate"], seconds=600.0)),
    ("drill.ended", _GATEWAY, tried.DrillEnded(reason="complete", not_pressed=[])),
    ("selftest.report", _GATEWAY, tried.SelftestReport(result="OK", checks=[_ROW])),
    (
        "walktest.report",
        _GATEWAY,
        tried.WalktestReport(
            buttons=[
                tried.Walked(
                    name="gate",
                    result="OK",
                    line_open=False,
                    alarm=ALARM,
                    stored_ms=1.2,
                    sent_ms=8.4,
                    received_ms=31.7,
                    acknowledged_ms=None,
                )
            ],
            reason="complete",
            seconds=42.5,
            by="王",
        ),
    ),
    (
        "command.refused",
        _GATEWAY,
        gateway.CommandRefused(reason="replayed", count=1, id=COMMAND, command="acknowledge"),
    ),
)


def all_events() -> list[Json]:
    """Return at least one event of every type."""
    return [_event(number, *row) for number, row in enumerate(_DATA, 42)]


def _event(number: int, type_: str, subject: str, data: Data) -> Json:
    mode = _MODES.get(type_.partition(".")[0], events.Mode.REAL)
    event = events.Event(
        id=ALARM if type_ == "alarm.raised" else f"01a2076b-447b-7a3b-8c4d-{number:012x}",
        source=f"/gatehouse/{GATEWAY}",
        type=f"gatehouse.{type_}",
        subject=subject,
        time=TIME,
        store=STORE,
        sequence=f"00000007.{number:010d}",
        bootid=BOOTID,
        monotonic="123456789012",
        clock="synced",
        mode=mode,
        data=msgspec.to_builtins(data),
    )
    said: Json = msgspec.json.decode(events.encode(event))
    return said
