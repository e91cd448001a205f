"""``python -m gatehouse.contract_files FOLDER``: write the contract's files there."""

import argparse
import json
from pathlib import Path
from typing import Any

from gatehouse import __version__
from gatehouse.contract_files import asyncapi, schema_files


def texts() -> dict[str, str]:
    """Return every file of the contract by its name below the folder."""
    found = {"asyncapi.json": asyncapi.document(__version__)}
    found |= {f"schemas/{name}.json": body for name, body in schema_files.all_files().items()}
    return {name: _text(body) for name, body in found.items()}


def write(folder: Path) -> None:
    """Write them all. Raises OSError."""
    for name, text in texts().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _text(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m gatehouse.contract_files")
    parser.add_argument("folder", type=Path, help="where they go, such as config/district")
    write(parser.parse_args().folder)
