"""How many images of each class: what the user asks for, or what the run measured of its patients with noise.

Real class shares are private: a set may repeat them only as a query that was charged gave them.
"""

import math

import numpy as np

from privgan.arrays import Floats, Integers
from privgan.errors import UsageError
from privgan.synthetic.seed import Seed

UNIFORM, MEASURED = "uniform", "measured"


def class_labels(
    text: str,
    classes: tuple[str, ...],
    count: int,
    seed: Seed,
    measured: Floats | None = None,
) -> Integers:
    """Labels for `count` images in random order.

    Args:
        text: "uniform", "measured", or weights as "name:weight,name:weight"; classes left out get none.
        classes: the run's class names; the labels are indices into them.
        count: number of labels.
        seed: draws the order only, the numbers of each class are fixed.
        measured: the noisy shares that the run measured, if it did.

    Returns:
        int64 (count,).

    Raises:
        UsageError: an unknown or repeated class, a weight that is not a finite number of at least 0, or measured
            shares of a run that measured none.
    """
    numbers = apportion(_weights(text, classes, measured), count)
    labels: Integers = np.repeat(np.arange(len(classes), dtype=np.int64), numbers)
    return labels[seed.order("labels", count)]


def canonical_policy(text: str, classes: tuple[str, ...]) -> str:
    """The one way to write what was asked for: classes in their order, weights with six digits, no class of none.

    >>> canonical_policy("effusion:3.000, normal:1", ("normal", "effusion"))
    'normal:1,effusion:3'

    Raises:
        UsageError: as `class_labels` does.
    """
    if text in (UNIFORM, MEASURED):
        return text
    weights = zip(classes, _named_weights(text, classes), strict=True)
    return ",".join(f"{name}:{weight:g}" for name, weight in weights if weight > 0)


def apportion(weights: Floats, count: int) -> Integers:
    """Whole numbers that add up to `count`, nearest to the weights' shares (largest remainders).

    >>> apportion(np.array([1.0, 1.0, 1.0]), 10).tolist()
    [4, 3, 3]
    """
    shares = count * weights / weights.sum()
    whole: Integers = np.floor(shares).astype(np.int64)
    left = count - int(whole.sum())
    whole[np.argsort(whole - shares, kind="stable")[:left]] += 1
    return whole


def _weights(text: str, classes: tuple[str, ...], measured: Floats | None) -> Floats:
    if text == UNIFORM:
        return np.ones(len(classes))
    if text != MEASURED:
        return _named_weights(text, classes)
    if measured is None:
        raise unmeasured()
    return measured


def unmeasured() -> UsageError:
    """The refusal of a run that cannot say how common its classes are."""
    return UsageError(
        "Expected a run that measured class shares, this one did not. Train with --measure-classes, which is "
        "charged; or choose --classes uniform or NAME:WEIGHT,NAME:WEIGHT."
    )


def _named_weights(text: str, classes: tuple[str, ...]) -> Floats:
    weights = np.zeros(len(classes))
    seen: set[str] = set()
    for part in text.split(","):
        name, _, weight = part.rpartition(":")
        name = name.strip()
        if name not in classes or name in seen:
            raise UsageError(
                f"Expected --classes uniform or measured, or each class at most once as name:weight; got {part!r}. "
                f"The run's classes: {', '.join(classes)}."
            )
        seen.add(name)
        weights[classes.index(name)] = _weight(weight)
    if not weights.sum() > 0:
        raise UsageError("Expected at least one class with a weight above 0.")
    return weights


def _weight(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1e9:
        raise UsageError(f"Expected a class weight between 0 and 1e9, got {text!r}.")
    return value
