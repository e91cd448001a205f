"""What the two packages hold: that of a school's gateway, and that of the district's server."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
SCRIPTS: Final = ("postinst", "prerm", "postrm")

_LIB: Final = "usr/lib"
_UNITS: Final = f"{_LIB}/systemd/system"
_TMPFILES: Final = f"{_LIB}/tmpfiles.d"  # noqa: S108  # no temporary file
_INCLUDED: Final = ". ./room.sh\n"


@dataclass(frozen=True, slots=True)
class Package:
    """One package."""

    name: str
    needs: str
    """The requirement whose libraries travel inside."""
    files: Mapping[str, str]
    """Where what of the source goes."""
    left_out: frozenset[str]
    """Names among them that are another package's."""
    links: frozenset[str]
    """What lies in /usr/bin, pointing into the environment."""
    scripts: Path
    """Where its control file and scripts are."""
    gpio: bool
    """Whether it needs pins where there are any."""

    @property
    def place(self) -> str:
        """The link to the environment."""
        return f"/opt/{self.name}"

    @property
    def share(self) -> str:
        """Its own folder of data."""
        return f"usr/share/{self.name}"

    @property
    def wheels(self) -> str:
        """Where the wheels are."""
        return f"{self.share}/wheels"

    def script(self, name: str) -> str:
        """Return a maintainer's script, with what all packages share put in."""
        text = (self.scripts / name).read_text(encoding="utf-8")
        return text.replace(_INCLUDED, (HERE / "room.sh").read_text(encoding="utf-8"))


GATEWAY: Final = Package(
    name="gatehouse",
    needs="gatehouse-agent[video,enrol]",
    files={
        "systemd/*.service": _UNITS,
        "systemd/*.timer": _UNITS,
        "systemd/*.target": _UNITS,
        "systemd/gatehouse-.service.d/*": f"{_UNITS}/gatehouse-.service.d",
        "systemd/system.conf.d/*": f"{_LIB}/systemd/system.conf.d",
        "systemd/sysusers.d/*": f"{_LIB}/sysusers.d",
        "systemd/tmpfiles.d/*": _TMPFILES,
        "systemd/udev/*": f"{_LIB}/udev/rules.d",
        "config/gateway.toml": "usr/share/gatehouse",
        "README*.md": "usr/share/doc/gatehouse",
        "CHANGELOG.md": "usr/share/doc/gatehouse",
        "deb/copyright": "usr/share/doc/gatehouse",
    },
    links=frozenset({"usr/bin/gatehouse", "usr/bin/gatehouse-sim"}),
    left_out=frozenset({"gatehouse-district.service", "gatehouse-district.conf"}),
    scripts=HERE,
    gpio=True,
)

DISTRICT: Final = Package(
    name="gatehouse-district",
    needs="gatehouse-agent[district]",
    files={
        "systemd/gatehouse-district.service": _UNITS,
        # Under the unit's own name: the package of a gateway has the other, and may be here too.
        "systemd/gatehouse-.service.d/*": f"{_UNITS}/gatehouse-district.service.d",
        "systemd/sysusers.d/gatehouse-district.conf": f"{_LIB}/sysusers.d",
        "systemd/tmpfiles.d/gatehouse-district.conf": _TMPFILES,
        "config/district/**/*": "usr/share/gatehouse-district",
        "docs/district*.md": "usr/share/doc/gatehouse-district",
        "CHANGELOG.md": "usr/share/doc/gatehouse-district",
        "deb/copyright": "usr/share/doc/gatehouse-district",
    },
    links=frozenset({"usr/bin/gatehouse-district"}),
    left_out=frozenset(),
    scripts=HERE / "district",
    gpio=False,
)

PACKAGES: Final = {each.name: each for each in (GATEWAY, DISTRICT)}
