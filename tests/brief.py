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
EMBEDDING: Mapping[tuple[ModuleType, str], object] = {(embedding, "EPOCHS"): 3, (embedding, "LEAST_STEPS"): 12}
USE: Mapping[tuple[ModuleType, str], object] = {(classifier, "STEPS"): 60}


def be_brief() -> None:
    """From now on, in a process that runs nothing else."""
    steered = {(inversion, "STEPS"): 6}
    for (module, name), value in {**EMBEDDING, **USE, **steered}.items():
        setattr(module, name, value)
    spike_in.disguises_of = lambda _: GATING
