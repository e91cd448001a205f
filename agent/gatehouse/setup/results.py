"""How proofs and their news read; short lines, for a telephone's screen."""

from collections.abc import Sequence

from gatehouse import unproven
from gatehouse.setup.cameras import CAMERA
from gatehouse.setup.proofs import Proof
from gatehouse.setup.timeserver import CLOCK
from gatehouse.setup.trial import Trial
from gatehouse.texts import N_, _

_WORDS = {**unproven.WORDS, CAMERA: N_("camera"), CLOCK: N_("clock")}


def line(proof: Proof) -> str:
    """Say how one proof ended."""
    name = proof.subject.partition("/")[2] or proof.subject
    what = _(_WORDS.get(proof.what, proof.what))
    if proof.why is None:
        return _("OK: {name}, {what}").format(name=name, what=what)
    said = _("NOT PROVEN: {name}, {what}: {why}")
    return said.format(name=name, what=what, why=proof.why)


def button_news(trial: Trial) -> str:
    """Say what was just seen of a button."""
    name = trial.button.name
    if not trial.pressed:
        return _("{button}: key turned").format(button=name)
    if not trial.released:
        latching = _("{button}: pressed; turn it back with its key")
        said = latching if trial.button.latching else _("{button}: pressed")
        return said.format(button=name)
    if trial.button.reset is not None and not trial.turned:
        return _("{button}: let go; turn its reset key").format(button=name)
    return _("{button}: done").format(button=name)


def summary(proofs: Sequence[Proof]) -> str:
    """Say whether all is proven."""
    wrong = sum(proof.why is not None for proof in proofs)
    if not wrong:
        return _("Everything is proven ({count}).").format(count=len(proofs))
    return _("{wrong} of {count} not proven.").format(wrong=wrong, count=len(proofs))
