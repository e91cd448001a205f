"""The desk on the real receiver and a real broker: from a press to the page, and back."""

import json
from pathlib import Path
from typing import Any

from district.desk.rig import desk
from district.desk.stream import stream
from district.receiver.gateway_words import birth, will
from gatehouse import events
from gatehouse.clock import SystemClock
from gatehouse_district.desk.parts import Limits
from gatehouse_district.receiver.receiver import Receiver
from gatehouse_sim.broker import Broker
from sim.paho_gateway import PahoGateway, Writer, connected

GW = "gw-1"
OWN = f"gatehouse/v1/{GW}/"
JPEG = b"\xff\xd8\xff\xe0picture"


async def command(gateway: PahoGateway, name: str) -> tuple[dict[str, Any], bytes]:
    """Return the next command of this name, and its correlation data."""
    while True:
        message = await gateway.next()
        if message.topic.endswith("/command"):
            said: dict[str, Any] = json.loads(message.payload)
            if said["command"] == name:
                return said, message.properties.CorrelationData  # type: ignore[union-attr]  # paho sets it


async def test_from_a_press_to_the_page_and_back(tmp_path: Path) -> None:
    """Without it desk and receiver could each be right, and not fit together."""
    async with (
        Broker(tmp_path / "broker") as broker,
        Receiver(broker.url, tmp_path / "district.db") as receiver,
        connected(broker.url, GW) as gateway,
        desk(
            tmp_path,
            clock=SystemClock(),
            records=receiver.records,
            answering=receiver.answering,
            news=receiver.news,
            hears=lambda: receiver.connected,
            limits=Limits(beat_s=0.3),
        ) as it,
        it.app.state.board.running(),
    ):
        browser = await it.signed_in("answer")
        async with stream(it.app, browser, rows="alarms") as page:
            await gateway.publish(OWN + "state", json.dumps(birth()), retain=True)
            writer = Writer(GW)
            alarm = writer.write(location="<b>南门")
            await gateway.publish(writer.topic, events.encode(alarm))
            await page.until(lambda: alarm.id in page.rows())
            assert page.rows()[alarm.id]["section"] == "waiting"
            assert "&lt;b&gt;南门" in page.rows()[alarm.id]["html"]
            assert "小学" in page.rows()[alarm.id]["html"]
            assert not page.all("sum")[-1]["deaf"]

            assert (await browser.act("/acknowledge", alarm=alarm.id, by="李雷")).status_code == 303
            said, correlation = await command(gateway, "acknowledge")
            assert (said["alarm"], said["by"]) == (alarm.id, "李雷")
            await page.until(lambda: page.rows()[alarm.id]["section"] == "answered")
            await gateway.reply(GW, {"id": said["id"], "ok": True}, correlation)
            await page.until(
                lambda: (
                    "门卫室已看到" in page.rows()[alarm.id]["html"]
                    or "the gatehouse sees it" in page.rows()[alarm.id]["html"]
                )
            )
            again = await browser.act("/acknowledge", alarm=alarm.id, by="another")
            assert again.status_code == 409
            assert "李雷" in again.text

            await gateway.publish(f"{OWN}up/picture/{alarm.id}/1", JPEG)
            await page.until(lambda: f"/picture/1/{alarm.id}" in page.rows()[alarm.id]["html"])
            assert (await browser.get(f"/picture/1/{alarm.id}")).content == JPEG
            for path in (f"/alarm/{alarm.id}", "/gateways", f"/gateway/{GW}", "/events"):
                answer = await browser.get(path)
                assert answer.status_code == 200, path
                assert "小学" in answer.text or path == "/events"

            asked = await browser.act("/snapshot", gateway=GW, camera="yard")
            assert asked.headers["location"].startswith("/pictures/")
            assert (await command(gateway, "snapshot"))[0]["camera"] == "yard"
            refused = await browser.act("/release-evidence", alarm="no such")
            assert refused.status_code == 409
        async with stream(it.app, browser, rows="gateways") as page:
            await page.until(lambda: GW in page.rows())
            await gateway.publish(OWN + "state", json.dumps(will()), retain=True)
            await page.until(lambda: page.rows()[GW]["order"][0] in "01")
            await broker.stop()
            await page.until(lambda: page.all("sum")[-1]["deaf"])
