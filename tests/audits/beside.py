"""The same patients beside another synthetic set: what a space knows of the patients is not computed again."""

import dataclasses

import numpy as np

from privgan.arrays import Images
from privgan_audits.questions.scores import Scores, score_of, smallest_per_patient


def beside(scores: Scores, images: Images) -> Scores:
    """The scores of these patients where the synthetic images are others, uint8 (m, h, h, c)."""
    spaces = {}
    for name, each in scores.spaces.items():
        found = each.space.closest(images)
        score = score_of(found.distance, each.reference, each.hit_limit)
        score[scores.flat] = np.inf
        patient = smallest_per_patient(score, scores.owner, len(each.patient))
        spaces[name] = dataclasses.replace(each, closest=found, score=score, patient=patient)
    return dataclasses.replace(scores, spaces=spaces)
