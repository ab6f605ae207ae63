"""From noisy counts of pairs to a joint table: as near to columns that know nothing of each other as counts allow.

Only post-processing: nothing here sees a patient. Private-PGM (McKenna, Sheldon and Miklau 2019, "Graphical-model
based estimation and inference for differential privacy") fits a table to noisy marginals in least squares over all
distributions; of those that fit alike it takes the one of most entropy, which has the form exp(sum of potentials).
Here the entropy relative to independent columns has a small weight instead, so that the dual is smooth and is solved
by a quasi-Newton method; the form is the same.

Before that, what two columns have to do with each other beyond their own shares is shrunk towards nothing as James
and Stein (1961) do: where noise drowns a pair, its columns are drawn as if they knew nothing of each other.
"""

import numpy as np

from privgan.arrays import Floats
from privgan.records.pairs import Pairs

ENTROPY = 0.01  # its weight for each member beside the squared errors in units of the noise
_SEEN = 0.5  # patients whom every value has at least, before the fit
_MOST_STEPS = 500
_CORRECTIONS = 20  # that the quasi-Newton method remembers


def fitted(pairs: Pairs, counts: Floats, *, noise: float, members: int) -> Floats:
    """Potentials (cells,) of the joint table that `joint` gives.

    Args:
        pairs: what was counted.
        counts: (cells,), noisy numbers of patients.
        noise: that the answer bore, in patients of weight 1; see `Pairs.errors`.
        members: how many patients there are, exactly.
    """
    from scipy.optimize import fmin_l_bfgs_b  # only a run that asked patients fits, and many verbs come here

    shares = shrunk(pairs, counts, noise=noise, members=members) / members
    errors = np.repeat(pairs.errors(noise) / members, np.diff(pairs.starts))
    apart, ridge = independent(pairs, counts, noise=noise, members=members), ENTROPY * members * errors**2

    def dual(beyond: Floats) -> tuple[float, Floats]:
        table, log_total = _table(pairs, apart + beyond)
        gradient = pairs.of(table) - shares + ridge * beyond
        return log_total - float(beyond @ shares) + 0.5 * float(ridge @ beyond**2), gradient

    start = np.zeros(pairs.cells)
    found, _, _ = fmin_l_bfgs_b(dual, start, m=_CORRECTIONS, maxiter=_MOST_STEPS, maxfun=2 * _MOST_STEPS)
    return np.asarray(apart + found, dtype=np.float64)


def independent(pairs: Pairs, counts: Floats, *, noise: float, members: int) -> Floats:
    """Potentials (cells,) of a table whose columns have their own shares and nothing to do with each other."""
    alone, _ = pairs.alone(counts, noise)
    logs = [np.log(np.maximum(_nearest_shares(count / members), _SEEN / members)) for count in alone]
    blocks = [np.add.outer(logs[i], logs[j]).ravel() for i, j in pairs.axes]
    return np.concatenate(blocks) / (len(logs) - 1)  # each column is in so many of them


def joint(pairs: Pairs, potentials: Floats) -> Floats:
    """The table (levels) of these potentials: float64, its sum 1."""
    return _table(pairs, potentials)[0]


def shrunk(pairs: Pairs, counts: Floats, *, noise: float, members: int) -> Floats:
    """Counts (cells,) whose columns have as much to do with each other as rises above the noise."""
    alone, _ = pairs.alone(counts, noise)
    shares = [_nearest_shares(count / members) for count in alone]
    found = []
    for (i, j), block, error in zip(pairs.axes, pairs.split(counts), pairs.errors(noise), strict=True):
        apart = members * np.outer(shares[i], shares[j])
        together = block - apart
        together = together - together.mean(0) - together.mean(1, keepdims=True) + together.mean()
        freedom = (len(shares[i]) - 1) * (len(shares[j]) - 1)
        by_noise = max(freedom - 2, freedom / 2) * error**2
        size = float((together**2).sum())
        kept = 1 - by_noise / size if size > by_noise else 0.0
        found.append((apart + kept * together).ravel())
    return np.concatenate(found)


def _nearest_shares(values: Floats) -> Floats:
    """The nearest numbers that are not negative and add up to 1 (Duchi et al. 2008)."""
    falling = np.sort(values)[::-1]
    over = (np.cumsum(falling) - 1) / np.arange(1, len(values) + 1)
    shares: Floats = np.maximum(values - over[np.flatnonzero(falling > over)[-1]], 0.0)
    return shares


def _table(pairs: Pairs, potentials: Floats) -> tuple[Floats, float]:
    """The table and the logarithm of what it was divided by."""
    logs = np.zeros(pairs.levels)
    for part in pairs.spread(potentials):
        logs += part
    highest = float(logs.max())
    table = np.exp(logs - highest)
    total = float(table.sum())
    return table / total, highest + float(np.log(total))
