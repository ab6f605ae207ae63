"""Which preset a training starts from, and why: the numbers of patients and classes, epsilon, the
minutes, and whether the images are slices.

Everything here is public, so that the choice costs no privacy.
"""

from dataclasses import dataclass

from privgan.checks import one_of
from privgan.dp.plan import calibrate_queries
from privgan.gan.image_model import STARTS
from privgan.gan.names import AUTO, BALANCED, LARGE_COHORT, PRESETS, SLICES, SMALL_COHORT
from privgan.gan.training.outlook import Outlook, Question, outlook
from privgan.language import kept, to_tr

_START = STARTS[BALANCED]
# Patients a class for each unit of noise: below the first, noise is most of what is seen of a class; above the
# second, there are enough of them for ten Gaussians a class. Tuned on MNIST and Fashion-MNIST.
_FEW, _MANY = 150.0, 3000.0
# Slices of one body part lie at many levels and have as many shapes: kinds pay off earlier. Tuned on head CT.
_SLICED, _SOME = ("CT", "MR", "PT"), 500.0
_QUICK_MINUTES = 2.0
_PLENTY = 50.0  # of epsilon; more makes no difference here


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A preset, for so many members, the reason in plain words, and what can come of it."""

    preset: str
    members: int
    reason: str
    outlook: Outlook


def choose(
    members: int,
    *,
    classes: int,
    epsilon: float,
    delta: float,
    minutes: float | None = None,
    named: str = AUTO,
    modality: str = "",
) -> Choice:
    """The preset that suits, unless one is named. modality: a DICOM code, as `prepare` wrote it; no image is asked.

    Raises:
        UsageError: there is no preset of that name, or no noise reaches epsilon.
    """
    if named != AUTO:
        one_of(PRESETS, preset=named)
        preset, reason = named, to_tr("it was asked for")
    else:
        preset, reason = _suited(members, classes, epsilon, delta, minutes, modality)
    asked = Question(members=members, classes=classes, epsilon=epsilon, delta=delta, start=STARTS[preset])
    return Choice(preset=preset, members=members, reason=reason, outlook=outlook(asked))


def _suited(
    members: int, classes: int, epsilon: float, delta: float, minutes: float | None, modality: str
) -> tuple[str, str]:
    """A preset and why."""
    noise = calibrate_queries(_START.share * min(epsilon, _PLENTY), delta, _START.noise_ratios)[1]
    heard = members / classes / noise
    if heard < _FEW:
        preset, why = SMALL_COHORT, kept("few, so most of epsilon goes to averages")
    elif modality in _SLICED and _SOME <= heard < _MANY:
        preset, why = SLICES, kept("enough for the kinds of slices that {modality} has", modality=modality)
    elif heard < _MANY:
        preset, why = BALANCED, kept("enough for averages and for a discriminator")
    elif minutes is not None and minutes < _QUICK_MINUTES:
        preset, why = BALANCED, kept("many, but {minutes} minutes are short", minutes=f"{minutes:g}")
    else:
        preset, why = LARGE_COHORT, kept("enough to tell several kinds within a class")
    return preset, kept(
        "{members} patients in {classes} classes at epsilon {epsilon}: {heard} a class for each unit of noise, "
        "{reason}",
        members=members,
        classes=classes,
        epsilon=f"{epsilon:g}",
        heard=f"{heard:.0f}",
        reason=why,
    )
