"""The answers: the configuration's own sections, and ``[setup]``. Checked by the file's own rules.

An answers file is a configuration without comments. So there is one list of what may be said, one
set of checks, and a configuration may itself serve as answers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tomli

from gatehouse.config import Config, ConfigError, Mistake
from gatehouse.config import checks as rules
from gatehouse.config.lines import Lines
from gatehouse.config.mistakes import FILE
from gatehouse.config.table import Findings, Table
from gatehouse.config.values import WrongError, flag, typed
from gatehouse.errors import SetupError
from gatehouse.texts import _

SETUP: Final = "setup"
TLS_FILES: Final = {"ca": "ca.pem", "cert": "gateway.pem", "key": "gateway.key"}
"""The district's files, and what they are called beside the configuration."""

_LARGEST: Final = 256 * 1024
_HOSTS: Final = re.compile(r"[A-Za-z0-9.:_-]{1,253}(?: [A-Za-z0-9.:_-]{1,253}){0,7}")
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,2}")

Found = dict[str, Any]
"""What stands in the sections of a configuration, as TOML gave it."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """The machine's clock: what is to be set, and whether setup may do so."""

    set_time: bool = False
    time_server: str | None = None
    time_zone: str | None = None

    @property
    def any(self) -> bool:
        """Whether there is anything to set."""
        return self.time_server is not None or self.time_zone is not None


@dataclass(frozen=True, slots=True)
class Answers:
    """All answers, and the configuration that they make; ``folder`` is where its files may lie."""

    found: Found
    wishes: Wishes
    config: Config
    folder: Path

    def source(self, name: str) -> Path | None:
        """Return where one of the district's files lies now: beside the answers, or in its place.

        None where none is named; a path at which there is nothing where it is missing.
        """
        named: str | None = self.found.get("district", {}).get(name)
        if named is None or getattr(self.config.district, name) is None:
            return None
        places = (self.folder / named, self.config.path.parent / named)
        return next((path for path in places if path.is_file()), places[0])


def read(path: Path, target: Path) -> Answers:
    """Read an answers file for a configuration at ``target``.

    Raises ConfigError with every mistake in it at once.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST)  # one that is larger breaks off: no TOML, or no answers
        text = content.decode("utf-8-sig")
        found = tomli.loads(text)
    except OSError as exc:
        reason = exc.strerror or str(exc)
        said = _("cannot be read: {reason}").format(reason=reason)
        raise ConfigError(path, [Mistake("", None, said, FILE)]) from exc
    except (ValueError, RecursionError) as exc:
        said = _("is not TOML: {reason}").format(reason=exc)
        line = getattr(exc, "lineno", None)
        raise ConfigError(path, [Mistake("", line, said, FILE)]) from exc
    answers, mistakes = check(found, text, target, folder=path.absolute().parent)
    if answers is None or mistakes:
        raise ConfigError(path, mistakes)
    return answers


def check(
    found: Mapping[str, Any], text: str, target: Path, *, folder: Path
) -> tuple[Answers | None, tuple[Mistake, ...]]:
    """Check answers by the rules of the configuration; ``text`` is for the lines of mistakes."""
    sections = {name: value for name, value in found.items() if name != SETUP}
    config, mistakes = rules.check(sections, target, text)
    findings = Findings(Lines(text))
    wishes = _wishes(found.get(SETUP, {}), findings)
    told = sorted((*mistakes, *findings.mistakes), key=lambda mistake: mistake.line or 0)
    if config is None:
        return None, tuple(told)
    return Answers(sections, wishes, config, folder), tuple(told)


def partial(found: Mapping[str, Any], target: Path) -> Config:
    """Return the configuration of answers that are not complete yet, to prove what is there.

    Raises SetupError when an answer is wrong that was accepted: two answers that do not agree.
    """
    filled = {
        "district": {"brokers": ["mqtt://127.0.0.1"]},
        "button": [{"name": "none", "location": "-", "pin": 0}],
        **found,
    }
    config, mistakes = rules.check(filled, target, "")
    stops = [mistake for mistake in mistakes if mistake.stops_alarm]
    if config is None or stops:
        raise SetupError("\n".join(str(mistake) for mistake in stops))
    return config


def of_cameras(cameras: list[Found], target: Path) -> list[Mistake]:
    """Return what is wrong with these cameras, each by itself or beside the others."""
    _, mistakes = rules.check({"camera": cameras}, target, "")
    return [mistake for mistake in mistakes if mistake.section == "camera"]


def _wishes(found: object, findings: Findings) -> Wishes:
    if not isinstance(found, dict):
        findings.note(SETUP, (SETUP,), _("must be one table, written [setup]"), SETUP)
        return Wishes()
    table = Table(found, key=SETUP, path=(SETUP,), section=SETUP, findings=findings)
    wishes = Wishes(
        set_time=table.take("set_time", flag, default=False),
        time_server=table.take("time_server", time_server, None),
        time_zone=table.take("time_zone", time_zone, None),
    )
    table.end()
    return wishes


def time_server(value: object) -> str:
    """Accept one or more names or addresses, with spaces between them."""
    found = typed(value, str)
    if not _HOSTS.fullmatch(found):
        raise WrongError(_("must be names or addresses of time servers, with spaces between"))
    return found


def time_zone(value: object) -> str:
    """Accept a zone such as Asia/Shanghai."""
    found = typed(value, str)
    if not _ZONE.fullmatch(found):
        raise WrongError(_("must be a time zone such as Asia/Shanghai"))
    return found
