"""The cameras of a simulated school: what each shows, and its section of the configuration."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from gatehouse_sim.child import Place

_NOBODY: Final = 9
"""The port of "discard" (RFC 863): where nobody listens on any machine of today."""


@dataclass(frozen=True, slots=True)
class SimCamera:
    """One camera; its name is the key in `Plan.cameras`."""

    film: str = "normal"
    """What it shows first (`films.FILMS`)."""
    area: Literal["critical", "general"] = "general"
    covers: tuple[str, ...] = ()
    record: bool = True
    """False: another recorder writes into its folder."""
    keeps: bool = True
    """False: it has no folder of recordings."""
    credential: str = ""
    """ "user:password" that it asks for, and that the agent is given."""
    min_lines: int | None = None
    onvif_port: int | None = None
    """Where it speaks ONVIF; None: it does not."""

    def section(self, name: str, url: str, place: Place) -> str:
        """Return its section of the configuration."""
        lines: dict[str, Any] = {
            "name": name,
            "source": url,
            "area": self.area,
            "covers": list(self.covers),
            "onvif_port": _NOBODY if self.onvif_port is None else self.onvif_port,
        }
        if self.credential:
            lines["credential"] = credential_path(place, name).name
        if self.keeps:
            lines |= {"recordings": str(place.recordings / name), "record": self.record}
        if self.min_lines is not None:
            lines["min_lines"] = self.min_lines
        said = (f"{key} = {json.dumps(v, ensure_ascii=False)}" for key, v in lines.items())
        return "\n".join(["[[camera]]", *said, ""])


def credential_path(place: Place, name: str) -> Path:
    """Return the file with a camera's user and password."""
    return place.root / f"{name}.cred"


def prepare(place: Place, cameras: Mapping[str, SimCamera]) -> None:
    """Make the folders and write the password files that the configuration names.

    A camera's own folder is made by the recorder that the agent runs, unless another one records.
    """
    for name, camera in cameras.items():
        if camera.keeps:
            folder = place.recordings if camera.record else place.recordings / name
            folder.mkdir(parents=True, exist_ok=True)
        if camera.credential:
            path = credential_path(place, name)
            path.touch(mode=0o600)
            path.write_text(camera.credential + "\n", encoding="utf-8")
