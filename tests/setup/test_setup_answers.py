"""Setup from an answers file, on the simulated board and a real broker: nothing is asked."""

import asyncio
import json
import shutil
import socket
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import tomli

from gatehouse import config, unproven
from gatehouse.errors import SetupError
from gatehouse.process import only_one
from gatehouse.setup import answers, session
from gatehouse.setup.proofs import Limits
from gatehouse_sim.agent import Agent
from gatehouse_sim.authority import Authority
from gatehouse_sim.broker import Broker
from gatehouse_sim.child import Place
from gatehouse_sim.wiring_client import WiringClient
from gatehouse_sim.wiring_client import press as press_button
from setup.site import GATEWAY, QUICK, Machine, Technician, answers_text, buttons_of, press, site

LIMIT_S = 60.0
BY_HAND = {"press", "reset", "lamps"}
FILES = 'ca = "ca.pem"\ncert = "mine.pem"\nkey = "mine.key"\n'


@pytest.fixture
async def broker(root: Path) -> AsyncIterator[Broker]:
    """Start the district's broker; the gateway's files lie on the technician's stick."""
    authority = Authority.make(root / "authority", datetime.now(UTC))
    mine = authority.client(GATEWAY)
    for source, name in ((mine.ca, "ca.pem"), (mine.cert, "mine.pem"), (mine.key, "mine.key")):
        shutil.copy(source, root / "usb" / name)
    async with Broker(root / "broker", authority.server()) as broker:
        yield broker


def stick(root: Path, *brokers: str, more: str = "", tls: bool = True) -> Path:
    """Write the answers onto the technician's stick."""
    file = root / "usb" / "answers.toml"
    text = answers_text(root, brokers, district=FILES if tls else "")
    file.write_text(text + more, encoding="utf-8")
    return file


def hands(root: Path, file: Path) -> Technician:
    """Return a technician who walks the school when told to."""
    buttons = answers.read(file, file).config.buttons
    return Technician(when={"turn each reset": partial(press, root / "sim.sock", *buttons)})


async def set_up(root: Path, technician: Technician, file: Path, **more: Any) -> bool:
    """Run setup as the command does, in a thread of its own."""
    place = site(root, **more)
    async with asyncio.timeout(LIMIT_S):
        return await asyncio.to_thread(session.run, technician, place, file)


def turning(technician: Technician, root: Path) -> None:
    """Turn the latching button back once it is seen to be pressed."""

    def turn() -> None:
        with WiringClient(root / "sim.sock", timeout_s=60) as client:
            client.set(13, 1)

    technician.when["turn it back"] = turn


async def test_a_replacement_is_proven_from_the_old_answers(root: Path, broker: Broker) -> None:
    """A burnt card must not mean a week of searching for what was wired where."""
    file = stick(root, broker.url)
    technician = hands(root, file)
    turning(technician, root)
    assert await set_up(root, technician, file)
    assert "Everything is proven (6)" in technician.done()
    assert f"{GATEWAY}-selftest (p5, c1" in broker.log  # a clean start, which throws nobody out

    burnt = root / "etc"
    for name in ("gateway.answers.toml", "ca.pem", "gateway.pem", "gateway.key"):
        shutil.copy(burnt / name, root / "usb" / name)
    first = (burnt / "gatehouse.toml").read_text()
    for folder in ("etc", "state", "run"):
        shutil.rmtree(root / folder)
    (root / "etc").mkdir()
    again = root / "usb" / "gateway.answers.toml"
    technician = hands(root, again)
    turning(technician, root)
    assert await set_up(root, technician, again)
    assert (root / "etc" / "gatehouse.toml").read_text() == first
    assert config.read(root / "etc" / "gatehouse.toml").gateway.id == GATEWAY
    assert unproven.read(root / "state") == ()
    key = root / "etc" / "gateway.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    kept = (root / "etc" / "gateway.answers.toml").read_text()
    assert "PRIVATE" not in kept
    assert tomli.loads(kept)["district"]["key"] == "gateway.key"


def test_a_replacement_takes_at_most_fifteen_minutes() -> None:
    """The longest that each step waits, one after the other: as contract and issue want it."""
    assert Limits().total_s < 15 * 60


