"""Events reach the district over a real mosquitto, and nothing ends but by a receipt."""

from uplink.fakes import FAST, TOPICS, Agent, Mosquitto, Office, plain, until


async def test_press_goes_to_the_district_and_back(mosquitto: Mosquitto, office: Office) -> None:
    """The main job: a press is published, acknowledged, received, and then done."""
    async with Agent(plain(mosquitto.port)) as agent:
        await until(lambda: agent.uplink.link.state == "connected")
        alarm = agent.press()
        await until(lambda: alarm in agent.heard.received)
        assert agent.heard.sent == [alarm]
        assert agent.outbox.sent_ids == [alarm]
        assert not len(agent.outbox.pending)
        assert office.ids(TOPICS.alarm) == [alarm]
        raw = next(message for message in office.raw if str(message.topic) == TOPICS.alarm)
        assert raw.payload == agent.outbox.stored[alarm]
        assert raw.properties is not None
        assert raw.properties.ContentType == "application/cloudevents+json"
        assert agent.uplink.link.proven_ns is not None
