"""A gateway installed as on site, in a container with its broker; the district listens outside."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gatehouse import config
from gatehouse_sim.agent import die_with_parent
from gatehouse_sim.authority import Authority
from gatehouse_sim.school import BUTTONS, DISTRICT_NAME, GATEWAY
from gatehouse_sim.wiring_client import WiringClient, press
from nspawn.container import Container, unpacked

ALARM: Final = "gatehouse-alarm.service"
VIDEO: Final = "gatehouse-video.service"
_CAMERA: Final = Path(__file__).with_name("camera.py")
_BROKER: Final = "mqtts://localhost:8883"
_CONFIG: Final = f"""[gateway]
id = "{GATEWAY}"
school = "实验小学"
{BUTTONS}
[district]
brokers = ["{_BROKER}"]
ca = "ca.pem"
cert = "gateway.pem"
key = "gateway.key"
heartbeat_s = 2
"""
_SIMULATED: Final = """[Service]
Environment=GPIOZERO_PIN_FACTORY=gatehouse_sim GATEHOUSE_SIM_SOCKET=/run/gatehouse/sim.sock
"""


class Gateway:
    """The machine, what a technician puts on it, and what the district hears of it."""

    def __init__(self, container: Container, files: Path) -> None:
        self.container = container
        self.heard: list[dict[str, Any]] = []
        self._files = files
        self._district: subprocess.Popen[str] | None = None
        self._camera: subprocess.Popen[str] | None = None
        authority = Authority.make(files, datetime.now(UTC))
        authority.server()
        authority.client(GATEWAY)
        authority.client(DISTRICT_NAME)

    def install(self, package: Path) -> str:
        """Install a package: there is no network in there."""
        there = self.put(package, f"root/{package.name}")
        return self.container.run("dpkg", "--install", there)

    def put(self, source: Path | str, place: str, mode: int = 0o644) -> str:
        """Put a file (or text) onto its disk; returns its path in there."""
        target = self.container.root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes() if isinstance(source, Path) else source.encode())
        target.chmod(mode)
        return f"/{place}"

    def set_up_broker(self) -> None:
        """Set mosquitto up with the district's rules."""
        rules = Path(__file__).parents[2] / "config" / "district"
        place = "etc/mosquitto/gatehouse"
        ours = (self._files / name for name in ("ca.pem", "crl.pem", "server.pem"))
        for source in (rules / "acl", *ours):
            self.put(source, f"{place}/{source.name}")
        self.put(self._files / "server.key", f"{place}/server.key", 0o640)
        self.container.run("chgrp", "-R", "mosquitto", f"/{place}")
        self.put(rules / "mosquitto.conf", "etc/mosquitto/conf.d/gatehouse.conf")
        self.put("127.0.0.1 localhost\n", "etc/hosts")
        self.container.run("systemctl", "restart", "mosquitto.service")

    def set_up(self, more: str = "") -> None:
        """Configure it as `gatehouse setup` would, on simulated wiring; the key is root's alone."""
        for name in ("alarm", "video"):
            place = f"etc/systemd/system/gatehouse-{name}.service.d/simulated.conf"
            self.put(_SIMULATED, place)
        self.put(_CONFIG + more, "etc/gatehouse/gatehouse.toml")
        self.put(self._files / "ca.pem", "etc/gatehouse/ca.pem")
        self.put(self._files / f"{GATEWAY}.pem", "etc/gatehouse/gateway.pem")
        self.put(self._files / f"{GATEWAY}.key", "etc/gatehouse/gateway.key", 0o600)
        self.container.run("systemctl", "daemon-reload")

    def start(self) -> None:
        """Start it, and return when the district proves to hear it."""
        self.container.run("systemctl", "restart", "gatehouse.target")
        self.wait_until_connected()

    def open_district(self) -> None:
        """Listen as the district; again after each boot, as the network goes with the machine."""
        self.close_district()
        identity = self._files / DISTRICT_NAME
        command = [sys.executable, "-m", "gatehouse_sim.district", "--broker", _BROKER]
        files = [f"--ca={self._files}/ca.pem", f"--cert={identity}.pem", f"--key={identity}.key"]
        store = f"--store={self._files}/district.db"
        self._district = self._beside(*command, *files, store)
        threading.Thread(target=self._hear, args=(self._district,), daemon=True).start()

    def _beside(self, *command: str) -> subprocess.Popen[str]:
        """Start a program of ours in the machine's network, where it is 127.0.0.1."""
        network = f"--net={self.container.inside.parent}/ns/net"
        return subprocess.Popen(
            ["nsenter", network, *command],
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509  # one prctl, no lock
        )

    def add_camera(self) -> None:
        """Connect a camera that shows a picture, and have the services know of it."""
        self._camera = self._beside(sys.executable, str(_CAMERA), str(self._files))
        assert self._camera.stdout is not None
        with self._camera.stdout as said:
            url = said.readline().strip()
        self.set_up(f'''
[[camera]]
name = "yard"
area = "general"
source = "{url}"
recordings = "/srv/recordings/yard"
''')
        self.container.run("systemctl", "restart", ALARM)
        self.container.run("systemctl", "reload", VIDEO)

    def close_district(self) -> None:
        """Stop listening, and showing pictures."""
        for process in (self._district, self._camera):
            if process is not None:
                process.kill()
                process.wait()
        self._camera = None

    def _hear(self, district: subprocess.Popen[str]) -> None:
        if district.stdout is not None:
            with district.stdout as lines:
                for line in lines:
                    self.heard.append(json.loads(line))

    def status(self) -> dict[str, Any]:
        """Return the document of `gatehouse status`; empty while the service does not answer."""
        said = self.container.run("gatehouse", "status", "--json", check=False)
        try:
            document: dict[str, Any] = json.loads(said)
        except ValueError:
            return {}
        return document

    def wait_until_connected(self) -> None:
        """Wait until the service has its district."""
        self.container.wait_for(
            lambda: self.status().get("link", {}).get("state") == "connected", "the district"
        )

    def press(self) -> None:
        """Press a button and let go; returns when its alarm is on the district's disk."""
        path = self.container.root.parent / "gatehouse.toml"
        path.write_text(_CONFIG, encoding="utf-8")
        button = config.read(path).buttons[0]
        before = len(self.raised)
        socket = self.container.inside / "run/gatehouse/sim.sock"
        with WiringClient(socket, timeout_s=60) as wires:
            press(wires, button)
        self.container.wait_for(lambda: len(self.raised) > before, "the alarm at the district")
        self.container.wait_for(
            lambda: self.status().get("buttons", [{}])[0].get("line") == "normal",
            "the button's release",
        )

    @property
    def raised(self) -> list[str]:
        """The ids of the alarms that the district has on disk."""
        return [one["id"] for one in self.heard if one.get("type") == "gatehouse.alarm.raised"]

    def pid(self, unit: str = ALARM) -> int:
        """Return the main process of a unit, as seen in there."""
        return int(self.container.show(unit, "MainPID"))

    def wait_for_restart(self, restarts: int, unit: str = ALARM) -> None:
        """Wait until systemd has restarted a unit so often, and it is ready."""
        show = self.container.show
        self.container.wait_for(
            lambda: (
                int(show(unit, "NRestarts")) >= restarts and show(unit, "ActiveState") == "active"
            ),
            f"restart {restarts} of {unit}",
        )


@contextmanager
def opened(archive: Path, package: Path) -> Iterator[Gateway]:
    """Boot a machine and install the package; everything goes at the end."""
    with unpacked(archive) as root:
        container = Container(root)
        gateway = Gateway(container, root.parent / "files")
        container.boot()
        try:
            gateway.install(package)
            yield gateway
        finally:
            gateway.close_district()
            container.shut_down()


@contextmanager
def working(archive: Path, package: Path) -> Iterator[Gateway]:
    """Lend a gateway that is set up, runs, and has its district."""
    with opened(archive, package) as gateway:
        gateway.set_up_broker()
        gateway.set_up()
        gateway.open_district()
        gateway.start()
        yield gateway
