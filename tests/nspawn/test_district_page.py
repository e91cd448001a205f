"""The one-hour page, followed word by word: every block of it, in its order, on a fresh machine."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatehouse_sim.wires import CLOSED, OPEN
from gatehouse_sim.wiring_client import WiringClient
from nspawn.conftest import build
from nspawn.container import Container, unpacked
from nspawn.shell import Shell, blocks

PAGE = Path(__file__).parents[2] / "docs" / "district.md"
GATEWAY_ID = "qd-sn-0042"
PASSWORD = "one-hour-and-not-a-minute-more"  # noqa: S105  # of a machine that lives for this test
PIN = 17
_VISIT = """
import http.cookiejar, ssl, sys, urllib.parse, urllib.request as web
at, password = "https://district.example:8443", sys.argv[1]
context = ssl.create_default_context(cafile="/var/lib/gatehouse-district/ca/ca.pem")
cookies = web.HTTPCookieProcessor(http.cookiejar.CookieJar())
browser = web.build_opener(web.HTTPSHandler(context=context), cookies)
browser.addheaders = [("Origin", at)]
form = urllib.parse.urlencode({"name": "admin", "password": password})
browser.open(at + "/sign-in", form.encode()).read()
print(browser.open(at + "/").read().decode())
"""
WIRING = """[Service]
Environment=GPIOZERO_PIN_FACTORY=gatehouse_sim GATEHOUSE_SIM_SOCKET=/run/gatehouse/sim.sock
"""
_CODE = re.compile(r"\b(?:[0-9A-Z]{5}-){4}[0-9A-Z]{5}\b")
_MAY_FAIL = re.compile(r"FAILED: gatehouse-district alarms$", re.MULTILINE)
"""Exit code 1 says that an alarm is open, as the page tells."""


class Hour:
    """A server and a gateway in one machine, a person with a terminal on each."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.server = Shell(container)
        self.gateway = Shell(container)
        self.code = ""

    def follow(self, block: str) -> str:
        """Do what one block says, on the side that it is for."""
        said = self._shell(block).type_(self._filled_in(block), [PASSWORD] * 2)
        assert "FAILED" not in _MAY_FAIL.sub("", said), said
        self.code = found[0] if (found := _CODE.search(said)) else self.code
        return said

    def _shell(self, block: str) -> Shell:
        return self.gateway if block in blocks(PAGE, "gateway") else self.server

    def _filled_in(self, block: str) -> str:
        return re.sub(r"XXXXX(-XXXXX){4}", self.code, block)

    def wait(self, command: str, words: str) -> str:
        """Wait until a command says something."""
        said = ""

        def says() -> bool:
            nonlocal said
            said = self.container.run("sh", "-c", command, check=False)
            return words in said

        self.container.wait_for(says, f"{words!r} of {command!r}")
        return said

    def page(self) -> str:
        """Sign in at the desk, by its name and with its authority, and return what it shows."""
        python = "/opt/gatehouse-district/bin/python"
        return self.container.run(python, "-c", _VISIT, PASSWORD)

    def press(self) -> None:
        """Press the button for a second."""
        with WiringClient(self.container.inside / "run/gatehouse/sim.sock") as wires:
            wires.set(PIN, CLOSED)
            self.wait("gatehouse status --json", '"alarm": "received"')
            wires.set(PIN, OPEN)


@pytest.fixture(scope="module")
def hour(debian: Path, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hour]:
    """Lend a fresh machine with the gateway's package installed and the district's laid ready."""
    district = build(tmp_path_factory.mktemp("district"), name="gatehouse-district")
    with unpacked(debian) as root:
        for each in (package, district):
            (root / "root" / each.name).write_bytes(each.read_bytes())
        (root / "etc/hosts").write_text("127.0.0.1 localhost district.example\n")
        for name in ("alarm", "video"):
            place = root / f"etc/systemd/system/gatehouse-{name}.service.d"
            place.mkdir(parents=True)
            (place / "simulated.conf").write_text(WIRING)
        container = Container(root)
        container.boot()
        try:
            container.run("dpkg", "--install", f"/root/{package.name}")
            one = Hour(container)
            yield one
            if where := os.environ.get("GATEHOUSE_TRANSCRIPT"):
                Path(where).write_text(
                    f"=== server\n{one.server.transcript}\n=== gateway\n{one.gateway.transcript}"
                )
            one.server.close()
            one.gateway.close()
        finally:
            container.shut_down()


def test_the_hour(hour: Hour) -> None:
    """Without it a stranger would be left alone with a command that does not work."""
    parts = [each for each in blocks(PAGE, "") if each not in blocks(PAGE, "later")]
    for block in parts:
        said = hour.follow(block)
        if "user add" in block:
            assert "administer" in said
        if "gatehouse status" in block:
            hour.wait("gatehouse status --json", '"connected"')
        if block == "gatehouse-district gateways":
            assert GATEWAY_ID in said
            assert "实验小学" in said
            hour.press()
            assert "南门门卫室" in hour.page()
        if "acknowledge" in block:
            assert "张主任" in hour.wait("gatehouse-district alarms", "张主任")
            hour.wait("gatehouse status --json", '"alarm": "acknowledged"')
    hour.wait("gatehouse-district alarms --json", '"alarms": []')


def test_later(hour: Hour) -> None:
    """Without it the day on which a gateway is stolen, or a disk breaks, would be the first try."""
    revoke, renew, back_up, restore, upgrade = blocks(PAGE, "later")
    hour.follow(revoke)
    hour.wait("gatehouse status --json", "certificate")
    hour.follow(f"gatehouse-district ca code {GATEWAY_ID}")
    for block in blocks(PAGE, "gateway")[1:3]:  # CODE=, enrol and restart
        hour.follow(block)
    hour.wait("gatehouse status --json", '"connected"')
    for block in (renew, back_up, restore, upgrade):
        hour.follow(block)
        hour.wait("systemctl is-active gatehouse-district mosquitto", "active\nactive")
        hour.wait("gatehouse status --json", '"connected"')
    assert GATEWAY_ID in hour.follow("gatehouse-district gateways")
    hour.press()
    hour.wait("gatehouse-district alarms", "南门门卫室")
