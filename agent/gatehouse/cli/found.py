"""What is told of cameras that were found on the network. Pure; needs the extra ``video``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gatehouse.config.model import Camera
from gatehouse.texts import _
from gatehouse.video.camera_lines import config_lines
from gatehouse.video.discovery import Device
from gatehouse.video.onvif import Stream


@dataclass(frozen=True, slots=True)
class Asked:
    """What a device said of its streams, or why it said nothing; neither when it was not asked."""

    streams: tuple[Stream, ...] = ()
    error: str | None = None


def host_of(camera: Camera) -> str:
    """Return the host of a camera's address; empty for one at the machine itself."""
    return urlsplit(camera.source).hostname or ""


def entries(
    devices: Sequence[Device], configured: Sequence[Camera], asked: Mapping[str, Asked]
) -> list[dict[str, Any]]:
    """Return the rows of ``devices`` in the document.

    ``asked`` is what devices said, by their endpoints. Those that are not ``configured`` have the
    ``lines`` of their configuration.
    """
    taken = {camera.name for camera in configured}
    there = {host_of(camera): camera for camera in reversed(configured)}
    rows = []
    for device in devices:
        known, said = there.get(device.host), asked.get(device.endpoint, Asked())
        added = () if known is not None else _added(device, taken, said)
        rows.append(
            {
                "endpoint": device.endpoint,
                "host": device.host,
                "port": device.port,
                "name": device.name,
                "hardware": device.hardware,
                "location": device.location,
                "configured": None if known is None else known.name,
                "streams": [
                    {"url": each.url, "width": each.width, "height": each.height}
                    for each in said.streams
                ],
                "error": said.error,
                "lines": list(added),
            }
        )
    return rows


def _added(device: Device, taken: set[str], said: Asked) -> tuple[str, ...]:
    """Return the lines of a new camera, whose name is taken from then on."""
    added = config_lines(device, taken, said.streams[0].url if said.streams else None)
    taken.add(next(line.split('"')[1] for line in added if line.startswith("name = ")))
    return added if device.port is None else (*added, f"onvif_port = {device.port}")


def lines(row: Mapping[str, Any]) -> list[str]:
    """Return what is printed for one device: TOML, with all else as comments."""
    if row["configured"] is not None:
        about = " ".join(str(row[key]) for key in ("host", "name") if row[key])
        said = _("{device}: configured already, as {camera}")
        return ["# " + said.format(device=about, camera=row["configured"])]
    added = [str(line) for line in row["lines"]]
    return [*added, f"# {row['error']}"] if row["error"] else added


def summary(rows: Sequence[Mapping[str, Any]], passed_over: int) -> str:
    """Say how many answered, and what to look at when none did."""
    if rows:
        new = sum(row["configured"] is None for row in rows)
        said = _("{count} cameras answered, {new} of them new").format(count=len(rows), new=new)
    else:
        said = _("no camera answered: is it in this network, and ONVIF switched on in it?")
    if passed_over:
        said += " " + _("({count} answers could not be read)").format(count=passed_over)
    return said
