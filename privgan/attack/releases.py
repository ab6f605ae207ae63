"""Attacks on the mechanism, judged from observations: what came out of many steps, and nothing else.

An attacker who knows the model, the fakes and every patient watches the released gradients. Each function here
takes what was watched and says whether it is what the guarantee promises; none knows where it came from, so that a
mechanism broken on purpose can be shown to be caught. The tests with a p-value or a confidence bound share one
error (Bonferroni): a mechanism that keeps its promise fails any of them with probability at most `FAMILY_ERROR`.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from privgan.arrays import Floats, Integers
from privgan.dp.noise import NORM_SLACK
from privgan.language import kept, to_tr

FAMILY_ERROR = 0.01
STATISTICAL_TESTS = 10
LEVEL = FAMILY_ERROR / STATISTICAL_TESTS
_MOST_VALUES = 100_000  # so many show any shape that matters
_FEWEST_EXPECTED = 5.0  # of Pearson's chi-square, in every cell


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one attack tried and saw. `p_value` is None where a bound or an exact comparison decides."""

    name: str
    tried: str
    measured: str
    expected: str
    passed: bool
    p_value: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The form of `doctor --json`."""
        return asdict(self)


def by_p_value(p: float, *, name: str, tried: str, measured: str, expected: str) -> Finding:
    """A finding that fails when its p-value is below `LEVEL`; a p-value that is no number fails too."""
    p = p if math.isfinite(p) else 0.0
    return Finding(name=name, tried=tried, measured=measured, expected=expected, passed=p >= LEVEL, p_value=p)


def noise_size(noise: Floats) -> Finding:
    """Chi-square of (steps, parameters) noise in units of sigma C: over all, per parameter and per step."""
    squares = np.square(noise / NORM_SLACK)
    p = smallest(
        _chi_square(squares.sum(), squares.size),
        smallest(*_chi_square(squares.sum(0), len(noise))),
        smallest(*_chi_square(squares.sum(1), noise.shape[1])),
    )
    return by_p_value(
        p,
        name=to_tr("noise size"),
        tried=to_tr("find a step or a parameter with less noise than promised"),
        measured=kept(
            "{share} of the promised noise, over {count} numbers",
            share=f"{math.sqrt(squares.mean()):.4f}",
            count=noise.size,
        ),
        expected=kept(
            "1.0000, in every step and every parameter; {share} less would have been seen",
            share=f"{_visible(noise.size):.2%}",
        ),
    )


def noise_shape(noise: Floats) -> Finding:
    """Kolmogorov-Smirnov distance of the noise from a normal distribution of the promised size."""
    values = noise.ravel()[:: max(1, noise.size // _MOST_VALUES)]
    test = stats.kstest(values, "norm", args=(0.0, NORM_SLACK))
    return by_p_value(
        float(test.pvalue),
        name=to_tr("noise shape"),
        tried=to_tr("find noise that is not Gaussian"),
        measured=kept(
            "largest distance {distance} from a normal distribution, over {count} numbers",
            distance=f"{test.statistic:.4f}",
            count=len(values),
        ),
        expected=kept("about {number}", number=f"{0.87 / math.sqrt(len(values)):.4f}"),
    )


def noise_is_fresh(noise: Floats) -> Finding:
    """Noise that comes back cancels out: no two steps share it, and no step follows from the one before.

    The cosine r of two independent Gaussian vectors of P numbers: r sqrt((P - 1) / (1 - r^2)) is Student's t.
    """
    steps, numbers = noise.shape
    cosines = _cosines(noise)
    largest = float(np.abs(cosines[np.triu_indices(steps, 1)]).max())
    t = largest * math.sqrt((numbers - 1) / max(1 - largest**2, 1e-12))
    pairs = steps * (steps - 1) // 2
    drift = float(np.diagonal(cosines, 1).sum() * math.sqrt(numbers / (steps - 1)))
    return by_p_value(
        smallest(min(1.0, pairs * 2 * float(stats.t.sf(t, numbers - 1))), 2 * float(stats.norm.sf(abs(drift)))),
        name=to_tr("fresh noise"),
        tried=to_tr("find two steps with the same or related noise, and subtract one from the other"),
        measured=kept(
            "largest correlation {largest} among {pairs} pairs of steps", largest=f"{largest:.3f}", pairs=pairs
        ),
        expected=kept("none beyond chance; 1 if noise came back"),
    )


def noise_without_patients(noise: Floats, drawn: Integers) -> Finding:
    """A step that drew nobody must carry the same noise, or it tells that nobody was there."""
    empty = noise[drawn.sum(1) == 0] / NORM_SLACK
    p = float(_chi_square(np.square(empty).sum(), empty.size)) if empty.size else 0.0
    seen = (
        kept(
            "{share} of the promised noise in {count} steps that drew nobody",
            share=f"{math.sqrt(np.square(empty).mean()):.4f}",
            count=len(empty),
        )
        if empty.size
        else kept("nothing in {count} steps that drew nobody", count=len(empty))
    )
    return by_p_value(
        p,
        name=to_tr("noise of empty draws"),
        tried=to_tr("recognise steps that drew nobody by their noise"),
        measured=seen,
        expected=kept("1.0000; {share} less would have been seen", share=f"{_visible(empty.size):.2%}"),
    )


def participation(drawn: Integers, rate: float) -> Finding:
    """Each member's number of steps is Binomial(steps, rate): neither too often nor too evenly.

    The dispersion is compared with a scaled chi-square of the same mean and variance: exact enough for few steps.
    """
    steps, members = drawn.shape
    times = drawn.sum(0)
    variance = steps * rate * (1 - rate)
    stretch = 1 + (1 - 6 * rate * (1 - rate)) / variance / 2
    dispersion = np.square(times - steps * rate).sum() / variance
    total = stats.binomtest(min(int(times.sum()), drawn.size), drawn.size, rate).pvalue
    return by_p_value(
        smallest(float(total), float(two_sided(stats.chi2(members / stretch), dispersion / stretch))),
        name=to_tr("participation"),
        tried=to_tr("find patients who take part more often, or more evenly, than independent draws would have it"),
        measured=kept(
            "mean {mean} of {steps} steps, variance {variance} over {members} patients",
            mean=f"{times.mean():.1f}",
            steps=steps,
            variance=f"{dispersion / members * variance:.1f}",
            members=members,
        ),
        expected=kept(
            "mean {mean}, variance about {variance}; shuffling has variance 0",
            mean=f"{steps * rate:.1f}",
            variance=f"{variance:.1f}",
        ),
    )


def draw_size(drawn: Integers, rate: float) -> Finding:
    """The number drawn in a step is Binomial(members, rate): Pearson's chi-square. A fixed batch is not."""
    steps, members = drawn.shape
    sizes = drawn.sum(1)
    wanted = steps * stats.binom.pmf(np.arange(members + 1), members, rate)
    seen = np.bincount(np.minimum(sizes, members), minlength=members + 1)
    cells = _cells(wanted)
    seen, wanted = np.add.reduceat(seen, cells), np.add.reduceat(wanted, cells)
    return by_p_value(
        float(stats.chi2.sf((np.square(seen - wanted) / wanted).sum(), len(cells) - 1)),
        name=to_tr("draw size"),
        tried=to_tr("tell Poisson draws from shuffled batches by their size"),
        measured=kept(
            "{least} to {most} patients a step, variance {variance}",
            least=sizes.min(),
            most=sizes.max(),
            variance=f"{sizes.var():.2f}",
        ),
        expected=kept(
            "variance about {variance}; shuffling has variance 0", variance=f"{members * rate * (1 - rate):.2f}"
        ),
    )


