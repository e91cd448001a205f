"""A whole school in one folder: broker, district, cameras and agent, joined by real sockets."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gatehouse import config
from gatehouse.config.model import Button, Config
from gatehouse_sim.agent import Agent
from gatehouse_sim.authority import Authority
from gatehouse_sim.broker import Broker
from gatehouse_sim.cable import Cable
from gatehouse_sim.cameras import Cameras
from gatehouse_sim.child import Place
from gatehouse_sim.district import District
from gatehouse_sim.films import FILMS
from gatehouse_sim.identity import Identity
from gatehouse_sim.school_cameras import SimCamera, prepare
from gatehouse_sim.small_disk import SmallDisk
from gatehouse_sim.video import Video
from gatehouse_sim.wiring_client import WiringClient

GATEWAY: Final = "sim-school-1"
_LIMIT_S: Final = 60.0

BUTTONS: Final = """
[[button]]
name = "gate"
location = "南门门卫室"
pin = 17
loop = 27
reset = 24
lamps = { red = 22, yellow = 5, green = 6 }
buzzer = 23
relay = 26

[[button]]
name = "office"
location = "教务处"
pin = 13
latching = true
lamps = { red = 19 }

[enclosure]
tamper = 12
mains = 16
"""

DISTRICT_NAME: Final = "district.receiver"
"""The certificate name of the district's receiver: a dot, which no gateway id may have."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What kind of school to open."""

    gateway: str = GATEWAY
    tls: bool = True
    buttons: str = BUTTONS
    port: int = 0
    brokers: int = 1
    district_lines: str = ""
    gateway_lines: str = 'language = "zh_CN"'
    cameras: Mapping[str, SimCamera] = field(default_factory=dict)
    shows: Collection[str] = tuple(FILMS)
    """What the cameras can be told to show."""
    more: str = ""
    cable: bool = False
    """Whether the way to the first broker is a cable that can be pulled."""
    small_disk: bool = False
    """Whether the services' state lies on a small disk of its own, where the machine allows it."""
    environ: Mapping[str, str] = field(default_factory=dict)


