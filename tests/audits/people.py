"""A world of points instead of images: what is tested of a statistic needs no network to be trained."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Integers, Singles
from privgan_audits.questions.scores import Scores
from privgan_audits.spaces.space import VectorSpace

LASTING, PASSING = 24, 8  # directions in which people differ, and in which one person's images do


def sphere(points: NDArray[np.float64]) -> Singles:
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def scores_of(
    points: Singles, owner: Integers, non_member: NDArray[np.bool_], canonical: Integers | None = None
) -> Scores:
    """Scores without spaces but the embedding, whose points these are."""
    space = VectorSpace(name="embedding", queries=points[:, None], points=points, place=lambda images: images)
    patients = np.arange(len(non_member))
    return Scores(
        owner=owner,
        flat=np.zeros(len(points), bool),
        spaces={},
        embedding=space,
        canonical=patients if canonical is None else canonical,
        non_member=non_member,
    )


@dataclass(frozen=True, kw_only=True)
class People:
    """Each has something lasting (P, LASTING); what passes is five times as large and drawn anew for every image."""

    lasting: NDArray[np.float64]

    @classmethod
    def draw(cls, rng: np.random.Generator, count: int) -> "People":
        """So many people."""
        return cls(lasting=rng.normal(size=(count, LASTING)))

    def images(self, who: Integers, rng: np.random.Generator) -> Singles:
        """One new image of each of these people."""
        passing = 5 * rng.normal(size=(len(who), PASSING))
        lasting = self.lasting[who] + 0.1 * rng.normal(size=(len(who), LASTING))
        return sphere(np.concatenate([lasting, passing], axis=1))
