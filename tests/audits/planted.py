"""Copies in a set as a whole: the slow way to ask what the limits of detection ask of the patients in front alone."""

from privgan.arrays import Flags, Floats
from privgan_audits.questions.controls.spike_in import Planted
from privgan_audits.questions.scores import Scores


def with_copies(scores: Scores, planted: Planted, present: Flags) -> dict[str, Floats]:
    """Every space's scores (P,) with some of the copies, bool (count,), in the synthetic set."""
    return {name: planted.changes[name].planted(each.patient, present) for name, each in scores.spaces.items()}
