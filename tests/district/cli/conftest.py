"""A district for commands: a configuration, and a database that a real receiver has written."""

import asyncio
import json
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from gatehouse import texts
from gatehouse_district.cli import main
from gatehouse_district.receiver.receiver import Receiver
from gatehouse_sim.broker import Broker
from gatehouse_sim.school import short_folder
from sim.paho_gateway import PahoGateway

CONFIG: Final = """
[district]
name = "实验区"
language = "{language}"
state_dir = "state"
runtime_dir = "run"

[broker]
url = "mqtt://127.0.0.1:1"
"""
SCHOOL: Final = "qd-sn-0042"
HOSTILE: Final = "evil-1"
ESCAPES: Final = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e[red]=1+1"
"""Clears a terminal, names its window, colours in 8 bits, turns text around; markup; a formula."""

ALARM: Final = "01936f00-0000-7000-8000-0000000000a1"
ANSWERED: Final = "01936f00-0000-7000-8000-0000000000a2"
TEST: Final = "01936f00-0000-7000-8000-0000000000a3"


@dataclass(frozen=True)
class Place:
    """Where one district is."""

    root: Path
    file: Path

    def speak(self, language: str) -> None:
        """Have its configuration say another language."""
        self.file.write_text(CONFIG.format(language=language), encoding="utf-8")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Type in English, on a terminal of 80 columns, with no configuration named."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("GATEHOUSE_DISTRICT_CONFIG", raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "80")
    yield
    texts.use("en")


@pytest.fixture(scope="session")
def written() -> Iterator[Path]:
    """Lend the state folder of a district that two gateways have spoken to."""
    folder = short_folder()
    try:
        asyncio.run(_write(folder))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def place(written: Path) -> Iterator[Place]:
    """Lend a district whose service does not run."""
    root = short_folder()
    shutil.copytree(written, root / "state")
    (root / "run").mkdir()
    here = Place(root, root / "district.toml")
    here.speak("en")
    yield here
    shutil.rmtree(root, ignore_errors=True)


@dataclass(frozen=True)
class Said:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its one document."""
        return json.loads(self.out)


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Any:
    """Lend what types a command in this process."""

    def type_(place: Place | None, *words: str) -> Said:
        try:
            given = [] if place is None else ["--config", str(place.file)]
            code = main([*words[:1], *given, *words[1:]])
        except SystemExit as exc:  # argparse
            code = int(exc.code or 0)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return type_


def event(gateway: str, number: int, kind: str, subject: str, **more: Any) -> dict[str, Any]:
    """Make an event as the contract says."""
    return {
        "specversion": "1.0",
        "id": f"01936f00-0000-7000-8000-{number:012x}",
        "source": f"/gatehouse/{gateway}",
        "type": f"gatehouse.{kind}",
        "subject": subject,
        "time": f"2026-11-23T08:00:{number % 60:02d}.000000Z",
        "datacontenttype": "application/json",
        "store": str(uuid.uuid5(uuid.NAMESPACE_DNS, gateway)),
        "sequence": f"00000001.{number:010d}",
        "bootid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "monotonic": str(1000 + number),
        "clock": "synced",
        "mode": "real",
        "data": {},
    } | more


def _school() -> Iterator[tuple[str, dict[str, Any]]]:
    told = {"location": "南门门卫室", "held_at_start": False}
    yield (
        "event",
        event(SCHOOL, 1, "gateway.started", "gateway", data={"previous": None, "reason": "power"}),
    )
    raised = event(SCHOOL, 2, "alarm.raised", "button/gate", data=told)
    yield "alarm", raised | {"id": ALARM}
    yield "alarm", event(SCHOOL, 3, "alarm.raised", "button/gate", data=told) | {"id": ANSWERED}
    tried = event(SCHOOL, 4, "alarm.raised", "button/gate", mode="test", data=told)
    yield "alarm", tried | {"id": TEST}
    gone = {"fault": "covered", "for_s": 3.0}
    yield "event", event(SCHOOL, 5, "camera.fault", "camera/yard", data=gone)
    checks = [{"name": "broker", "result": "OK", "seconds": 0.1, "figure": "", "remedy": None}]
    report = {"result": "OK", "checks": checks}
    yield "event", event(SCHOOL, 6, "selftest.report", "gateway", data=report)
    yield "event", event(SCHOOL, 9, "gateway.fault", "gateway", data={"fault": "clock"})


def _hostile() -> Iterator[tuple[str, dict[str, Any]]]:
    told = {"location": ESCAPES, "held_at_start": False, "by": ESCAPES, "fault": ESCAPES}
    raised = event(HOSTILE, 1, "alarm.raised", f"button/{ESCAPES}", data=told)
    yield "alarm", raised | {"id": "=cmd|' /C calc'!A0", "store": "+store"}
    yield "event", event(HOSTILE, 2, f"odd.{ESCAPES}", ESCAPES, data=told)


def _birth(gateway: str, school: str) -> dict[str, Any]:
    return {
        "online": True,
        "store": str(uuid.uuid5(uuid.NAMESPACE_DNS, gateway)),
        "start": 1,
        "connection": 1,
        "bootid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "version": "0.1.0" if gateway == SCHOOL else school,
        "started": "2026-11-23T08:00:00Z",
        "buttons": ["gate"],
        "cameras": ["yard"],
        "faults": [],
        "school": school,
        "heartbeat_s": 20,
    }


async def _write(folder: Path) -> None:
    async with (
        Broker(folder / "broker") as broker,
        Receiver(broker.url, folder / "district.db") as receiver,
    ):
        for gateway, school, said in (
            (SCHOOL, "实验小学", _school()),
            (HOSTILE, ESCAPES, _hostile()),
        ):
            paho = PahoGateway(gateway)
            await paho.connect(broker.url)
            prefix = f"gatehouse/v1/{gateway}"
            birth = json.dumps(_birth(gateway, school))
            await paho.publish(f"{prefix}/state", birth, retain=True)
            for leaf, body in said:
                await paho.publish(f"{prefix}/up/{leaf}", json.dumps(body))
            await paho.close()
        async with asyncio.timeout(60):
            while len(await receiver.records.events()) < 9:
                await receiver.news.newer(receiver.news.revision)
        await receiver.answering.acknowledge(ANSWERED, "张主任")
    shutil.rmtree(folder / "broker")
