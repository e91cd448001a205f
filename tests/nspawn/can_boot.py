"""Whether this machine can boot a container at all: ``can_boot.py ROOT.tar``; exit 0 if it can."""

import subprocess
import sys
from pathlib import Path

from nspawn.container import Container, unpacked


def main() -> int:
    """Boot a root and take it down."""
    with unpacked(Path(sys.argv[1])) as root:
        container = Container(root)
        try:
            container.boot()
            container.run("true")
        except (OSError, AssertionError, subprocess.SubprocessError) as exc:
            sys.stderr.write(f"no container can be booted here: {exc}\n")
            return 1
        finally:
            container.shut_down()
    return 0


if __name__ == "__main__":
    sys.exit(main())
