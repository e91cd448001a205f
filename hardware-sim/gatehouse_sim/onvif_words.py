"""What a simulated ONVIF camera says, and how it checks a password. Pure."""

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from xml.sax.saxutils import escape, unescape

_SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
_SCHEMA: Final = 'xmlns:t="http://www.onvif.org/ver10/schema"'
_MEDIA: Final = "http://www.onvif.org/ver10/media/wsdl"
_DEVICE: Final = "http://www.onvif.org/ver10/device/wsdl"
_ADDRESSING: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_DISCOVERY: Final = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_REALM: Final = "sim"
_NONCE: Final = "b1946ac92492d234"
_SKEW_S: Final = 60
"""How far a token's time may be from the camera's; real ones allow some minutes or seconds."""
SCOPES: Final = (
    "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/Profile/Streaming "
    "onvif://www.onvif.org/name/HIKVISION%20DS-2CD2042 onvif://www.onvif.org/hardware/DS-2CD2042 "
    "onvif://www.onvif.org/location/%E6%A0%A1%E9%97%A8"
)


def envelope(body: str, header: str = "") -> str:
    """Put it into a SOAP envelope."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{_SOAP}">'
        f"<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def fault(subcode: str) -> str:
    """Say no, in SOAP."""
    return envelope(
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>"
        f'<s:Value xmlns:ter="http://www.onvif.org/ver10/error">{subcode}</s:Value></s:Subcode>'
        f'</s:Code><s:Reason><s:Text xml:lang="en">{subcode[4:]}</s:Text></s:Reason></s:Fault>'
    )


def date_and_time(now: datetime, *, local_only: bool = False, by_ntp: bool = False) -> str:
    """Tell the time in UTC, and eight hours later in local time."""
    utc = "" if local_only else _moment("UTCDateTime", now)
    return (
        f"<d:SystemDateAndTime {_SCHEMA}>"
        f"<t:DateTimeType>{'NTP' if by_ntp else 'Manual'}</t:DateTimeType>"
        "<t:DaylightSavings>false</t:DaylightSavings><t:TimeZone><t:TZ>CST-8</t:TZ></t:TimeZone>"
        f"{utc}{_moment('LocalDateTime', now + timedelta(hours=8))}</d:SystemDateAndTime>"
    )


def _moment(name: str, at: datetime) -> str:
    return (
        f"<t:{name}><t:Time><t:Hour>{at.hour}</t:Hour><t:Minute>{at.minute}</t:Minute>"
        f"<t:Second>{at.second}</t:Second></t:Time><t:Date><t:Year>{at.year}</t:Year>"
        f"<t:Month>{at.month}</t:Month><t:Day>{at.day}</t:Day></t:Date></t:{name}>"
    )


def media(
    action: str, request: str, *, host: str, profiles: Sequence[tuple[str, int, int]]
) -> str | None:
    """Answer what is asked of the camera and its streams; None for anything else."""
    if action == "GetDeviceInformation":
        said = "<d:Manufacturer>SIM</d:Manufacturer><d:Model>IPC</d:Model>"
        return envelope(f'<d:{action}Response xmlns:d="{_DEVICE}">{said}</d:{action}Response>')
    if action == "GetCapabilities":
        said = f"<t:Media><t:XAddr>http://{host}/onvif/Media</t:XAddr></t:Media>"
        said = f"<d:Capabilities {_SCHEMA}>{said}</d:Capabilities>"
        return envelope(f'<d:{action}Response xmlns:d="{_DEVICE}">{said}</d:{action}Response>')
    if action == "GetProfiles":
        said = "".join(_profile(*each) for each in profiles)
    elif action == "GetStreamUri":
        token = re.search(r"ProfileToken>([^<]*)<", request)
        uri = f"rtsp://admin:12345@{host}:554/{unescape(token[1]) if token else ''}?transportmode=u"
        said = f"<m:MediaUri><t:Uri>{escape(uri)}</t:Uri></m:MediaUri>"
    else:
        return None
    return envelope(f'<m:{action}Response xmlns:m="{_MEDIA}" {_SCHEMA}>{said}</m:{action}Response>')


def _profile(token: str, width: int, height: int) -> str:
    sensor = '<t:Bounds x="0" y="0" width="4000" height="3000"/>'
    return (
        f'<m:Profiles token="{token}" fixed="true"><t:Name>{token}</t:Name>'
        f"<t:VideoSourceConfiguration>{sensor}</t:VideoSourceConfiguration>"
        "<t:VideoEncoderConfiguration><t:Encoding>H264</t:Encoding><t:Resolution>"
        f"<t:Width>{width}</t:Width><t:Height>{height}</t:Height></t:Resolution>"
        "</t:VideoEncoderConfiguration></m:Profiles>"
    )


def match(
    relates_to: str,
    *,
    endpoint: str = "urn:uuid:11111111-2222-3333-4444-555555555555",
    types: str = "dn:NetworkVideoTransmitter tds:Device",
    scopes: str = SCOPES,
    xaddrs: str = "http://169.254.3.4/onvif/device_service http://127.0.0.1:8099/onvif/device_service",
) -> bytes:
    """Answer a probe."""
    return envelope(
        f'<d:ProbeMatches xmlns:d="{_DISCOVERY}" xmlns:a="{_ADDRESSING}"><d:ProbeMatch>'
        f"<a:EndpointReference><a:Address>{endpoint}</a:Address></a:EndpointReference>"
        f"<d:Types>{types}</d:Types><d:Scopes>{scopes}</d:Scopes><d:XAddrs>{xaddrs}</d:XAddrs>"
        "<d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches>",
        f'<a:Action xmlns:a="{_ADDRESSING}">{_DISCOVERY}/ProbeMatches</a:Action>'
        f'<a:MessageID xmlns:a="{_ADDRESSING}">urn:uuid:of-{escape(endpoint)}</a:MessageID>'
        f'<a:RelatesTo xmlns:a="{_ADDRESSING}">{relates_to}</a:RelatesTo>'
        f'<a:To xmlns:a="{_ADDRESSING}">{_ADDRESSING}/role/anonymous</a:To>'
        f'<d:AppSequence xmlns:d="{_DISCOVERY}" InstanceId="1" MessageNumber="1"/>',
    ).encode()


def challenge() -> str:
    """Ask for HTTP digest."""
    asked = f'realm="{_REALM}", qop="auth", nonce="{_NONCE}", algorithm=MD5'
    return f"WWW-Authenticate: Digest {asked}\r\n"


def digest_is_right(head: str, user: str, password: str) -> bool:
    """Check the Authorization header of a request (RFC 7616)."""
    shown: dict[str, str] = dict(
        re.findall(r'(\w+)="?([^",\r]*)"?', head.partition("Authorization:")[2])
    )
    if {"username", "realm", "nonce", "uri", "nc", "cnonce", "qop", "response"} - shown.keys():
        return False
    one = _md5(f"{user}:{_REALM}:{password}")
    two = _md5(f"POST:{shown['uri']}")
    made = ":".join((one, _NONCE, shown["nc"], shown["cnonce"], shown["qop"], two))
    return shown["username"] == user and shown["response"] == _md5(made)


def token_is_right(body: str, user: str, password: str, now: datetime) -> bool:
    """Check a WS-UsernameToken, and that it was made about now by the camera's own clock."""
    shown: dict[str, str] = dict(
        re.findall(r"<\w+:(Username|Password|Nonce|Created)\b[^>]*>([^<]*)<", body)
    )
    if len(shown) < 4:
        return False
    made = datetime.fromisoformat(shown["Created"])
    text = f"{shown['Created']}{password}".encode()
    digest = hashlib.sha1(base64.b64decode(shown["Nonce"]) + text).digest()  # noqa: S324  # its rule
    right = base64.b64encode(digest).decode()
    fresh = abs((made - now).total_seconds()) < _SKEW_S
    return fresh and unescape(shown["Username"]) == user and shown["Password"] == right


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324  # its rule
