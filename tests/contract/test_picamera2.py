"""The stand-in for picamera2 has the signatures of the real one, read from its source."""

import ast
import importlib.util
from pathlib import Path

import pytest

from gatehouse_sim.csi import STAND_IN

FILES = {
    "picamera2.py": "__init__.py",
    "encoders/h264_encoder.py": "encoders.py",
    "encoders/libav_h264_encoder.py": "encoders.py",
    "encoders/encoder.py": "encoders.py",
    "outputs/output.py": "outputs.py",
    "outputs/pyavoutput.py": "outputs.py",
    "outputs/splittableoutput.py": "outputs.py",
    "outputs/circularoutput2.py": "outputs.py",
}
SAME_AS = {"LibavH264Encoder": "H264Encoder", "Encoder": "H264Encoder"}
"""On a Pi 5 the name H264Encoder is given to libav's; both inherit from Encoder."""


def real() -> Path:
    """Return the folder of the real package, without importing it (it needs libcamera)."""
    found = importlib.util.find_spec("picamera2")
    assert found is not None, "make test installs picamera2's source"
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0])


def methods(path: Path) -> dict[tuple[str, str], list[str]]:
    """Return the argument names of each method; of overloads, those of the last."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {}
    for made in tree.body:
        if isinstance(made, ast.ClassDef):
            for one in made.body:
                if isinstance(one, ast.FunctionDef):
                    names = [arg.arg for arg in (*one.args.posonlyargs, *one.args.args)]
                    rest = [one.args.vararg, one.args.kwarg]
                    found[made.name, one.name] = names + [arg.arg for arg in rest if arg]
    return found


@pytest.mark.parametrize("file", FILES)
def test_each_method_of_the_stand_in_takes_what_the_real_one_takes(file: str) -> None:
    """What runs against the stand-in would else fail on the Pi, where no test looks."""
    theirs, ours = methods(real() / file), methods(STAND_IN / "picamera2" / FILES[file])
    compared = 0
    for (cls, name), arguments in theirs.items():
        mine = ours.get((SAME_AS.get(cls, cls), name))
        if mine is None or (cls, name) == ("Encoder", "__init__"):
            continue
        compared += 1
        if cls in SAME_AS or cls == "H264Encoder":  # two classes, one name: what both take
            assert set(mine) <= set(arguments), f"{cls}.{name} takes {arguments}, not {mine}"
        else:
            assert mine == arguments, f"{cls}.{name} takes {arguments}, not {mine}"
    assert compared


def test_nothing_of_the_stand_in_is_made_up() -> None:
    """A public method that picamera2 does not have would be a trap of our own making."""
    theirs: set[tuple[str, str]] = set()
    for file in FILES:
        theirs |= {(SAME_AS.get(cls, cls), name) for cls, name in methods(real() / file)}
    ours = {key for file in set(FILES.values()) for key in methods(STAND_IN / "picamera2" / file)}
    made_up = {key for key in ours - theirs if not key[1].startswith("_")}
    assert not made_up
