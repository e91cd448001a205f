"""An authority whose making is cut, at each thing it does to the disk."""

import subprocess
import sys
from pathlib import Path

import pytest

from enrol.made import NOW, authority, gateway
from gatehouse_district.ca import Authority
from gatehouse_district.errors import AuthorityError

CUT = """
import os, shutil, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from gatehouse_district.ca import Authority

root, touches = Path(sys.argv[1]), {"os.rename", "os.mkdir", "os.rmdir", "sqlite3.connect"}
at = datetime(2026, 11, 26, tzinfo=UTC)

def init(folder, left):
    def count(event, args):
        nonlocal left
        if event in touches:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)
    Authority.init(folder, at, name="cut")

number, finished = 0, False
while not finished:
    number += 1
    child = os.fork()
    if child == 0:
        init(root / str(number), number)
        os._exit(0)
    finished = os.waitpid(child, 0)[1] == 0
print(number)
"""


def test_a_cut_at_any_step_is_mended_by_typing_it_again(tmp_path: Path) -> None:
    """Without it a power cut in the first hour would leave a folder to be cleaned by hand."""
    command = [sys.executable, "-c", CUT, str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    steps = int(done.stdout)
    assert steps > 10
    there = 0
    for number in range(1, steps + 1):
        folder = tmp_path / str(number)
        try:
            made = Authority.init(folder, NOW, name="again")
        except AuthorityError:  # it was whole before the cut
            made = Authority.open(folder)
            there += 1
        names = {"ca.key", "ca.pem", "crl.pem", "register.db"}
        assert {each.name for each in folder.iterdir()} - {".init"} == names
        gateway(made)
        assert len(Authority.open(folder).entries()) == 1
    assert 1 <= there < steps / 2


def test_an_authority_whose_key_is_kept_elsewhere_is_not_made_anew(tmp_path: Path) -> None:
    """Without it a second init would shut every gateway of a careful district out."""
    district = authority(tmp_path)
    before = district.ca.read_bytes()
    (tmp_path / "ca.key").unlink()
    (tmp_path / ".init").mkdir()
    with pytest.raises(AuthorityError, match="already"):
        authority(tmp_path)
    assert district.ca.read_bytes() == before
