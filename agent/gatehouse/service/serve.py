"""The process of the alarm service: what must be there before it, and its exit code."""

import logging
import sys
from collections.abc import Mapping
from pathlib import Path

from gatehouse import config, process, texts
from gatehouse.clock import open_clock
from gatehouse.errors import GatehouseError
from gatehouse.service import ending
from gatehouse.service.alarm import AlarmService
from gatehouse.service.pins import open_pins
from gatehouse.systemd import Notifier

log = logging.getLogger(__name__)


def serve(path: Path, environ: Mapping[str, str]) -> int:
    """Run the alarm service until SIGTERM; returns its exit code."""
    try:
        loaded = config.read_for_alarm(path, environ)
        texts.use(loaded.config.gateway.language)
        clock = open_clock(environ.get("GATEHOUSE_CLOCK"), environ.get("GATEHOUSE_BOOTID"))
        loaded.config.gateway.runtime_dir.mkdir(parents=True, exist_ok=True)
        alone = process.only_one(
            loaded.config.gateway.runtime_dir / "alarm.lock", "gatehouse-alarm"
        )
        board = open_pins(loaded.config, environ)
    except config.ConfigError as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    except (GatehouseError, LookupError, OSError) as exc:
        log.critical("the alarm service cannot start: %s", exc)
        return 1
    process.stay_in_memory()
    with alone, ending.watched(loaded.config.gateway.runtime_dir) as hung:
        service = AlarmService(loaded, board, clock, Notifier(environ), hung=hung)
        return process.run(service.run())
