"""``gatehouse report`` at a school: what the inspector reads is what happened."""

from datetime import UTC, datetime, timedelta

from gatehouse_sim.school import GATEWAY, School
from system.seen import durable, gatehouse, press, pressed, stage, told


async def test_an_alarm_is_in_the_report_of_the_day(school: School) -> None:
    """The parts would be right, and the page not say what the gateway did; also from its file."""
    alarm = await pressed(school)
    await school.district.acknowledge(GATEWAY, alarm, "区平台 王芳")
    await stage(school, "acknowledged")
    assert (await gatehouse(school, "reset", "gate", "--by", "李", "--reason", "real")).code == 0
    await told(school, "alarm.reset")
    assert (await gatehouse(school, "drill", "start", "gate")).code == 0
    press(school, "gate")
    await told(school, "drill.ended", reason="complete")
    await durable(school)
    now = datetime.now(UTC)
    span = ("--from", (now - timedelta(hours=1)).isoformat(), "--to", f"{now:%Y-%m-%d}T23:59:59Z")
    running = await gatehouse(school, "report", *span, "--json")
    assert (running.code, running.err) == (0, "")
    page = await gatehouse(school, "report", *span, LANG="zh_CN.UTF-8")
    assert page.out.startswith("<!DOCTYPE html>")
    await school.agent.stop()
    stopped = await gatehouse(school, "report", *span, "--json")
    assert (stopped.code, stopped.err) == (0, "")
    for said, source in ((running.json, "service"), (stopped.json, "file")):
        assert said["log"]["source"] == source
        real, drill, _hall = said["presses"]
        assert (real["id"], real["mode"], drill["mode"]) == (alarm, "real", "drill")
        assert 0 < real["received_s"] < real["acknowledged_s"]
        assert real["acknowledged_by"] == "区平台 王芳"
        assert (real["reset"]["by"], real["reset"]["reason"]) == ("李", "real")
        assert said["drills"][0]["buttons"] == ["gate"]
        assert [start["reason"] for start in said["uptime"]["starts"]] == ["first"]
    assert stopped.json["uptime"]["down_most_s"] >= running.json["uptime"]["down_most_s"]
