"""What an attack on one patient's membership proves about epsilon, and whether the accountant allows it.

The attacker has a score of many releases without the patient and of many with them, and counts errors at a threshold
(Jagielski, Ullman and Oprea 2020, "Auditing differentially private machine learning"; Nasr et al. 2023, "Tight
auditing"; f-DP: Dong, Roth and Su 2022). Where the threshold is best follows from the mechanism's own promise, which
is public. So it is fixed before a score is seen, and every score counts its errors: none is spent on choosing it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from privgan.arrays import Floats, Integers
from privgan.attack.releases import LEVEL, Finding, by_p_value, smallest, two_sided
from privgan.dp.accounting import epsilon
from privgan.dp.gaussian import GaussianQueries
from privgan.dp.noise import NORM_SLACK
from privgan.dp.tradeoff import tpr_bound
from privgan.language import kept, to_tr

_FAR, _TRIED = 4.0, 1_000  # deviations of the noise beyond the patient's mark; thresholds to choose from


@dataclass(frozen=True, kw_only=True)
class LowerBound:
    """With the stated confidence the mechanism has at least this epsilon, and at least this mu of Gaussian DP.

    errors: upper bounds of (false alarm, miss) at the threshold of each. ceiling: what an attack that never errs
    would have shown with as many releases.
    """

    epsilon: float
    mu: float
    errors: tuple[tuple[float, float], tuple[float, float]]
    ceiling_epsilon: float
    ceiling_mu: float


def lower_bound(
    absent: Floats, present: Floats, promise: Sequence[GaussianQueries], *, delta: float, error: float = LEVEL
) -> LowerBound:
    """Bounds that are both right with probability at least 1 - error (Clopper-Pearson on either error rate).

    Args:
        absent: scores of releases without the patient, (n,), in deviations of the noise.
        present: of releases with them, (m,).
        promise: the one release that the mechanism claims to make. Where it lies, the bounds hold all the same, and
            are only less sharp.
        delta: of the claim.
        error: of both bounds together.
    """
    each = error / 4  # two thresholds, two error rates
    thresholds = _thresholds(promise, len(absent), len(present), delta, each)
    fpr, fnr = _error_bounds(absent, present, thresholds, each)
    least = _upper(np.zeros(1), len(absent), each), _upper(np.zeros(1), len(present), each)
    return LowerBound(
        epsilon=float(_epsilons(fpr, fnr, delta)[0]),
        mu=float(_mus(fpr, fnr)[1]),
        errors=((float(fpr[0]), float(fnr[0])), (float(fpr[1]), float(fnr[1]))),
        ceiling_epsilon=float(_epsilons(*least, delta)[0]),
        ceiling_mu=float(_mus(*least)[0]),
    )


def _thresholds(promise: Sequence[GaussianQueries], absent: int, present: int, delta: float, error: float) -> Floats:
    """Where the bounds of epsilon and of mu are expected to be largest, if the mechanism does what it promises."""
    (query,) = promise
    shift, rate = 1 / query.noise_multiplier, query.sample_rate
    tried = np.linspace(0.0, shift + _FAR, _TRIED)
    alarms = absent * stats.norm.sf(tried)
    misses = present * ((1 - rate) * stats.norm.cdf(tried) + rate * stats.norm.cdf(tried - shift))
    bounds = _upper(alarms, absent, error), _upper(misses, present, error)
    return tried[[np.argmax(_epsilons(*bounds, delta)), np.argmax(_mus(*bounds))]]


def canary_bound(absent: Floats, present: Floats, queries: Sequence[GaussianQueries], *, delta: float) -> Finding:
    """Fails when the attack did better than the accountant's curve allows any attack to do."""
    found = lower_bound(absent, present, queries, delta=delta)
    fpr, fnr = np.array(found.errors).T
    claimed = epsilon(queries, delta)
    facts = {
        "confidence": f"{1 - LEVEL:.1%}",
        "epsilon": f"{found.epsilon:.2f}",
        "most": f"{found.ceiling_epsilon:.2f}",
    }
    limits = {"epsilon": f"{claimed:.2f}", "delta": f"{delta:g}"}
    if all(query.sample_rate == 1.0 for query in queries):
        mu = math.sqrt(sum(query.steps / query.noise_multiplier**2 for query in queries))
        name = to_tr("epsilon of one step")
        tried = to_tr("tell from one released gradient whether a patient took part, knowing everything else")
        seen = kept(
            "with {confidence} confidence epsilon at least {epsilon} (the most that so many steps can show: {most}), "
            "mu at least {mu} (the most: {most_mu})",
            mu=f"{found.mu:.2f}",
            most_mu=f"{found.ceiling_mu:.2f}",
            **facts,
        )
        expected = kept(
            "no more than the accountant's {epsilon} at delta {delta}, and mu {mu}", mu=f"{mu:.2f}", **limits
        )
    else:
        name = to_tr("epsilon of one draw")
        tried = to_tr("tell from one released gradient whether a patient belongs to those who are drawn now and then")
        seen = kept(
            "with {confidence} confidence epsilon at least {epsilon} (the most that so many steps can show: {most})",
            **facts,
        )
        expected = kept("no more than the accountant's {epsilon} at delta {delta}", **limits)
    return Finding(
        name=name,
        tried=tried,
        measured=seen,
        expected=expected,
        passed=bool((1 - fnr <= tpr_bound(queries, fpr)).all()),
    )


