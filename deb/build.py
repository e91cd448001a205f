"""``make deb``: the installable packages, for each architecture, on either (decision 11).

Nothing is compiled: wheels are downloaded, files copied, and dpkg-deb puts them together.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from packages import PACKAGES, SCRIPTS, Package
from wheels import MACHINES, PYTHONS, download, own_wheel, pins

HERE: Final = Path(__file__).parent
SOURCE: Final = HERE.parent

GPIO: Final = ", python3-lgpio | python3 (<< 3.12)"
"""Where no wheel holds it (see wheels.py). Only where there are pins: Raspberry Pi OS has the
package, Debian 13 has not, and there is none to press a button on amd64."""


def main() -> None:
    """Build what is asked for."""
    parser = argparse.ArgumentParser(prog="make deb")
    parser.add_argument("--arch", nargs="+", choices=MACHINES, default=list(MACHINES))
    parser.add_argument("--package", nargs="+", choices=PACKAGES, default=list(PACKAGES))
    parser.add_argument("--to", type=Path, default=SOURCE / "dist", metavar="FOLDER")
    parser.add_argument("--cache", type=Path, default=SOURCE / ".stamps/wheels", metavar="FOLDER")
    parser.add_argument("--suffix", default="", help="behind the version, such as +test1")
    args = parser.parse_args()
    args.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        own = own_wheel(SOURCE, Path(folder))
        for name in args.package:
            for arch in args.arch:
                print(build(PACKAGES[name], arch, own, args.to, args.cache, suffix=args.suffix))


def build(
    package: Package, arch: str, own: Path, to: Path, cache: Path, *, suffix: str = ""
) -> Path:
    """Build a package for one architecture around our own wheel; returns the file."""
    version = own.name.split("-")[1] + suffix
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        lay_out(package, root)
        gather(package, root / package.wheels, arch, own, cache)
        control = root / "DEBIAN"
        control.mkdir()
        for name in SCRIPTS:
            (control / name).write_text(package.script(name), encoding="utf-8")
        shutil.copy(HERE / "triggers", control / "triggers")
        (control / "control").write_text(describe(package, root, version, arch), encoding="utf-8")
        made = to / f"{package.name}_{version}_{arch}.deb"
        _modes(root)
        # Wheels are compressed already: more effort would cost minutes and save nothing.
        command = ["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "--build"]
        subprocess.run(
            [*command, str(root), str(made)],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"SOURCE_DATE_EPOCH": _moment()},
        )
    return made


def lay_out(package: Package, root: Path) -> None:
    """Copy what the package holds besides wheels. Raises FileNotFoundError for what is gone."""
    for pattern, place in package.files.items():
        globbed = (path for path in sorted(SOURCE.glob(pattern)) if path.is_file())
        found = [path for path in globbed if path.name not in package.left_out]
        if not found:
            raise FileNotFoundError(f"the source has no {pattern}")
        above = SOURCE / pattern.partition("*")[0].rpartition("/")[0]
        for path in found:
            inner = path.relative_to(above) if "**" in pattern else Path(path.name)
            (root / place / inner).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, root / place / inner)
    for link in package.links:
        (root / link).parent.mkdir(parents=True, exist_ok=True)
        (root / link).symlink_to(f"{package.place}/bin/{Path(link).name}")


def gather(package: Package, folder: Path, arch: str, own: Path, cache: Path) -> None:
    """Put wheels into ``folder``, and for each Python the list of those that are its own."""
    folder.mkdir(parents=True)
    shutil.copy(own, folder / own.name)
    for python in PYTHONS:
        listed = pins(package.needs, python, MACHINES[arch])
        kept = cache / f"{package.name}-{arch}-{python}"
        wanted = "\n".join(map(str, listed))
        stamp = kept / "pins.txt"
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
            shutil.rmtree(kept, ignore_errors=True)
            kept.mkdir(parents=True)
            download(kept, listed, python, MACHINES[arch])
            stamp.write_text(wanted, encoding="utf-8")
        for wheel in kept.glob("*.whl"):
            shutil.copy(wheel, folder / wheel.name)
        lines = f"{wanted}\ngatehouse-agent=={own.name.split('-')[1]}\n"
        (folder / f"python{python}.txt").write_text(lines, encoding="utf-8")


def describe(package: Package, root: Path, version: str, arch: str) -> str:
    """Fill in the control file."""
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    text = (package.scripts / "control").read_text(encoding="utf-8")
    gpio = GPIO if package.gpio and arch == "arm64" else ""
    return text.format(version=version, arch=arch, size=size // 1024 + 1, gpio=gpio)


def _modes(root: Path) -> None:
    """Give every file and folder Debian's modes, whatever umask the source was checked out with."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            runs = path.is_dir() or (path.parent.name == "DEBIAN" and path.name in SCRIPTS)
            path.chmod(0o755 if runs else 0o644)


def _moment() -> str:
    """Return the time of the last commit: two builds of one commit are the same file."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return given
    command = ["git", "-C", str(SOURCE), "log", "-1", "--format=%ct"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.stdout.strip() or "0"


if __name__ == "__main__":
    main()
