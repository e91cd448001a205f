"""Finding the configuration, and the service that runs by it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from gatehouse import config, texts
from gatehouse.config.model import Config
from gatehouse.control import client

DEFAULT_CONFIG: Final = "/etc/gatehouse/gatehouse.toml"


def config_path(given: str | None) -> Path:
    """Return the configuration in force: the argument, ``GATEHOUSE_CONFIG``, or the default."""
    return Path(given or os.environ.get("GATEHOUSE_CONFIG") or DEFAULT_CONFIG).absolute()


def open_config(given: str | None) -> Config:
    """Read what the service would run on, and speak its language. Raises ConfigError."""
    loaded = config.read_for_alarm(config_path(given), os.environ)
    texts.use(loaded.config.gateway.language)
    return loaded.config


def socket_path(config: Config) -> Path:
    """Return the control socket of the alarm service."""
    return config.gateway.runtime_dir / "control.sock"


def ask(given: str | None, request: dict[str, Any]) -> dict[str, Any]:
    """Ask the running alarm service. Raises NotRunningError, ControlError."""
    return client.ask(socket_path(open_config(given)), request)


def ask_video(given: str | None, request: dict[str, Any]) -> dict[str, Any]:
    """Ask the running video service. Raises NotRunningError, ControlError."""
    path = open_config(given).gateway.runtime_dir / "video.sock"
    return client.ask(path, request, unit=client.VIDEO)


def without_ok(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the document that an answer carries."""
    return {key: value for key, value in answer.items() if key != "ok"}


def stream(given: str | None, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Follow what the running alarm service says until it stops or we do."""
    return client.stream(socket_path(open_config(given)), request)
