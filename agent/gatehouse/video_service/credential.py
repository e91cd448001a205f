"""The file with a camera's user and password: read beside the loop, shown nowhere."""

from pathlib import Path
from typing import Final

from gatehouse.errors import CameraError
from gatehouse.threads import off_loop

_READ_S: Final = 5.0
_MOST_BYTES: Final = 1024


async def read(path: Path) -> str:
    """Return "user:password".

    Raises CameraError, whose text holds nothing of what the file does, for a file that cannot be
    read or says something else; TimeoutError when its disk does not answer.
    """
    try:
        return await off_loop(lambda: _read(path), name="credential", timeout_s=_READ_S)
    except TimeoutError:
        raise
    except (OSError, ValueError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else exc
        raise CameraError(unreadable(path, str(why))) from None  # the cause may show its content


def unreadable(path: Path, why: str) -> str:
    """Say what is amiss with the file."""
    return f"the credential file {path} cannot be read: {why}"


def _read(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"it is longer than {_MOST_BYTES} bytes")
    text = data.removeprefix(b"\xef\xbb\xbf").decode().strip("\r\n")  # as editors leave it
    user, colon, _ = text.partition(":")
    if not (user and colon) or any(ord(each) < 32 for each in text):
        raise ValueError("it does not say user:password")
    return text
