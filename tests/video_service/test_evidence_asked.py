"""What is asked of the evidence on the socket: releases, and single pictures."""

from pathlib import Path

import pytest

from gatehouse.errors import ControlError
from video_service.evidence_rig import SMALL, gathering


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a short name: a socket lies in it."""
    return tmp_path_factory.mktemp("e")


@pytest.mark.parametrize(
    "wrong",
    [
        {"alarm": "../../etc", "by": "x", "via": "site"},
        {"alarm": "01a21662-6194-75e6-b4f7-7745787c88f4", "by": "x", "via": "site"},
        {"alarm": "01a21662-6194-75e6-b4f7-7745787c88f4", "by": "", "via": "site"},
        {"alarm": "01a21662-6194-75e6-b4f7-7745787c88f4", "by": "x\nERROR", "via": "site"},
        {"by": "x"},
    ],
)
async def test_what_is_no_release(root: Path, wrong: dict[str, str]) -> None:
    """A request must never reach a path that is no bundle."""
    async with gathering(root) as rig:
        await rig.until(lambda: rig.evidence.row().unknown == ())
        with pytest.raises(ControlError) as refused:
            await rig.evidence.handlers()["evidence-release"](wrong)
        assert ("printable" in str(refused.value)) == ("\n" in wrong["by"])


async def test_a_snapshot_is_limited_and_honest(root: Path) -> None:
    """The district may look, but not turn a gateway into a film."""
    async with gathering(root, ("gate", "yard")) as rig:
        take = rig.evidence.handlers()["snapshot"]
        answer = await take({"camera": "gate"})
        assert isinstance(answer, dict)
        assert (root / answer["path"]).read_bytes().startswith(SMALL)
        with pytest.raises(ControlError) as refused:
            await take({"camera": "gate"})
        assert refused.value.code == "busy"
        rig.eyes.away["yard"] = "2026-11-26T05:00:00.000000Z"
        with pytest.raises(ControlError, match="no picture since 2026-11-26T05:00:00"):
            await take({"camera": "yard"})
        for wrong in ({}, {"camera": "moon"}, {"camera": 3}, {"camera": "../x"}):
            with pytest.raises(ControlError, match="camera must be one of: gate, yard"):
                await take(wrong)
