"""A hand before a simulated camera: what ``gatehouse-sim cover`` uses."""

import json
import socket
from pathlib import Path
from typing import Any, Final

from gatehouse.errors import NotRunningError

COVERED: Final = "covered"
NORMAL: Final = "normal"
_LIMIT_S: Final = 60.0


def show(path: Path, camera: str, film: str) -> None:
    """Have a camera of the running demo show a film (`films.FILMS`) from its next keyframe on.

    Raises NotRunningError when no simulated cameras listen at ``path``, ValueError with their own
    words when they refuse.
    """
    order = {"do": "show", "camera": camera, "film": film}
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(_LIMIT_S)
        try:
            link.connect(str(path))
            link.sendall(json.dumps(order).encode() + b"\n")
            line = link.makefile("rb").readline()
        except OSError as exc:
            raise _no_cameras(path, str(exc)) from exc
    if not line:
        raise _no_cameras(path, "the connection was closed")
    answer: dict[str, Any] = json.loads(line)
    if not answer.get("ok"):
        raise ValueError(f"the cameras refused {order}: {answer.get('error')}")


def _no_cameras(path: Path, why: str) -> NotRunningError:
    return NotRunningError(f"no simulated cameras answer on {path} ({why}): see gatehouse-sim demo")
