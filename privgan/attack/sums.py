"""Attacks on the sum before the noise: what one patient can do to it, whoever they are and whoever else is there.

Noise hides a patient only if the sum moves by at most C, if the divisor is public, and if nobody acts through
somebody else's gradient. These are exact comparisons of sums measured with next to no noise.
"""

from collections.abc import Mapping

import numpy as np

from privgan.arrays import Floats, Integers
from privgan.attack.releases import Finding
from privgan.dp.noise import NORM_SLACK
from privgan.language import kept, to_tr

_ROUNDING = NORM_SLACK - 1  # of C: what the noise is enlarged for


def clipped_norm(moves: Mapping[str, Floats], clipping_norm: float) -> Finding:
    """The sum moves by at most C (1 + 2^-8) for every patient that an attacker can think of."""
    tried = kept("move the sum by more than C with: {kinds}", kinds=", ".join(moves))
    most = kept("at most {norm} C", norm=f"{NORM_SLACK:.4f}")
    return _bounded(moves, clipping_norm, name=to_tr("clipping"), tried=tried, most=most)


def patient_level(moves: Mapping[str, Floats], clipping_norm: float) -> Finding:
    """A patient with many images moves the sum by no more than one with a single image may."""
    tried = to_tr("gain influence by having many images")
    most = kept("at most {norm} C, however many images", norm=f"{NORM_SLACK:.4f}")
    return _bounded(moves, clipping_norm, name=to_tr("patient level"), tried=tried, most=most)


def public_normaliser(
    patients: Floats, twice: Floats, one_less: Floats, last: Floats, clipping_norm: float
) -> Finding:
    """Released gradient times the public constant is a plain sum: of n patients, of each twice, of n - 1."""
    gaps = [np.linalg.norm(twice - 2 * patients), np.linalg.norm(one_less + last - patients)]
    worst = float(np.max(gaps) / clipping_norm)
    return Finding(
        name=to_tr("public divisor"),
        tried=to_tr("read the number of patients drawn from the size of the gradient"),
        measured=kept("sums of n - 1, n and 2 n patients are off by {norm} C", norm=f"{worst:.4f}"),
        expected=kept("at most {norm} C", norm=f"{_ROUNDING:.4f}"),
        passed=bool(worst <= _ROUNDING),
    )


def no_mixing(contributions: Mapping[str, Floats], clipping_norm: float) -> Finding:
    """One patient's contribution, measured among different other patients, is always the same."""
    among = np.stack(list(contributions.values()))
    worst = float(np.max(np.linalg.norm(among - among[0], axis=1)) / clipping_norm)
    return Finding(
        name=to_tr("no mixing"),
        tried=kept(
            "change a patient's gradient through other patients' images: {kinds}", kinds=", ".join(contributions)
        ),
        measured=kept("it changes by {norm} C", norm=f"{worst:.4f}"),
        expected=kept("at most {norm} C", norm=f"{_ROUNDING:.4f}"),
        passed=bool(worst <= _ROUNDING),
    )


def once_a_step(reads: Integers) -> Finding:
    """No image is read twice in a step: (steps, images) counts are 0 or 1."""
    most = int(reads.max(initial=0))
    return Finding(
        name=to_tr("once a step"),
        tried=to_tr("find a patient who takes part twice in one step"),
        measured=kept(
            "an image is read at most {most} times in a step, over {steps} steps", most=most, steps=len(reads)
        ),
        expected=to_tr("at most 1"),
        passed=most <= 1,
    )


def _bounded(moves: Mapping[str, Floats], clipping_norm: float, *, name: str, tried: str, most: str) -> Finding:
    norms = {patient: float(np.linalg.norm(move)) / clipping_norm for patient, move in moves.items()}
    furthest = max(norms, key=lambda patient: norms[patient] if np.isfinite(norms[patient]) else np.inf)
    return Finding(
        name=name,
        tried=tried,
        measured=kept("at most {norm} C ({kind})", norm=f"{norms[furthest]:.4f}", kind=furthest),
        expected=most,
        passed=bool(norms[furthest] <= NORM_SLACK),
    )
