"""Opening a Unix socket so that it is never reachable by those it is not for."""

import contextlib
import os
import socket
import stat
from pathlib import Path
from typing import Final

from gatehouse.errors import GatehouseError

MODE: Final = 0o660
_BACKLOG: Final = 16


class ControlSocketError(GatehouseError, OSError):
    """The control socket cannot be opened, or another service answers on it."""


def open_socket(path: Path) -> tuple[socket.socket, int]:
    """Listen on ``path``; return the socket and its inode, by which it is known when removed.

    Mode 0660, with the group of the folder. It gets both under another name and before it
    listens; only then is it renamed into place, over the dead socket of a killed service if there
    is one. Raises ControlSocketError.
    """
    _refuse_living(path)
    fresh = path.with_suffix(".new")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
        sock.bind(str(fresh))
        with contextlib.suppress(PermissionError):  # not a member: the owner alone can connect
            os.chown(fresh, -1, fresh.parent.stat().st_gid)
        fresh.chmod(MODE)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
        fresh.replace(path)
        return sock, path.stat().st_ino
    except OSError as exc:
        sock.close()
        raise ControlSocketError(
            f"cannot listen on {path}: {exc.strerror or exc}; "
            f"is {path.parent} there, and may this user write to it?"
        ) from exc


def remove(path: Path, inode: int | None) -> None:
    """Remove the socket unless another service has put its own there meanwhile."""
    with contextlib.suppress(OSError):  # it is on a tmpfs, and a dead socket harms nobody
        if path.stat().st_ino == inode:
            path.unlink()


def _refuse_living(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return  # nothing there, or a folder that is missing: `bind` says so
    if not stat.S_ISSOCK(mode):
        raise ControlSocketError(f"{path} is there and is not a socket; move it away")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            pass  # its queue is full: somebody lives there
        except OSError:
            return
    raise ControlSocketError(f"another service answers on {path}; stop it first")
