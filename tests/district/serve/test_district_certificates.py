"""Which of the district's certificates end soon, as service and commands find them."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gatehouse_district.ca import Authority, Kind
from gatehouse_district.config import read
from gatehouse_district.serve.certificates import Watch, ending

LIMIT_S = 30.0
CONFIG = """
[district]
name = "实验区"
state_dir = "state"

[broker]
url = "mqtt://127.0.0.1:1883"

[desk]
cert = "ca/desk.pem"
key = "ca/desk.key"

[ca]
dir = "ca"
"""


async def test_what_ends_within_a_month_is_told_and_nothing_else(tmp_path: Path) -> None:
    """Without it the first sign of an old certificate would be a district that hears nothing."""
    (tmp_path / "district.toml").write_text(CONFIG, encoding="utf-8")
    config = read(tmp_path / "district.toml")
    now = datetime.now(UTC)
    assert ending(config, now) == []
    old = Authority.init(tmp_path / "ca", now - timedelta(days=800), name="district")
    old.issue(Kind.SERVER, ["broker.example"], now, file="broker")
    old.issue(Kind.SERVER, ["desk.example"], now - timedelta(days=800), file="desk")
    (found,) = ending(config, now)
    assert found.path == tmp_path / "ca" / "desk.pem"
    watch = Watch(config)
    task = asyncio.create_task(watch.run())
    async with asyncio.timeout(LIMIT_S):
        while not watch.said():  # noqa: ASYNC110  # it looks in a thread
            await asyncio.sleep(0.01)
    (said,) = watch.said()
    assert "desk.pem" in said
    assert "ca renew" in said
    task.cancel()
    old.reissue("desk", now)
    assert ending(config, now) == []
