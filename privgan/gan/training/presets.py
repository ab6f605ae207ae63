"""Which preset a training starts from, and why: the numbers of patients and classes, epsilon and the minutes.

Everything here is public, so that the choice costs no privacy.
"""

from dataclasses import dataclass

from privgan.checks import one_of
from privgan.dp.plan import calibrate_queries
from privgan.gan.image_model import MixtureSettings

AUTO, SMALL_COHORT, BALANCED, LARGE_COHORT = "auto", "small-cohort", "balanced", "large-cohort"
NAMES = (SMALL_COHORT, BALANCED, LARGE_COHORT)
_START = MixtureSettings()
# Patients a class for each unit of noise: below the first, noise is most of what is seen of a class; above the
# second, there are enough of them for ten Gaussians a class. Tuned on MNIST and Fashion-MNIST.
_FEW, _MANY = 150.0, 3000.0
_QUICK_MINUTES = 2.0
_PLENTY = 50.0  # of epsilon; more makes no difference here


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A preset, for so many members, and the reason in plain words."""

    preset: str
    members: int
    reason: str


def choose(
    members: int, *, classes: int, epsilon: float, delta: float, minutes: float | None = None, named: str = AUTO
) -> Choice:
    """The preset that suits, unless one is named.

    Raises:
        UsageError: there is no preset of that name, or no noise reaches epsilon.
    """
    if named != AUTO:
        one_of(NAMES, preset=named)
        return Choice(preset=named, members=members, reason="it was asked for")
    noise = calibrate_queries(_START.share * min(epsilon, _PLENTY), delta, _START.noise_ratios)[1]
    heard = members / classes / noise
    seen = (
        f"{members} patients in {classes} classes at epsilon {epsilon:g}: {heard:.0f} a class for each unit of noise"
    )
    if heard < _FEW:
        preset, why = SMALL_COHORT, "few, so most of epsilon goes to averages"
    elif heard < _MANY:
        preset, why = BALANCED, "enough for averages and for a discriminator"
    elif minutes is not None and minutes < _QUICK_MINUTES:
        preset, why = BALANCED, f"many, but {minutes:g} minutes are short"
    else:
        preset, why = LARGE_COHORT, "enough to tell several kinds within a class"
    return Choice(preset=preset, members=members, reason=f"{seen}, {why}")
