"""Reading the district's file: every mistake at once, with key and line."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any, Final

from gatehouse.config import ConfigError, addresses, values
from gatehouse.config.document import read_document
from gatehouse.config.lines import Lines
from gatehouse.config.mistakes import Mistake
from gatehouse.config.table import Findings, Table, section, unknown
from gatehouse.config.values import WrongError
from gatehouse.texts import _
from gatehouse_district.config.model import Authority, Broker, Config, Desk, District, Keep

VARIABLE: Final = "GATEHOUSE_DISTRICT_CONFIG"
DEFAULT: Final = "/etc/gatehouse/district.toml"
SECTIONS: Final = ["district", "broker", "desk", "ca", "keep"]

_STATE_DIR: Final = Path("/var/lib/gatehouse-district")
_RUNTIME_DIR: Final = Path("/run/gatehouse-district")
_LISTEN: Final = (ip_address("127.0.0.1"), 8443)
_KEEP: Final = Keep()
_TLS_FILES: Final = ("ca", "cert", "key")
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME: Final = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")

Listen = tuple[IPv4Address | IPv6Address, int]


def config_path(given: str | None, environ: Mapping[str, str]) -> Path:
    """Return the file in force: the argument, ``GATEHOUSE_DISTRICT_CONFIG``, or the default."""
    return Path(given or environ.get(VARIABLE) or DEFAULT).absolute()


def read(path: Path) -> Config:
    """Read and check a file; raises ConfigError with everything that is wrong in it."""
    path = path.absolute()
    document = read_document(path)
    if document.found is None:
        raise ConfigError(path, [document.mistake] if document.mistake else [])
    config, mistakes = _check(document.found, path, document.text)
    if config is None or mistakes:
        raise ConfigError(path, mistakes)
    return config


def _check(
    found: Mapping[str, Any], path: Path, text: str
) -> tuple[Config | None, tuple[Mistake, ...]]:
    findings = Findings(Lines(text))
    folder = path.parent
    district = _district(section(found, "district", findings), folder)
    broker = _broker(section(found, "broker", findings), folder)
    desk = _desk(section(found, "desk", findings), folder)
    authority = _authority(section(found, "ca", findings), folder) if "ca" in found else None
    keep = _keep(section(found, "keep", findings))
    for name in found:
        if name not in SECTIONS:
            findings.note(name, (name,), unknown(name, SECTIONS), name)
    mistakes = tuple(sorted(findings.mistakes, key=lambda mistake: mistake.line or 0))
    if mistakes or district is None or broker is None or desk is None:
        return None, mistakes
    return Config(path, district, broker, desk, authority, keep), ()


def _district(table: Table | None, folder: Path) -> District | None:
    if table is None:
        return None
    district = District(
        name=table.need("name", values.text, ""),
        language=table.take("language", values.one_of("zh_CN", "en"), None),
        state_dir=table.take("state_dir", values.file_path(folder), _STATE_DIR),
        runtime_dir=table.take("runtime_dir", values.runtime_dir(folder), _RUNTIME_DIR),
    )
    return district if table.end() else None


def _broker(table: Table | None, folder: Path) -> Broker | None:
    if table is None:
        return None
    at = table.need("url", addresses.broker, None)
    ca, cert, key = (table.take(name, values.file_path(folder), None) for name in _TLS_FILES)
    for name in _TLS_FILES:
        if at is not None and at.tls and not table.has(name):
            table.note(name, _("is missing: mqtts:// needs it"))
    if not table.end() or at is None:
        return None
    files = (ca, cert, key) if at.tls else (None, None, None)
    return Broker(at.url, at.host, at.port, at.tls, *files)


def _desk(table: Table | None, folder: Path) -> Desk | None:
    if table is None:
        return None
    address, port = table.take("listen", _listen, _LISTEN)
    desk = Desk(
        address,
        port,
        names=table.many("names", _host),
        cert=table.take("cert", values.file_path(folder), None),
        key=table.take("key", values.file_path(folder), None),
        help=table.many("help", values.text),
    )
    for name, other in (("cert", "key"), ("key", "cert")):
        if table.has(other) and not table.has(name):
            table.note(name, _("is missing: cert and key belong together"))
    if not address.is_loopback:
        if not table.has("cert") and not table.has("key"):
            table.note("cert", _("is missing: plain HTTP is for loopback only"))
        if not table.has("names"):
            table.note("names", _("is missing: the names under which browsers come here"))
    return desk if table.end() else None


def _authority(table: Table | None, folder: Path) -> Authority | None:
    if table is None:
        return None
    place = table.need("dir", values.file_path(folder), Path())
    return Authority(place) if table.end() else None


def _keep(table: Table | None) -> Keep:
    if table is None:
        return _KEEP
    most = values.whole(100, 10_000_000)
    keep = Keep(pictures_mb=table.take("pictures_mb", most, _KEEP.pictures_mb))
    table.end()
    return keep


def _listen(value: object) -> Listen:
    """Accept ``address:port``; the address is one of this machine, IPv6 in brackets."""
    host, colon, port = values.typed(value, str).rpartition(":")
    six = host.startswith("[") and host.endswith("]")
    try:
        address = ip_address(host[1:-1] if six else host)
        number = int(port) if re.fullmatch(r"[0-9]{1,5}", port) else 0
    except ValueError:
        address, number = _LISTEN[0], 0
    if not colon or not 1 <= number <= 65_535 or six != (address.version == 6):
        raise WrongError(_("must be address:port, such as 127.0.0.1:8443, 0.0.0.0:8443, [::]:8443"))
    return address, number


def _host(value: object) -> str:
    """Accept a host's name or address as it stands in a browser's line, without port."""
    found = values.typed(value, str)
    try:
        return str(ip_address(found))
    except ValueError:
        if not _NAME.fullmatch(found):
            raise WrongError(_("must be a host's name or address, without port")) from None
        return found.lower()