def canary_scores(absent: Floats, present: Floats, noise_multiplier: float) -> Finding:
    """<release - everyone else, canary> / (sigma C |canary|) is N(0, 1) without the patient, N(1 / sigma, 1) with."""
    shift = 1 / noise_multiplier
    return by_p_value(
        smallest(*_normal(absent / NORM_SLACK), *_normal((present - shift) / NORM_SLACK)),
        name=to_tr("gradient canary"),
        tried=to_tr("measure a patient's largest possible gradient in the noise"),
        measured=kept(
            "mean {mean} and deviation {deviation} without the patient, {mean_with} and {deviation_with} with, over "
            "{without} + {present} steps",
            mean=f"{absent.mean():.2f}",
            deviation=f"{absent.std():.2f}",
            mean_with=f"{present.mean():.2f}",
            deviation_with=f"{present.std():.2f}",
            without=len(absent),
            present=len(present),
        ),
        expected=kept("0 and 1 without, {mean} and 1 with", mean=f"{shift:.2f}"),
    )


def _normal(values: Floats) -> tuple[float, float]:
    """Two-sided p-values of the mean and of the size of what should be standard normal."""
    mean = float(values.sum() / math.sqrt(len(values)))
    return 2 * float(stats.norm.sf(abs(mean))), float(two_sided(stats.chi2(len(values)), np.square(values).sum()))


def _error_bounds(absent: Floats, present: Floats, thresholds: Floats, error: float) -> tuple[Floats, Floats]:
    """Upper Clopper-Pearson bounds of P(absent > t) and P(present <= t)."""
    alarms = len(absent) - np.searchsorted(np.sort(absent), thresholds, side="right")
    misses = np.searchsorted(np.sort(present), thresholds, side="right")
    return _upper(alarms, len(absent), error), _upper(misses, len(present), error)


def _upper(successes: Floats | Integers, trials: int, error: float) -> Floats:
    inner = np.minimum(successes, trials - 1)
    return np.where(successes >= trials, 1.0, stats.beta.ppf(1 - error, inner + 1, trials - inner))


def _epsilons(fpr: Floats, fnr: Floats, delta: float) -> Floats:
    """ln((1 - delta - FNR) / FPR), in either direction, and never below zero."""
    hits = np.maximum(1 - delta - fnr, fpr), np.maximum(1 - delta - fpr, fnr)
    return np.log(np.maximum(hits[0] / fpr, hits[1] / fnr))


def _mus(fpr: Floats, fnr: Floats) -> Floats:
    """Phi^-1(1 - FPR) - Phi^-1(FNR), never below zero."""
    return np.maximum(stats.norm.isf(fpr) - stats.norm.ppf(fnr), 0.0)
