"""Writing what setup made: certificates, configuration, answers, and what is not proven."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tomli

from gatehouse import files, unproven
from gatehouse.config import checks as rules
from gatehouse.errors import SetupError
from gatehouse.setup import document
from gatehouse.setup.answers import TLS_FILES, Answers, Found
from gatehouse.setup.proofs import Proof
from gatehouse.texts import _

ANSWERS: Final = "gateway.answers.toml"
_OPEN: Final = 0o640
_SECRET: Final = 0o600
"""The key is its owner's alone: systemd hands it to the service (LoadCredential)."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, and what must still be put there by hand."""

    config: Path
    answers: Path
    kept: tuple[Path, ...]
    missing: tuple[Path, ...]


def install(answers: Answers, proofs: Iterable[Proof]) -> Written:
    """Write everything; the configuration itself, on which a service runs, comes last but one.

    What stood there before is kept as ``.bak``. Raises OSError, and SetupError for a text that
    would not pass ``config check``; nothing is written then.
    """
    target = answers.config.path
    found, copies, missing = _district_files(answers)
    text = document.configuration(found)
    _must_pass(text, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    kept = [path for path, content, mode in copies if _kept(path, content, mode)]
    state_dir = answers.config.gateway.state_dir
    state_dir.mkdir(parents=True, exist_ok=True)
    unproven.write(state_dir, filter(None, (proof.unproven() for proof in proofs)))
    beside = target.with_name(ANSWERS)
    said = document.answers(found, answers.wishes)
    for path, content in ((target, text), (beside, said)):
        if _kept(path, content.encode(), _OPEN):
            kept.append(path)
    backups = tuple(path.with_name(path.name + files.BACKUP) for path in kept)
    return Written(target, beside, backups, tuple(missing))


def _kept(path: Path, content: bytes, mode: int) -> bool:
    return files.replace_keeping(path, content, mode=mode)


def _district_files(answers: Answers) -> tuple[Found, list[tuple[Path, bytes, int]], list[Path]]:
    """Return the sections with the files where they will lie, what to copy, and what is missing."""
    folder = answers.config.path.parent
    district = dict(answers.found["district"])
    copies, missing = [], []
    for name, usual in TLS_FILES.items():
        source = answers.source(name)
        if source is None:
            continue
        if not source.is_file():
            missing.append(folder / usual)
        elif source.resolve().parent == folder.resolve():
            district[name] = source.name
            continue
        else:
            copies.append((folder / usual, _read(source), _SECRET if name == "key" else _OPEN))
        district[name] = usual
    return {**answers.found, "district": district}, copies, missing


def _read(source: Path) -> bytes:
    try:
        return source.read_bytes()
    except OSError as exc:
        said = _("{path} cannot be read: {reason}").format(path=source, reason=exc.strerror or exc)
        raise SetupError(said) from exc


def _must_pass(text: str, target: Path) -> None:
    config, mistakes = rules.check(tomli.loads(text), target, text)
    if config is None or mistakes:
        raise SetupError("\n".join(mistake.located(target) for mistake in mistakes))


def writable(target: Path, state_dir: Path) -> str | None:
    """Say why setup could not write at the end; better told before the questions than after."""
    for folder in (target.parent, state_dir):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if not os.access(there, os.W_OK | os.X_OK):
            return _("{folder} is not writable: use sudo").format(folder=there)
    return None
