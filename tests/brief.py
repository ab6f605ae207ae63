"""Audits that are over soon, for tests that ask about something else than how well an audit sees.

Its networks learn for a fifth of the time and less, the generator is steered a little, and copies are planted in the
disguises that decide the verdict; the others only inform its reader.
"""

from collections.abc import Mapping
from types import ModuleType

from privgan_audits.questions.controls import spike_in
from privgan_audits.questions.controls.disguises import DISGUISES
from privgan_audits.questions.controls.rule import GATING_COPIES
from privgan_audits.questions.networks import inversion
from privgan_audits.questions.utility import classifier
from privgan_audits.spaces import embedding

GATING = {kind: DISGUISES[kind] for kind in GATING_COPIES}
EMBEDDING: Mapping[tuple[ModuleType, str], object] = {
    (embedding, "EPOCHS"): 3,
    (embedding, "LEAST_STEPS"): 12,
    (embedding, "COMPARED"): 500,
}
# What is planted and looked at in an audit of which nobody asks how much it sees: as many copies as are ever planted
# at once, and a few of the views that embed each image where it moved.
PLANTING: Mapping[tuple[ModuleType, str], object] = {
    (spike_in, "disguises_of"): lambda _: GATING,
    (spike_in, "_POOL"): 1,
    (embedding, "VIEWS"): embedding.VIEWS[:5],
}
USE: Mapping[tuple[ModuleType, str], object] = {(classifier, "STEPS"): 60}


def be_brief() -> None:
    """From now on, in a process that runs nothing else."""
    steered = {(inversion, "STEPS"): 6}
    for (module, name), value in {**EMBEDDING, **USE, **PLANTING, **steered}.items():
        setattr(module, name, value)
