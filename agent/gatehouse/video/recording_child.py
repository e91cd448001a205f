"""What the recording ffmpeg is started with, and what it is told on stdin. Pure.

Why it gets its address as a script on stdin: docs/decisions/0008-recording-child.md.
"""

import re
from typing import Final

COMMAND: Final = (
    *("nice", "-n", "10", "ionice", "-t", "-c", "2", "-n", "7"),
    *("ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-loglevel", "error"),
    *("-progress", "pipe:1", "-stats_period", "1"),
    *("-fpsprobesize", "0", "-f", "concat", "-safe", "0"),
    *("-protocol_whitelist", "pipe,rtsp,rtsps,rtp,tcp,udp,tls,crypto", "-i", "pipe:0"),
    *("-map", "0:v:0", "-c", "copy", "-f", "segment", "-segment_format", "mp4"),
    "-segment_format_options",
    "movflags=+frag_keyframe+empty_moov+default_base_moof:flush_packets=1",
    *("-reset_timestamps", "1", "-strftime", "1"),
)
"""The command but for the length of a segment and the names."""


def with_parent(pid: int) -> tuple[str, ...]:
    """Return what a command is put behind that must end with this parent, even after kill -9.

    An ffmpeg without its parent would record for ever. The kernel kills it with its parent from the
    first step on; the second ends one whose parent was gone before that.
    """
    orphan = 'test "$PPID" = "$0" && exec "$@"'
    return ("setpriv", "--pdeathsig", "KILL", "sh", "-c", orphan, str(pid))


def script(url: str) -> bytes:
    """Write what ffmpeg's concat demuxer reads: the address, and how to open it.

    Arrival times, as cameras' own clocks are wrong; no frames are held back to guess a rate, else
    a segment would be named up to a second after its first frame. Raises ValueError for an address
    that would be more than one line.
    """
    if any(ord(each) < 32 for each in url):
        raise ValueError("an address is one line")
    quoted = url.replace("'", r"'\''")
    options = {
        "rtsp_transport": "tcp",
        "timeout": 5_000_000,
        "use_wallclock_as_timestamps": 1,
        "fpsprobesize": 0,
    }
    lines = ["ffconcat version 1.0", f"file '{quoted}'"]
    return "\n".join([*lines, *(f"option {k} {v}" for k, v in options.items()), ""]).encode()


def redacted(text: str) -> str:
    """Return what ffmpeg said without what stands before a host."""
    return re.sub(r"://[^\s/]*@", "://", text)
