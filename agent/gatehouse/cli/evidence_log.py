"""What the event log tells of evidence: from the running service, else from its file."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from gatehouse.cli.asking import socket_path
from gatehouse.config.model import Config
from gatehouse.control import client
from gatehouse.errors import ControlError, NotRunningError, OutboxError
from gatehouse.evidence.chain import TYPES, Log
from gatehouse.outbox.past import of_closed_file

_ANSWER_S: Final = 30.0


def read(conf: Config) -> Log | None:
    """Return it; None when nobody can tell, which is no reason not to look at the files."""
    try:
        return Log(_asked(conf))
    except NotRunningError:
        pass
    except ControlError:
        return None
    path = conf.gateway.state_dir / "outbox.db"
    try:
        if not path.exists():
            return None
        return Log(msgspec.json.decode(each.json()) for each in of_closed_file(path, TYPES))
    except (OutboxError, OSError, msgspec.DecodeError):
        return None


def _asked(conf: Config) -> Iterator[dict[str, Any]]:
    after: int | None = 0
    while after is not None:
        request = {"do": "history", "types": list(TYPES), "after": after}
        answer = client.ask(socket_path(conf), request, _ANSWER_S)
        yield from answer["events"]
        after = answer["next"]