class School:
    """Broker (and its stand-in), district, cameras and agent of one plan, in one folder."""

    def __init__(self, root: Path, plan: Plan) -> None:
        self.plan = plan
        self.place = Place(root)
        identity = None
        server = None
        if plan.tls:
            self.authority = Authority.make(root, datetime.now(UTC))
            self.authority.client(plan.gateway)
            server = self.authority.server()
            identity = self.authority.client(DISTRICT_NAME)
        self.identity: Identity | None = identity
        self.brokers = [
            Broker(root / f"broker{n}", server, port=plan.port if n == 0 else 0)
            for n in range(plan.brokers)
        ]
        self.cable = Cable(self.broker.port) if plan.cable else None
        self.disk = SmallDisk(self.place.state_dir)
        self.district = self.new_district()
        first = {name: camera.film for name, camera in plan.cameras.items()}
        self.cameras = Cameras(self.place.runtime_dir, first, shows=plan.shows)
        self.agent = Agent(self.place, plan.environ)
        self.video = Video(self.place, plan.environ)
        self.write_config()

    @property
    def broker(self) -> Broker:
        """The first broker."""
        return self.brokers[0]

    @property
    def config(self) -> Config:
        """The configuration that the agent runs on: of a broken file the last good copy."""
        return config.read_for_alarm(self.place.config, {}).config

    def new_district(self, broker: int = 0) -> District:
        """Make a district on one of the brokers; each has the same store."""
        url = self.brokers[broker].url
        return District(url, self.place.root / f"district{broker}.db", self.identity)

    def button(self, name: str) -> Button:
        """Return a button of the configuration."""
        return next(button for button in self.config.buttons if button.name == name)

    def wires(self) -> WiringClient:
        """Lay hands on the simulated wiring."""
        return WiringClient(self.place.wiring, timeout_s=_LIMIT_S)

    def write_config(self, **sections: str) -> None:
        """Write the configuration; of its parts (keys of ``given`` below) some may be given."""
        given = {
            "gateway": self._gateway_section(),
            "buttons": self.plan.buttons,
            "district": self._district_section(),
            "cameras": self.camera_sections(self.plan.cameras),
            "more": self.plan.more,
        } | sections
        self.place.config.write_text("\n".join(given.values()), encoding="utf-8")

    def camera_sections(self, cameras: Collection[str]) -> str:
        """Return the sections of some of the plan's cameras, as `write_config` takes them."""
        return "\n".join(
            self.plan.cameras[name].section(name, self.cameras.url(name), self.place)
            for name in cameras
        )

    async def start_cameras(self) -> None:
        """Start the cameras, with their passwords. Raises ChildProcessError with their log."""
        self.place.runtime_dir.mkdir(parents=True, exist_ok=True)
        prepare(self.place, self.plan.cameras)
        await self.cameras.start()
        for name, camera in self.plan.cameras.items():
            if camera.credential:
                user, _, password = camera.credential.partition(":")
                await self.cameras.password(name, user, password)

    def _gateway_section(self) -> str:
        return f"""[gateway]
id = "{self.plan.gateway}"
school = "实验小学"
state_dir = "{self.place.state_dir}"
runtime_dir = "{self.place.runtime_dir}"
{self.plan.gateway_lines}
"""

    def _district_section(self) -> str:
        name = self.plan.gateway
        files = f'ca = "ca.pem"\ncert = "{name}.pem"\nkey = "{name}.key"\n'
        places = [broker.url for broker in self.brokers]
        if self.cable is not None:
            scheme = places[0].partition(":")[0]
            places[0] = f"{scheme}://127.0.0.1:{self.cable.port}"
        urls = ", ".join(f'"{url}"' for url in places)
        lines = files if self.plan.tls else ""
        return f"[district]\nbrokers = [{urls}]\n{lines}{self.plan.district_lines}\n"

    async def lamp(self, test: Callable[[list[tuple[int, int]]], bool], pin: int) -> bool:
        """Wait until a lamp's edges pass a test; False if they never do.

        The wiring's socket tells the past only, so it is asked again and again.
        """
        with contextlib.suppress(TimeoutError), self.wires() as wires:
            async with asyncio.timeout(_LIMIT_S):
                while not test(wires.history(pin)):  # noqa: ASYNC110  # the socket wakes nobody
                    await asyncio.sleep(0.05)
                return True
        return False


def blinks(per_s: float) -> Callable[[list[tuple[int, int]]], bool]:
    """Return a test for a lamp that now blinks at this rate."""

    def test(edges: list[tuple[int, int]]) -> bool:
        if len(edges) < 4:
            return False
        steps = [
            after[0] - before[0] for before, after in zip(edges[-4:], edges[-3:], strict=False)
        ]
        half_ns = 5e8 / per_s
        return all(0.7 * half_ns < step < 1.3 * half_ns for step in steps)

    return test


def steady(for_s: float = 1.2) -> Callable[[list[tuple[int, int]]], bool]:
    """Return a test for a lamp that has been on for a while."""

    def test(edges: list[tuple[int, int]]) -> bool:
        return (
            bool(edges) and edges[-1][1] == 1 and time.monotonic_ns() - edges[-1][0] > for_s * 1e9
        )

    return test


@contextlib.asynccontextmanager
async def opened(
    root: Path, plan: Plan | None = None, *, agent: bool = True, video: bool = False
) -> AsyncIterator[School]:
    """Open a school: brokers, district, cameras, and the agent's services that are wanted by now.

    All are closed at the end.
    """
    school = School(root, plan or Plan())
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(school.cameras.close)
        for broker in school.brokers:
            await stack.enter_async_context(broker)
        await stack.enter_async_context(school.district)
        if school.cable is not None:
            await stack.enter_async_context(school.cable)
        if school.plan.small_disk:
            disk = await stack.enter_async_context(school.disk)
            school.agent.within = school.video.within = disk.within
        if school.plan.cameras:
            await school.start_cameras()
        for service in (school.agent, school.video):
            stack.push_async_callback(service.stop)
        if agent:
            await school.agent.start()
        if video:
            await school.video.start()
        yield school


def short_folder() -> Path:
    """Return a fresh folder whose name leaves room for socket paths (107 bytes)."""
    return Path(tempfile.mkdtemp(prefix="gh-"))
