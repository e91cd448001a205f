"""Writes the configuration of a camera that was found. Pure; contract section 2.

It holds no prose but a question mark, so that it reads alike in every language.
"""

import contextlib
import json
import re
from collections.abc import Collection
from typing import Final

from gatehouse.config.addresses import source
from gatehouse.config.values import WrongError
from gatehouse.video.discovery import Device

GUESSES: Final = {
    "hikvision": "Streaming/Channels/101",
    "dahua": "cam/realmonitor?channel=1&subtype=0",
    "uniview": "media/video1",
    "axis": "axis-media/media.amp",
    "hanwha": "profile2/media.smp",
    "reolink": "h264Preview_01_main",
    "tp-link": "stream1",
}
"""Where well-known makers have the stream of the largest pictures."""
_MODELS: Final = {"ds-2": "hikvision", "dh-": "dahua", "ipc-h": "dahua", "vigi": "tp-link"}


def config_lines(
    device: Device, taken_names: Collection[str], stream: str | None = None
) -> tuple[str, ...]:
    """Return the lines that add a camera to the configuration.

    ``stream`` is the address that the camera told. Without it the usual one of its maker stands
    there as a comment, with a question mark.
    """
    name = _free_name(device, taken_names)
    about = " ".join(each for each in (device.name, device.hardware, f"({device.host})") if each)
    return (
        f"# {about}",
        "[[camera]]",
        f'name = "{name}"',
        f"covers = [{_quoted(device.location)}]" if device.location else "covers = []",
        'area = "general"',
        _source_line(device, stream),
        f'credential = "{name}.cred"',
        f'recordings = "/srv/recordings/{name}"',
    )


def _source_line(device: Device, stream: str | None) -> str:
    with contextlib.suppress(WrongError):
        if stream is not None:
            return f"source = {_quoted(source(stream))}"
    maker = _maker(device)
    guess = f"rtsp://{device.host}/{GUESSES.get(maker, '...')}"
    return f"# source = {_quoted(guess)}  # {maker}?"


def _maker(device: Device) -> str:
    said = f"{device.name} {device.hardware}".lower()
    known = {maker: maker for maker in GUESSES} | _MODELS
    return next((maker for mark, maker in known.items() if mark in said), "")


def _free_name(device: Device, taken: Collection[str]) -> str:
    """Return a name of [a-z0-9-]{1,32} that no other camera has."""
    slug = re.sub(r"[^a-z0-9]+", "-", (device.name or device.hardware).lower())[:28].strip("-")
    slug = slug or "camera"
    numbered = (f"{slug}-{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (slug, *numbered) if name not in taken)


def _quoted(text: str) -> str:
    """Write a TOML basic string: JSON's rules, for text that is fit to be shown, are TOML's."""
    return json.dumps(text, ensure_ascii=False)