def empty_draws(drawn: Integers, rate: float) -> Finding:
    """Steps that drew nobody are steps: they occur with probability (1 - rate)^members."""
    steps, members = drawn.shape
    empty, chance = int((drawn.sum(1) == 0).sum()), (1 - rate) ** members
    return by_p_value(
        float(stats.binomtest(empty, steps, chance).pvalue),
        name=to_tr("empty draws"),
        tried=to_tr("find that steps without patients are skipped"),
        measured=kept("{count} of {steps} steps drew nobody", count=empty, steps=steps),
        expected=kept("about {number}", number=f"{steps * chance:.0f}"),
    )


def _visible(numbers: int) -> float:
    """About how much smaller the noise of so many numbers must be before it is found out."""
    return float(stats.norm.isf(LEVEL / 6) / math.sqrt(2 * max(numbers, 1)))


def smallest(*p_values: float) -> float:
    """One p-value for several: the smallest times their number (Bonferroni); NaN if one is."""
    return float(min(1.0, len(p_values) * np.min(p_values)))


def two_sided(distribution: Any, values: Any) -> Any:
    """P-values of values that may be too small or too large for a frozen scipy distribution."""
    return np.minimum(1.0, 2 * np.minimum(distribution.cdf(values), distribution.sf(values)))


def _chi_square(sums: Any, degrees: int) -> Any:
    """Two-sided p-values of sums of squares of standard normals."""
    return two_sided(stats.chi2(degrees), sums)


def _cosines(rows: Floats) -> Floats:
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines: Floats = units @ units.T
    return cosines


def _cells(wanted: Floats) -> Integers:
    """Where to begin each group of neighbouring values so that every group expects enough."""
    starts, mass = [0], 0.0
    for value, expected in enumerate(wanted):
        if mass >= _FEWEST_EXPECTED and wanted[value:].sum() >= _FEWEST_EXPECTED:
            starts.append(value)
            mass = 0.0
        mass += expected
    return np.array(starts, dtype=np.int64)
