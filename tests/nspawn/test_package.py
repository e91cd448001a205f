"""The package's life on a machine: installed, upgraded, removed, purged; never a network."""

import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from nspawn.gateway import ALARM, VIDEO, Gateway, opened, working

MOST_DOWN_S = 5.0
"""Seconds that the alarm service may be away in an upgrade: issue 4."""
LEFT_OUT = {"lgpio", "setuptools"}
"""Named by what is installed, and rightly not there: deb/wheels.py."""


def test_it_waits_for_its_configuration(debian: Path, package: Path) -> None:
    """Without it a fresh installation would show failed services before anybody set it up."""
    with opened(debian, package) as gateway:
        run = gateway.container.run
        assert run("gatehouse", "--version").startswith("gatehouse ")
        assert (
            run("systemctl", "is-enabled", "gatehouse.target", ALARM, VIDEO).split()
            == ["enabled"] * 3
        )
        for timer in ("gatehouse-selftest.timer", "gatehouse-renew.timer"):
            assert run("systemctl", "is-active", timer) == "active"
        assert gateway.container.show(ALARM, "ActiveState") == "inactive"
        assert run("systemctl", "is-system-running") == "running"
        assert run("getent", "passwd", "gatehouse").endswith(":/usr/sbin/nologin")
        assert run("sh", "-c", "ls /usr/share/gatehouse/gateway.toml")
        for module in ("av", "numpy", "httpx", "cryptography", "msgspec", "aiomqtt", "gpiozero"):
            run("/opt/gatehouse/bin/python", "-c", f"import {module}")
        said = run("/opt/gatehouse/bin/pip", "check", check=False)
        assert set(re.findall(r"requires (\w+), which", said)) <= LEFT_OUT, said


def test_an_upgrade_keeps_the_outbox_and_is_quick(
    bookworm: Path, package: Path, newer: Path
) -> None:
    """Without it an upgrade by night would lose alarms, or leave the buttons dead for minutes."""
    with working(bookworm, package) as gateway:
        gateway.press()
        events = gateway.container.run("gatehouse", "events", "--json")
        (store,) = set(re.findall(r'"store": *"([^"]+)"', events))
        room = gateway.container.run("readlink", "/opt/gatehouse")
        gateway.install(newer)
        assert gateway.container.run("readlink", "/opt/gatehouse") != room
        assert not (gateway.container.root / room.lstrip("/")).exists()
        show = gateway.container.show
        ready, gone = (
            int(show(ALARM, f"{state}EnterTimestampMonotonic")) / 1e6
            for state in ("Active", "Inactive")
        )
        assert 0 < ready - gone < MOST_DOWN_S, "systemd's own times"
        gateway.wait_until_connected()
        gateway.press()
        events = gateway.container.run("gatehouse", "events", "--json")
        assert gateway.raised[0] in events
        assert set(re.findall(r'"store": *"([^"]+)"', events)) == {store}


def break_agent(package: Path, folder: Path) -> Path:
    """Make a package of a higher version whose alarm service cannot start."""
    subprocess.run(["dpkg-deb", "-R", str(package), str(folder / "x")], check=True)
    control = folder / "x/DEBIAN/control"
    control.write_text(control.read_text().replace("Version: ", "Version: 9."))
    (wheel,) = (folder / "x/usr/share/gatehouse/wheels").glob("gatehouse_agent*.whl")
    with zipfile.ZipFile(wheel) as before:
        members = {name: before.read(name) for name in before.namelist()}
    members["gatehouse/service/alarm.py"] = b"raise SystemExit(1)\n"
    with zipfile.ZipFile(wheel, "w") as after:
        for name, content in members.items():
            after.writestr(name, content)
    broken = folder / "broken.deb"
    subprocess.run(["dpkg-deb", "-Znone", "-b", str(folder / "x"), str(broken)], check=True)
    return broken


def test_a_broken_upgrade_goes_back(bookworm: Path, package: Path, tmp_path: Path) -> None:
    """Without it one bad release would silence the buttons of every school that took it."""
    broken = break_agent(package, tmp_path)
    with working(bookworm, package) as gateway:
        with pytest.raises(AssertionError, match="going back to the old one"):
            gateway.install(broken)
        gateway.wait_until_connected()
        gateway.press()
        gateway.install(package)  # and the way back is an ordinary installation
        gateway.wait_until_connected()


def test_a_new_python_gets_a_new_environment(bookworm: Path, package: Path) -> None:
    """Without it a new release of Debian would leave the agent with a Python that is gone."""
    with working(bookworm, package) as gateway:
        run = gateway.container.run
        room = run("readlink", "/opt/gatehouse")
        run("dpkg-trigger", "--by-package=python3-minimal", "/usr/bin/python3")
        run("dpkg", "--triggers-only", "gatehouse")
        assert run("readlink", "/opt/gatehouse") == room  # the same Python: nothing to do
        run("mv", f"{room}/lib/python3.11", f"{room}/lib/python3.10")
        run("dpkg-trigger", "--by-package=python3-minimal", "/usr/bin/python3")
        run("dpkg", "--triggers-only", "gatehouse")
        assert run("readlink", "/opt/gatehouse") != room
        gateway.wait_until_connected()
        gateway.press()


def test_removed_keeps_what_is_the_schools_and_purged_does_not(
    bookworm: Path, package: Path
) -> None:
    """Without it a removal would lose alarms, and a purge would leave keys on a card given away."""
    with working(bookworm, package) as gateway:
        run, root = gateway.container.run, gateway.container.root
        gateway.press()
        gateway.put("film", "srv/recordings/gate/film.mp4")
        run("dpkg", "--remove", "gatehouse")
        assert (root / "etc/gatehouse/gatehouse.toml").is_file()
        assert (root / "var/lib/gatehouse/outbox.db").is_file()
        assert left(gateway) == set()
        gateway.install(package)
        gateway.wait_until_connected()
        gateway.press()
        run("dpkg", "--purge", "gatehouse")
        assert not (root / "etc/gatehouse").exists()
        assert not (root / "var/lib/gatehouse").exists()
        assert (root / "srv/recordings/gate/film.mp4").is_file()  # the duty to keep them remains
        assert left(gateway) == set()
        links = [path for path in (root / "etc/systemd").rglob("gatehouse*") if path.is_symlink()]
        assert links == []


def left(gateway: Gateway) -> set[str]:
    """Return what of the package is still there or runs."""
    root = gateway.container.root
    places = {"opt/gatehouse", "opt/gatehouse.d", "usr/bin/gatehouse", "usr/share/gatehouse"}
    found = {place for place in places if (root / place).is_symlink() or (root / place).exists()}
    running = gateway.container.run("pgrep", "-u", "gatehouse", "-a", check=False)
    return found | set(running.splitlines())
