"""What may stand in the configuration file, rule by rule (contract section 2)."""

from pathlib import Path

import pytest

from config.written import CAMERA, CONTRACT, LEAST, mistakes, read, the_mistake
from gatehouse import config
from gatehouse.config import Button, ConfigError, District, Gateway, Retention

EXAMPLE = Path(__file__).parents[2] / "config" / "gateway.toml"


def test_the_example_is_right() -> None:
    """A technician begins with the example: it must pass the check that he is told to run."""
    found = config.read(EXAMPLE)
    assert found.buttons[0].loop == 27
    assert found.district.ca == EXAMPLE.parent / "ca.pem"
    assert [camera.name for camera in found.cameras] == ["gate", "yard"]


def test_the_contract_is_right(tmp_path: Path) -> None:
    """The contract's own file, to the letter, is accepted."""
    found = read(tmp_path, CONTRACT)
    assert found.enclosure.mains == 16
    assert found.cameras[0].credential == tmp_path / "gate.cred"
    assert [broker.host for broker in found.district.brokers] == ["a.example", "b.example"]


def test_where_certificates_are_renewed(tmp_path: Path) -> None:
    """Without it no gateway would know whom to ask, or where what it was given belongs."""
    named = CONTRACT.replace("heartbeat_s", 'enrol = "https://a.example:8443/"\nheartbeat_s')
    district = read(tmp_path, named).district
    assert district.enrol == "https://a.example:8443"
    assert district.renewed == Path("/var/lib/gatehouse/identity")
    assert read(tmp_path, CONTRACT).district.enrol is None


def test_what_is_not_written_has_the_defaults_of_the_contract(tmp_path: Path) -> None:
    """The smallest file is enough, and its defaults are those of the model and the contract."""
    found = read(tmp_path, LEAST)
    assert found.gateway == Gateway(
        "qd-sn-0042", "实验小学", None, Path("/var/lib/gatehouse"), Path("/run/gatehouse")
    )
    assert found.buttons == (Button("gate", "南门门卫室", 17),)
    assert found.district == District(found.district.brokers)
    assert found.retention == Retention()
    assert found.path == tmp_path / "gatehouse.toml"


