"""All types of events, each with the type of its data and with what it may be about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gatehouse import events
from gatehouse.contract import alarm, camera, evidence, gateway, site, tried
from gatehouse.contract.data import Data

BUTTON: Final = "button"
CAMERA: Final = "camera"
GATEWAY: Final = "gateway"


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of event."""

    data: type[Data]
    subjects: tuple[str, ...] = (GATEWAY,)
    """``button`` and ``camera`` go with a name: ``button/gate``."""


EVENTS: Final[Mapping[str, Kind]] = {
    events.ALARM_RAISED: Kind(alarm.AlarmRaised, (BUTTON,)),
    events.ALARM_RELEASED: Kind(alarm.AlarmReleased, (BUTTON,)),
    events.ALARM_RESET: Kind(alarm.AlarmReset, (BUTTON,)),
    events.LINE_FAULT: Kind(site.LineFault, (BUTTON,)),
    events.LINE_RESTORED: Kind(site.LineRestored, (BUTTON,)),
    events.TAMPER_OPENED: Kind(site.TamperOpened),
    events.TAMPER_CLOSED: Kind(site.TamperClosed),
    events.POWER_FAULT: Kind(site.PowerFault),
    events.POWER_RESTORED: Kind(site.PowerRestored),
    "gatehouse.camera.fault": Kind(camera.CameraFault, (CAMERA,)),
    "gatehouse.camera.restored": Kind(camera.CameraRestored, (CAMERA,)),
    "gatehouse.recording.gap": Kind(camera.RecordingGap, (CAMERA,)),
    "gatehouse.recording.deleted": Kind(camera.RecordingDeleted, (CAMERA,)),
    "gatehouse.retention.shortfall": Kind(camera.RetentionShortfall, (CAMERA, GATEWAY)),
    "gatehouse.retention.forecast": Kind(camera.RetentionForecast, (CAMERA,)),
    "gatehouse.retention.restored": Kind(camera.RetentionRestored, (CAMERA, GATEWAY)),
    events.DISK_FAULT: Kind(gateway.DiskFault),
    events.DISK_RESTORED: Kind(gateway.DiskRestored),
    events.GATEWAY_STARTED: Kind(gateway.GatewayStarted),
    events.GATEWAY_STOPPED: Kind(gateway.GatewayStopped),
    events.GATEWAY_FAULT: Kind(gateway.GatewayFault),
    events.GATEWAY_RESTORED: Kind(gateway.GatewayRestored),
    events.CONFIG_CHANGED: Kind(gateway.ConfigChanged),
    events.CLOCK_CORRECTED: Kind(gateway.ClockCorrected),
    "gatehouse.evidence.ready": Kind(evidence.EvidenceReady),
    "gatehouse.evidence.released": Kind(evidence.EvidenceReleased),
    events.DRILL_STARTED: Kind(tried.DrillStarted),
    events.DRILL_ENDED: Kind(tried.DrillEnded),
    events.SELFTEST_REPORT: Kind(tried.SelftestReport),
    events.WALKTEST_REPORT: Kind(tried.WalktestReport),
    events.COMMAND_REFUSED: Kind(gateway.CommandRefused),
}
