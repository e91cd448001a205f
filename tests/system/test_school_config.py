"""A typing mistake costs a fault and never the alarm; ``config check`` tells all of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatehouse_sim.school import School, opened
from system.seen import PLAN, at_rest, gatehouse, pressed, told, typed

WRONG = """\
[gateway]
id = "Schule 1"
school = "实验小学"

[[button]]
name = "gate"
location = "南门"
pin = 17
loop = 17
filter_ms = "5"
colour = "red"

[district]
brokers = ["mqtt://district.example:1883"]

[retention]
general_days = 3
"""
EXPECTED = {
    2: "gateway.id: must be [a-z0-9-]{3,64}",
    9: 'button "gate".loop: GPIO 17 is used twice',
    10: 'button "gate".filter_ms: expected a whole number',
    11: 'button "gate".colour: is not a key that Gatehouse knows',
    14: "district.brokers[1]",
    17: "retention.general_days: must be at least 30 days",
}


@pytest.fixture
async def stopped(school_root: Path) -> AsyncIterator[School]:
    """Open a school whose agent ran once, so that there is a last good copy, and is stopped."""
    async with opened(school_root, PLAN) as school:
        await at_rest(school)
        await school.agent.wait_for(
            lambda _: (school.place.state_dir / "config" / "last-good.toml").exists()
        )
        await school.agent.stop()
        yield school


def spoil(school: School, old: str, new: str) -> None:
    """Make a typing mistake in the configuration."""
    text = school.place.config.read_text(encoding="utf-8")
    assert old in text
    school.place.config.write_text(text.replace(old, new, 1), encoding="utf-8")


async def test_check_tells_every_mistake_with_its_line(school_root: Path) -> None:
    """Without it a technician would mend a file one mistake at a time, at the top of a ladder."""
    file = school_root / "wrong.toml"
    file.write_text(WRONG, encoding="utf-8")
    said = await typed(file, "gatehouse", "config", "check")
    assert said.code == 2
    lines = said.out.splitlines()
    assert len(lines) == len(EXPECTED)
    for (number, text), line in zip(EXPECTED.items(), lines, strict=True):
        assert line.startswith(f"{file}:{number}: {text}")
    assert "6" in said.err
    by_name = await typed(None, "gatehouse", "config", "check", str(file))
    assert (by_name.code, by_name.out) == (2, said.out)
    chinese = await typed(file, "gatehouse", "config", "check", environ={"LANG": "zh_CN.UTF-8"})
    assert chinese.code == 2
    assert "GPIO 17" in chinese.out
    assert chinese.out != said.out


async def test_check_of_a_sound_file_says_so(school: School) -> None:
    """Without it a technician could not tell a sound file from one that was not read."""
    said = await gatehouse(school, "config", "check")
    assert said.code == 0
    assert str(school.place.config) in said.out
    assert said.err == ""
    missing = await typed(school.place.root / "nowhere.toml", "gatehouse", "config", "check")
    assert missing.code == 2
    assert "nowhere.toml" in missing.out


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("pin = 20", "pin = 27", "button"),  # used twice
        ("latching = true", "latching = maybe", "TOML"),  # no TOML any more
        ("[[button]]", "[[buton]]", "buton"),
        ("tamper = 12", 'tamper = "lid"', "enclosure"),
        ("brokers = [", "brokerz = [", "district"),
        ("school = ", "schule = ", "gateway"),
    ],
)
async def test_mistake_in_the_alarm_starts_on_the_last_good_copy(
    stopped: School, old: str, new: str, key: str
) -> None:
    """Without it a typo at night would leave a school without its button until the morning."""
    spoil(stopped, old, new)
    await stopped.agent.start()
    (fault,) = await told(stopped, "gateway.fault")
    assert fault.event.data["fault"] == "config"
    assert any(key in mistake for mistake in fault.event.data["mistakes"])
    for button in ("gate", "office", "hall"):
        await pressed(stopped, button)
    status = (await gatehouse(stopped, "status", "--json")).json
    assert [f["fault"] for f in status["faults"]] == ["config"]

    await at_rest(stopped)
    await stopped.agent.stop()
    spoil(stopped, new, old)
    await stopped.agent.start()
    await told(stopped, "gateway.restored", fault="config")
    assert (await stopped.agent.status())["faults"] == []


async def test_mistake_elsewhere_costs_the_alarm_nothing(stopped: School) -> None:
    """Without it a wrong camera would take the panic button down with it."""
    stopped.write_config(more='[[camera]]\nname = "Gate!"\n\n[retention]\ngeneral_days = 1\n')
    assert (await gatehouse(stopped, "config", "check")).code == 2
    await stopped.agent.start()
    await pressed(stopped)
    assert (await at_rest(stopped))["faults"] == []


async def test_changed_file_is_told(stopped: School) -> None:
    """Without it nobody could tell when a school's wiring or filter was changed.

    The first start is none: nothing was there before.
    """
    await stopped.agent.start()
    await at_rest(stopped)
    await stopped.agent.stop()
    spoil(stopped, "filter_ms = 300", "filter_ms = 200")
    await stopped.agent.start()
    changed = await told(stopped, "config.changed")
    assert changed[-1].event.data == {"file": "gatehouse.toml"}
    await at_rest(stopped)
    assert [r.event.start for r in await told(stopped, "config.changed")] == [3]


async def test_without_any_copy_a_wrong_file_is_refused(school_root: Path) -> None:
    """Without it an agent on an empty configuration would look like one that watches."""
    file = school_root / "wrong.toml"
    file.write_text(WRONG.replace("[retention]", "#").replace("general_days", "#"))
    environ = {"STATE_DIRECTORY": str(school_root), "GPIOZERO_PIN_FACTORY": "gatehouse_sim"}
    said = await typed(file, "gatehouse", "run", "alarm", environ=environ)
    assert said.code == 2
    assert "GPIO 17" in said.err
    missing = await typed(
        school_root / "nowhere.toml", "gatehouse", "run", "alarm", environ=environ
    )
    assert missing.code == 2
    assert "nowhere.toml" in missing.err
    assert missing.out == ""