def test_all_mistakes_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    """A technician on a ladder corrects a file once, not once for every mistake in it."""
    text = (
        CONTRACT.replace("pin = 17", 'pin = "17"')
        .replace("mains = 16", "mains = 22")
        .replace("silent", "silnt")
        .replace("receipts = true", "receipts = 1")
        .replace('area = "critical"', 'area = "secret"')
        .replace("gap_seconds = 300", "gap_seconds = 0")
    )
    path = tmp_path / "gatehouse.toml"
    lines = [
        (11, 'button "gate".pin', "expected a whole number, got text"),
        (17, 'button "gate".silnt', 'not a key that Gatehouse knows; did you mean "silent"?'),
        (26, "enclosure.mains", 'GPIO 22 is used twice, here and by button "gate".lamps.red'),
        (33, "district.receipts", "expected true or false, got a whole number (1)"),
        (39, 'camera "gate".area', 'must be one of "critical", "general"'),
        (49, "retention.gap_seconds", "must be between 1 and 86400, got a whole number (0)"),
    ]
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    told = str(caught.value).splitlines()
    assert len(told) == len(lines)
    for said, (line, key, message) in zip(told, lines, strict=True):
        assert said.startswith(f"{path}:{line}: {key}: ")
        assert message in said


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ('id = "qd-sn-0042"', 'id = "QD"', "gateway.id", "must be"),
        ('id = "qd-sn-0042"', 'id = "ab\\n"', "gateway.id", "must be"),
        ('id = "qd-sn-0042"', "", "gateway.id", "is missing"),
        ('school = "实验小学"', 'school = " "', "gateway.school", "1 to 100"),
        ('school = "实验小学"', 'school = "a\\u001bb"', "gateway.school", "1 to 100"),
        ('name = "gate"', 'name = "Süd"', "button[1].name", "must be"),
        ('name = "gate"', "", "button[1].name", "is missing"),
        ('location = "南门门卫室"', "", 'button "gate".location', "is missing"),
        ("pin = 17", "", 'button "gate".pin', "is missing"),
        ("pin = 17", "pin = true", 'button "gate".pin', "expected a whole number, got true"),
        ("pin = 17", "pin = 17.0", 'button "gate".pin', "expected a whole number"),
        ("pin = 17", "pin = 28", 'button "gate".pin', "between 0 and 27"),
        ("pin = 17", "pin = -1", 'button "gate".pin', "between 0 and 27"),
        ("pin = 17", f"pin = 0x1{'0' * 5000}", 'button "gate".pin', "between 0 and 27"),
        ("pin = 17", "pin = 2026-11-23", 'button "gate".pin', "got a date or time"),
        ("pin = 17", "pin = 17\nfilter_ms = -1", 'button "gate".filter_ms', "between 0"),
        ("pin = 17", "pin = 17\nfilter_ms = 1001", 'button "gate".filter_ms', "between 0"),
        ("pin = 17", "pin = 17\ndebounce_ms = 2001", 'button "gate".debounce_ms', "between 0"),
        ("pin = 17", "pin = 17\nchangeover_ms = 10001", 'button "gate".changeover_ms', "between"),
        ("pin = 17", "pin = 17\nlatching = true\nreset = 4", 'button "gate".reset', "not latch"),
        ("pin = 17", "pin = 17\nlamps = { green = 4 }", 'button "gate".lamps.red', "is missing"),
        ("pin = 17", "pin = 17\nlamps = 4", 'button "gate".lamps', "expected a table"),
        ("pin = 17", "pin = 17\nloop = 17", 'button "gate".loop', "used twice"),
        ("pin = 17", 'pin = 17\ncameras = "gate"', 'button "gate".cameras', "expected an array"),
        ("pin = 17", 'pin = 17\ncameras = ["no"]', 'button "gate".cameras', "not there"),
        ("[[button]]", "[button]", "button", "must be an array of tables"),
        ("[gateway]", "[[gateway]]", "gateway", "must be one table"),
        ("brokers = [", "brokers = [] # [", "district.brokers", "needs at least one"),
        ("brokers", "heartbeat_s = 0.5\nbrokers", "district.heartbeat_s", "between 1 and 3600"),
        ("brokers", "heartbeat_s = nan\nbrokers", "district.heartbeat_s", "between 1 and 3600"),
        ("brokers", 'heartbeat_s = "9"\nbrokers', "district.heartbeat_s", "expected a number"),
        ("brokers", "heartbeat_s = true\nbrokers", "district.heartbeat_s", "expected a number"),
        ("brokers", 'enrol = "http://127.0.0.1"\nbrokers', "district.enrol", "must be https"),
        ("brokers", 'enrol = "https://a.b/x"\nbrokers', "district.enrol", "must be https"),
        ("brokers", 'enrol = "https://u:p@a.b"\nbrokers', "district.enrol", "user or password"),
        ("brokers", 'enrol = "https://a:70000"\nbrokers', "district.enrol", "port"),
        ("[gateway]", 'weather = "fine"\n[gateway]', "weather", "not a key"),
        ("[gateway]", '["a\\u001b"]\n[gateway]', "'a\\x1b'", "not a key"),
    ],
)
def test_one_mistake_outside_cameras(
    tmp_path: Path, old: str, new: str, key: str, message: str
) -> None:
    """Each rule is kept, and tells the key it is about and what is expected."""
    assert LEAST.count(old) == 1
    mistake = the_mistake(tmp_path, LEAST.replace(old, new))
    assert mistake.key == key
    assert message in mistake.message


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("mqtt://localhost", "localhost", 1883),
        ("mqtt://127.8.9.1:1/", "127.8.9.1", 1),
        ("mqtt://[::1]:1884", "::1", 1884),
        ("mqtts://a.example", "a.example", 8883),
        ("mqtts://[2001:db8::7]:65535", "2001:db8::7", 65535),
    ],
)
def test_good_brokers(tmp_path: Path, url: str, host: str, port: int) -> None:
    """Hosts, addresses and default ports (1883, 8883) are understood."""
    files = 'ca = "ca.pem"\ncert = "/c.pem"\nkey = "k"\n' if url.startswith("mqtts") else ""
    found = read(tmp_path, LEAST.replace("mqtt://127.0.0.1:1883", url) + files)
    (broker,) = found.district.brokers
    assert (broker.url, broker.host, broker.port) == (url, host, port)
    assert broker.tls == url.startswith("mqtts")
    if broker.tls:
        assert (found.district.ca, found.district.cert) == (tmp_path / "ca.pem", Path("/c.pem"))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mqtt://a.example", "not encrypted"),
        ("mqtt://127.1", "neither a name"),
        ("mqtt://10.0.0.1", "not encrypted"),
        ("mqtt://localhost.example", "not encrypted"),
        ("mqtts://u:p@a.example", "user or password"),
        ("mqtts://a.example:0", "port"),
        ("mqtts://a.example:65536", "port"),
        ("mqtts://a.example/x", "must be mqtts"),
        ("mqtts://[::1", "must be mqtts"),
        ("mqtts://[1.2.3.4]", "neither a name"),
        ("mqtts://-a", "neither a name"),
        ("MQTTS://a.example", "must be mqtts"),
        ("a.example:8883", "must be mqtts"),
        ("mqtts://a.example\\n", "must be mqtts"),
        ("", "must be mqtts"),
    ],
)
def test_bad_brokers(tmp_path: Path, url: str, message: str) -> None:
    """A broker that could never be reached, or only in the open, is refused in the file."""
    files = 'ca = "ca.pem"\ncert = "c.pem"\nkey = "k"\n'
    mistake = the_mistake(tmp_path, LEAST.replace("mqtt://127.0.0.1:1883", url) + files)
    assert mistake.key == "district.brokers[1]"
    assert mistake.line == 11
    assert message in mistake.message


def test_tls_needs_its_three_files(tmp_path: Path) -> None:
    """Without them the first connection would fail, long after the technician has left."""
    found = mistakes(tmp_path, LEAST.replace("mqtt://127.0.0.1:1883", "mqtts://a.example"))
    assert [mistake.key for mistake in found] == ["district.ca", "district.cert", "district.key"]


def test_names_are_used_once(tmp_path: Path) -> None:
    """Two buttons of one name would share alarms; two cameras recordings."""
    again = '[[button]]\nname = "gate"\nlocation = "后门"\npin = 18\n'
    found = mistakes(tmp_path, LEAST + again + CAMERA + CAMERA)
    assert [mistake.key for mistake in found] == ["button[2].name", "camera[2].name"]


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    """A socket's path has at most 107 bytes: told here, not by a service that does not start."""
    text = LEAST.replace("[gateway]", f'[gateway]\nruntime_dir = "/run/{"x" * 100}"')
    mistake = the_mistake(tmp_path, text)
    assert mistake.key == "gateway.runtime_dir"
    assert str(mistake).startswith("line 2: gateway.runtime_dir: is too long")


def test_many_strange_keys_are_cut_short(tmp_path: Path) -> None:
    """A file of ten thousand strange keys costs a moment, not a minute."""
    strange = "".join(f"stränge{index} = 1\n" for index in range(5)).replace("ä", "a")
    more = "".join(f"k{index} = 1\n" for index in range(10_000))
    assert len(mistakes(tmp_path, LEAST + strange + more)) == 100
