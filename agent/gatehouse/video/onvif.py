"""What a camera says of itself by ONVIF: its time, and where its streams are.

The time may be asked without a password: ONVIF Core Specification, "Device management", "System",
GetSystemDateAndTime has the access class PRE_AUTH, and shall give UTCDateTime.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from gatehouse.clock import Clock
from gatehouse.errors import CameraError
from gatehouse.video.soap import (
    DEVICE_SERVICE,
    NoOnvifError,
    Talk,
    every,
    local,
    talking,
    told,
    within,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # its type alone; defusedxml reads

OFF_S: Final = 30.0
"""A clock that is further off than this is a fault: an inspector would look at another minute."""
IN_A_ROW: Final = 3

_DEVICE: Final = 'xmlns="http://www.onvif.org/ver10/device/wsdl"'
_MEDIA: Final = 'xmlns="http://www.onvif.org/ver10/media/wsdl"'
_SCHEMA: Final = 'xmlns:t="http://www.onvif.org/ver10/schema"'
_TIME: Final = f"<GetSystemDateAndTime {_DEVICE}/>"
_CAPABILITIES: Final = f"<GetCapabilities {_DEVICE}><Category>Media</Category></GetCapabilities>"
_PROFILES: Final = f"<GetProfiles {_MEDIA}/>"
_STREAM: Final = (
    f"<GetStreamUri {_MEDIA} {_SCHEMA}><StreamSetup><t:Stream>RTP-Unicast</t:Stream><t:Transport>"
    "<t:Protocol>RTSP</t:Protocol></t:Transport></StreamSetup>"
    "<ProfileToken>{token}</ProfileToken></GetStreamUri>"
)
_MOST_PROFILES: Final = 8


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A camera's clock beside ours.

    ``offset_s`` is how far it is ahead, right to a second and half the round trip; None when the
    camera tells only its local time, whose zone is anybody's guess.
    """

    offset_s: float | None
    round_trip_s: float
    by_ntp: bool
    """Whether the camera says that a time server sets it."""


@dataclass(slots=True)
class ClockRule:
    """Whether a camera's clock is off: it takes three answers in a row, either way."""

    off: bool = False
    _against: int = 0

    @property
    def in_doubt(self) -> bool:
        """Whether the last answers speak against what stands, and are too few yet."""
        return self._against > 0

    def take(self, reading: ClockReading | None) -> bool:
        """Take one answer; return whether the clock is off. What tells nothing counts for neither.

        None stands for a camera that did not answer, or does not speak ONVIF.
        """
        if reading is None or reading.offset_s is None:
            return self.off
        says = abs(reading.offset_s) > OFF_S
        self._against = self._against + 1 if says != self.off else 0
        if self._against >= IN_A_ROW:
            self.off, self._against = says, 0
        return self.off


def ours_is_off(readings: Iterable[ClockReading], *, synced: bool) -> bool:
    """Whether our own clock is to blame, and no camera's: then nothing is to be counted.

    A gateway that no time server has set is alone with its opinion when two cameras or more agree
    on another. One camera alone is believed to be wrong; that our clock is not set is told besides.
    """
    offsets = [each.offset_s for each in readings if each.offset_s is not None]
    if synced or len(offsets) < 2:
        return False
    return min(map(abs, offsets)) > OFF_S and max(offsets) - min(offsets) <= OFF_S


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a camera, and the size of its pictures; 0 where the camera does not tell."""

    url: str
    width: int
    height: int


async def clock_offset(
    host: str,
    port: int | None = None,
    *,
    clock: Clock,
    credential: str | None = None,
    timeout_s: float = 5.0,
) -> ClockReading | None:
    """Compare a camera's clock with ours; None when nothing speaks ONVIF there.

    ``credential``, "user:password", is used only for cameras that want one against the rule.
    Raises CameraError for an answer that is none, too late, too long, or refused.
    """
    try:
        async with talking(
            host, port, clock=clock, credential=credential, timeout_s=timeout_s
        ) as talk:
            return await _read_clock(talk, clock)
    except NoOnvifError:
        return None


async def streams(
    host: str,
    port: int | None = None,
    *,
    clock: Clock,
    credential: str,
    timeout_s: float = 10.0,
) -> tuple[Stream, ...]:
    """Ask a camera where its streams are, those of the largest pictures first.

    Raises NoOnvifError and CameraError.
    """
    async with talking(host, port, clock=clock, credential=credential, timeout_s=timeout_s) as talk:
        reading = await _read_clock(talk, clock)
        talk.offset_s = reading.offset_s or 0.0
        path = _media_path(await talk.ask(_CAPABILITIES))
        found = []
        profiles = await talk.ask(_PROFILES, path)
        for profile in list(every(profiles, "Profiles"))[:_MOST_PROFILES]:
            request = _STREAM.format(token=escape(profile.get("token", "")))
            url = _stream_url(told(await talk.ask(request, path), "Uri"), host)
            if url:
                found.append(Stream(url, *_size(profile)))
    return tuple(sorted(found, key=lambda each: -each.width * each.height))


async def _read_clock(talk: Talk, clock: Clock) -> ClockReading:
    before = clock.reading()
    answer = await talk.ask(_TIME)
    round_trip_s = (clock.reading().monotonic_ns - before.monotonic_ns) / 1e9
    if local(answer) != "GetSystemDateAndTimeResponse":
        raise CameraError("a camera was asked for its time and answered something else")
    utc, by_ntp = within(answer, "UTCDateTime"), told(answer, "DateTimeType") == "NTP"
    if utc is None or len(utc) == 0:
        return ClockReading(None, round_trip_s, by_ntp)
    ours = before.unix_ns / 1e9 + round_trip_s / 2
    return ClockReading(_moment(utc).timestamp() - ours, round_trip_s, by_ntp)


def _moment(utc: "Element") -> datetime:
    """Read a tt:DateTime. Raises CameraError for one that never was."""
    fields = ("Year", "Month", "Day", "Hour", "Minute", "Second")
    try:
        *whole, second = (int(told(utc, field)) for field in fields)
        return datetime(*whole, min(second, 59), tzinfo=UTC)  # type: ignore[misc,arg-type]  # ints; 60 is a leap second
    except (ValueError, OverflowError) as exc:
        raise CameraError("a camera told a time that never was") from exc


def _media_path(capabilities: "Element") -> str:
    """Return the path of the media service: on the host that was asked, whatever is said.

    A password's digest must not go where an answer points.
    """
    media = within(capabilities, "Media")
    try:
        path = urlsplit(told(media, "XAddr")).path if media is not None else ""
    except ValueError:
        path = ""
    return path if path.startswith("/") else DEVICE_SERVICE


def _stream_url(said: str, host: str) -> str | None:
    """Return a stream's address at the host that was asked, without user and password."""
    try:
        parts = urlsplit(said)
        port = f":{parts.port}" if parts.port not in {None, 554} else ""
    except ValueError:
        return None
    if parts.scheme != "rtsp" or not said.isascii() or " " in said:
        return None
    literal = f"[{host}]" if ":" in host else host
    return parts._replace(netloc=f"{literal}{port}", fragment="").geturl()


def _size(profile: "Element") -> tuple[int, int]:
    """Return width and height of the encoded picture; a profile also tells the sensor's."""
    encoder = within(profile, "VideoEncoderConfiguration")
    if encoder is None:
        return 0, 0
    size = [told(encoder, name)[:6] for name in ("Width", "Height")]
    return (int(size[0]), int(size[1])) if all(each.isdecimal() for each in size) else (0, 0)
