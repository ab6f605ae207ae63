"""The nearest published audit of files alone, in our own words, to compare T2 and T3 with.

Amin, Das, Epasto, Javanmard, Kraft, Ribero and Vassilvitskii 2026, "Phantoms and Disclosures: a Causal Framework for
Auditing Synthetic Data" (arXiv 2606.16952): a detector says whose data a synthetic set discloses. Held-back patients
who are disclosed are phantoms; a set that learned nothing discloses members no more often than their share of the
patients allows. Here a patient is disclosed whose distance to the closest synthetic image is below a threshold. What
is built here follows the paper's summaries; the bound on epsilon is the one that such a test gives for a training set
drawn at random (Steinke, Nasr and Jagielski 2023, "Privacy auditing with one training run").
"""

import math

import numpy as np
from scipy import special, stats

from privgan.arrays import Flags, Floats, Integers

ORDINARY = 0.01  # of all patients, members or not: the threshold that discloses so many of them


def disclosed(distance: Floats, threshold: float) -> Flags:
    """Which patients (P,) a synthetic image comes closer to than a threshold."""
    return distance <= threshold


def ordinary_threshold(distance: Floats, share: float = ORDINARY) -> float:
    """The distance (P,) that a share of all patients does not exceed; blind to who was a member."""
    return float(np.sort(distance)[max(1, math.floor(share * len(distance))) - 1])


def zero_learning_p(found: Flags, non_member: Flags) -> float:
    """P(at least so many of the disclosed patients are members), had nothing been learned: hypergeometric."""
    patients, members = len(found), int((~non_member).sum())
    return float(stats.hypergeom.sf(int((found & ~non_member).sum()) - 1, patients, members, int(found.sum())))


def epsilon_lower_bound(found: Flags, non_member: Flags, error: float) -> float:
    """The largest epsilon that is refuted by how many of the disclosed patients are members; pure DP, delta 0.

    Under epsilon a disclosed patient is a member with at most exp(epsilon) times the odds of before, so that their
    number is at most binomial.
    """
    return float(_bounds(np.array([(found & ~non_member).sum()]), np.array([found.sum()]), non_member, error)[0])


def best_epsilon_lower_bound(distance: Floats, non_member: Flags, error: float) -> float:
    """With the threshold that gives the most, in hindsight; no bound, as nobody knows that threshold."""
    counts = members_among_closest(distance, non_member)
    return float(_bounds(counts, np.arange(1, len(counts) + 1), non_member, error).max())


def _bounds(members: Integers, found: Integers, non_member: Flags, error: float) -> Floats:
    """For each count of members among so many disclosed ones."""
    sure = special.betaincinv(np.maximum(members, 1), found - members + 1, error)
    odds = math.log((~non_member).sum() / non_member.sum())
    return np.where(members > 0, np.maximum(0.0, special.logit(sure) - odds), 0.0)


def members_among_closest(distance: Floats, non_member: Flags) -> Integers:
    """How many of the 1, 2, 3... patients (P,) closest to a synthetic image are members."""
    return np.cumsum(~non_member[np.argsort(distance, kind="stable")])


class BestThreshold:
    """The zero-learning test with the threshold that makes p smallest, in hindsight: an upper limit, and no test."""

    def __init__(self, members: int, non_members: int, level: float, most: int = 400) -> None:
        """Of how many of the 1..`most` closest patients the members must be to reach the level: (most,)."""
        self.least = np.array([_least(members, non_members, count, level) for count in range(1, most + 1)])

    def sees(self, distance: Floats, non_member: Flags) -> bool:
        """Whether any threshold would do."""
        return bool((members_among_closest(distance, non_member)[: len(self.least)] >= self.least).any())


def _least(members: int, non_members: int, found: int, level: float) -> int:
    """The smallest count of members among the disclosed whose p is below the level; found + 1 if none is."""
    tails = stats.hypergeom.sf(np.arange(-1, found), members + non_members, members, found)
    return int(np.count_nonzero(tails >= level))
