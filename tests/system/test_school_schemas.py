"""What ``--json`` prints is what its schema says: of the real services of a whole school."""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from cli.schemas import typed_as, valid
from gatehouse_sim.agent import die_with_parent
from gatehouse_sim.school import School
from gatehouse_sim.school_cameras import SimCamera
from system.seen import LIMIT_S, gatehouse, pressed, set_pin, stage, told, turn_key
from system.video_seen import watched

MORE = {"selftest": ("--only", "configuration,memory"), "recordings": ("--gaps",)}
DOCUMENTS = ("status", "events", "cameras", "recordings", "selftest", "selftest-list")


async def document(school: School, name: str) -> Any:
    """Type the command of a schema; return the one document that it printed."""
    command, options = typed_as(name)
    said = await gatehouse(school, *command, *options, *MORE.get(name, ()))
    assert said.err == ""
    assert said.code == 0 or name == "selftest"  # the machine that runs the tests may be full
    return said.json


async def first_line(school: School) -> Any:
    """Watch the status until its first line."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GATEHOUSE_", "LANG", "LC_"))}
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("gatehouse")),
        *("status", "--watch", "--json"),
        env={**kept, "GATEHOUSE_CONFIG": str(school.place.config)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(LIMIT_S):
            return json.loads(await process.stdout.readline())
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_a_school_speaks_as_its_schemas_say(school_root: Path) -> None:
    """Without it the schemas would be true of the tests' own documents alone."""
    async with watched(school_root, {"gate": SimCamera(covers=("校门",))}) as school:
        await pressed(school)
        turn_key(school)
        await told(school, "alarm.reset")
        set_pin(school, 27, 1)
        await stage(school, "idle", line="open")
        await school.agent.wait_for(lambda said: said["video"]["state"] == "running")
        await school.video.cameras_until(lambda said: said["cameras"][0]["records"])
        said = await asyncio.gather(*(document(school, name) for name in DOCUMENTS))
        line = await first_line(school)
    found = dict(zip(DOCUMENTS, said, strict=True))
    for name, each in found.items():
        valid(name, each)
    valid("status", line)
    assert line.keys() == found["status"].keys()
    assert found["status"]["latency_ms"]["received"]["n"] == 1
    types = {each["type"].removeprefix("gatehouse.") for each in found["events"]["events"]}
    assert {"gateway.started", "alarm.raised", "alarm.reset", "line.fault"} <= types
    assert [each["name"] for each in found["cameras"]["cameras"]] == ["gate"]
    assert [each["name"] for each in found["recordings"]["cameras"]] == ["gate"]
    checks = [each["name"] for each in found["selftest"]["checks"]]
    assert checks == ["configuration", "memory"]
