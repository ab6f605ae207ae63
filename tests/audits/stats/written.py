"""Choices as bytes, one number for each patient and choice, as tests look at them."""

import numpy as np

from privgan.arrays import Choices
from privgan_audits.stats.pools import Pool, relabellings


def written(pool: Pool) -> Choices:
    """A whole pool, uint8 (patients, count)."""
    return pool.take(np.arange(len(pool)))


def choices(patients: int, non_members: int, rng: np.random.Generator, count: int) -> Choices:
    """Random choices of the non-members, uint8 (patients, count)."""
    return written(relabellings(patients, non_members, rng, count))