async def test_nothing_waits_for_longer_than_its_limit(root: Path) -> None:
    """A silent broker and a button that nobody presses are told, and the rest goes on."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        file = stick(root, f"mqtt://127.0.0.1:{silent.getsockname()[1]}", tls=False)
        technician = Technician()
        assert not await set_up(root, technician, file, limits=QUICK)
    shown = technician.done()
    assert "6 of 6 not proven" in shown
    left = {(item.subject.partition("/")[0], item.what) for item in unproven.read(root / "state")}
    words = ("press", "reset", "lamps")
    assert left == {("broker", "connection")} | {("button", word) for word in words}
    assert len(buttons_of(root / "etc" / "gatehouse.toml")) == 2


async def test_what_is_not_proven_is_shown_until_the_service_sees_it(root: Path) -> None:
    """And a lamp that nobody looked at stays: the service cannot see it."""
    async with Broker(root / "broker") as broker:
        await broker.stop()
        file = stick(root, broker.url, tls=False)
        assert not await set_up(root, Technician(), file, limits=QUICK)
        await broker.start()
        place = Place(root)
        shutil.move(root / "etc" / "gatehouse.toml", place.config)
        agent = Agent(place)
        await agent.start()
        try:
            gate, _office = buttons_of(place.config)
            await agent.wait_for(
                lambda status: {row["what"] for row in status["unproven"]} == BY_HAND
            )  # the broker is proven by the connection
            with WiringClient(place.wiring) as client:
                press_button(client, gate)
                client.set(24, 0)
            status = await agent.wait_for(lambda status: len(status["unproven"]) == 3)
            rows = {(row["subject"], row["what"]) for row in status["unproven"]}
            assert rows == {
                ("button/gate", "lamps"),
                ("button/office", "press"),
                ("button/office", "lamps"),
            }
            stored = root / "state" / "unproven.json"
            async with asyncio.timeout(LIMIT_S):
                while len(json.loads(stored.read_text())["unproven"]) != 3:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)  # a file wakes nobody
        finally:
            await agent.stop()
        await agent.start()
        try:
            status = await agent.wait_for(lambda status: len(status["unproven"]) == 3)
        finally:
            await agent.stop()


async def test_never_while_the_service_holds_the_pins(root: Path) -> None:
    """Two programs on one pin: one of them would not hear the press."""
    file = stick(root, "mqtt://localhost", tls=False)
    (root / "run").mkdir()
    with (
        only_one(root / "run" / "alarm.lock", "gatehouse-alarm"),
        pytest.raises(SetupError, match="systemctl stop gatehouse-alarm"),
    ):
        await set_up(root, Technician(), file, limits=QUICK)
    assert not (root / "etc" / "gatehouse.toml").exists()


async def test_the_file_before_is_kept(root: Path) -> None:
    """What somebody had written by hand is not lost to a tool."""
    target = root / "etc" / "gatehouse.toml"
    target.write_text("# by hand\n", encoding="utf-8")
    file = stick(root, "mqtt://127.0.0.1:1", tls=False)
    technician = Technician()
    assert not await set_up(root, technician, file, limits=QUICK)
    assert target.with_name("gatehouse.toml.bak").read_text() == "# by hand\n"
    assert f"{target}.bak" in technician.done()
    assert "网关编号" in target.read_text()
    assert "topic level" in target.read_text()


async def test_missing_certificates_are_told_and_not_invented(root: Path) -> None:
    """The file names where they belong, and they are not proven."""
    file = stick(root, "mqtts://localhost:1")
    technician = Technician()
    assert not await set_up(root, technician, file, limits=QUICK)
    shown = technician.done()
    assert "connection: missing: ca.pem, mine.pem, mine.key" in shown
    assert f"Missing, put it there:\n  {root}/etc/ca.pem" in shown
    assert config.read(root / "etc" / "gatehouse.toml").district.key == root / "etc" / "gateway.key"


async def test_a_board_that_cannot_be_opened_is_told(root: Path) -> None:
    """A gateway set up on a desk is finished at the school."""
    file = stick(root, "mqtt://127.0.0.1:1", tls=False)
    technician = Technician()
    assert not await set_up(root, technician, file, limits=QUICK, GPIOZERO_PIN_FACTORY="native")
    assert "GPIOZERO_PIN_FACTORY" in unproven.read(root / "state")[-1].why


@pytest.mark.parametrize("consent", [True, False])
async def test_the_clock_is_set_with_consent_only(root: Path, consent: bool) -> None:
    """Else the commands are shown."""
    more = f'[setup]\nset_time = {str(consent).lower()}\ntime_server = "ntp.example"\n'
    file = stick(root, "mqtt://127.0.0.1:1", more=more, tls=False)
    technician, machine = Technician(), Machine()
    assert not await set_up(root, technician, file, limits=QUICK, machine=machine)
    assert bool(machine.done) is consent
    assert ("sudo timedatectl set-ntp true" in technician.done()) is not consent
    kept = tomli.loads((root / "etc" / "gateway.answers.toml").read_text())
    assert kept["setup"] == {"set_time": consent, "time_server": "ntp.example"}
