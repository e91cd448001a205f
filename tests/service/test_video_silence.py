"""A video service that does not report is a fault, and one that was not listened to is not."""

from gatehouse.faults import Fault
from service.video_desk import GATE, Desk, row, said

S = 1_000_000_000


async def test_silence_is_a_fault_until_the_next_report() -> None:
    """Without it cameras that nobody watches any more would look well for years."""
    desk = Desk()
    desk.loop.run(59 * S)
    assert not desk.standing
    desk.loop.run(2 * S)
    assert [event.data for event in desk.disk.told] == [{"silent_s": 60, "fault": "video"}]
    desk.loop.run(3600 * S)
    assert len(desk.words()) == 1
    await desk.video.take(said(row(GATE)))
    assert desk.words() == [("gatehouse.gateway.restored", "gateway", "video")]
    for _ in range(10):
        desk.loop.run(50 * S)
        await desk.video.take(said(row(GATE)))
    assert not desk.words()
    desk.loop.run(61 * S)
    assert desk.words() == [("gatehouse.gateway.fault", "gateway", "video")]


async def test_what_is_no_report_is_silence() -> None:
    """Without it a video service of another version would be taken for a working one."""
    desk = Desk()
    for _ in range(7):
        desk.loop.run(10 * S)
        try:
            await desk.video.take({"do": "video"})
        except ValueError:
            continue
    assert desk.standing == {("gateway", "video")}


async def test_who_was_stopped_itself_listens_before_it_speaks_of_silence() -> None:
    """Without it each pause of the alarm's own process would be told as a dead video service."""
    for asleep_s in (56, 61, 70, 3600):
        desk = Desk()
        desk.loop.now_ns += asleep_s * S  # no timer rings meanwhile
        desk.loop.run(1 * S)
        assert not desk.standing, asleep_s
        await desk.video.take(said(row(GATE)))
        desk.loop.run(50 * S)
        assert not desk.words(), asleep_s


async def test_who_was_stopped_in_the_last_seconds_listens_too() -> None:
    """Without it the same pause, only later, would be told."""
    desk = Desk()
    desk.loop.run(57 * S)
    desk.loop.now_ns += 30 * S
    desk.loop.run(1 * S)
    assert not desk.standing
    desk.loop.run(5 * S)
    assert desk.standing == {("gateway", "video")}


async def test_a_machine_that_is_always_late_hears_the_silence_too() -> None:
    """Without it a machine under load would never notice that its video service is gone."""
    desk = Desk()
    for _ in range(12):
        desk.loop.now_ns += 15 * S
        desk.loop.run()
    assert desk.standing == {("gateway", "video")}


async def test_without_cameras_nobody_has_to_report() -> None:
    """Without it a school that has buttons alone would show a fault for ever."""
    desk = Desk(cameras=0)
    desk.loop.run(3600 * S)
    assert not desk.standing
    assert desk.video.status() is None
    await desk.video.take(said(row("gateway")))
    desk.loop.run(3600 * S)
    assert not desk.standing
    assert desk.video.status() is None


async def test_cameras_that_only_the_video_service_knows_count() -> None:
    """Without it cameras that were added without restarting the alarm could fall silent."""
    desk = Desk(cameras=0)
    await desk.video.take(said(row(GATE)))
    desk.loop.run(61 * S)
    assert desk.standing == {("gateway", "video")}
    await desk.video.take(said(row("gateway")))
    desk.loop.run(3600 * S)
    assert not desk.standing


async def test_the_status_says_whether_it_is_news() -> None:
    """Without it `gatehouse status` would show the figures of a video service that died."""
    desk = Desk(Fault("gateway", "video", "gateway"))
    assert desk.video.status() == {"state": "never", "reported": None}
    desk.loop.run(61 * S)
    assert desk.video.status() == {"state": "never", "reported": None}
    await desk.video.take(said(row(GATE), cameras=1, state="mad", reported=7))
    status = desk.video.status()
    assert status is not None
    assert (status["cameras"], status["state"]) == (1, "running")
    assert status["reported"].endswith("Z")
    desk.loop.run(61 * S)
    assert desk.video.status() == {**status, "state": "silent"}
    await desk.video.take(said(row(GATE), text="x" * 5000))
    status = desk.video.status()
    assert status is not None
    assert status.keys() == {"state", "reported"}
