"""A disk that takes long for each sync: fsync and fdatasync delayed below libc's names.

A few lines of C are compiled into a folder and loaded with LD_PRELOAD into the process that shall
have the slow disk. SQLite syncs through libc, so nothing in the agent is changed. The delay comes
on top of what the real disk takes.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Final

SYNC_MS: Final = 20

_SOURCE: Final = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static void wait_for_disk(void) {
    struct timespec delay = {0, DELAY_MS * 1000000L};
    nanosleep(&delay, 0);
}

int fsync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_for_disk();
    return real(fd);
}

int fdatasync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_for_disk();
    return real(fd);
}
"""


def build(folder: Path) -> Path | None:
    """Compile it; None where there is no gcc. Raises CalledProcessError with gcc's words."""
    gcc = shutil.which("gcc") or shutil.which("cc")
    if gcc is None:
        return None
    source, library = folder / "slow_disk.c", folder / "slow_disk.so"
    source.write_text(_SOURCE, encoding="utf-8")
    options = ("-shared", "-fPIC", "-O2", f"-DDELAY_MS={SYNC_MS}")
    subprocess.run([gcc, *options, "-o", library, source, "-ldl"], check=True)
    return library
