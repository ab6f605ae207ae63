"""Several p-values judged together; all that a verdict needs of statistics, so that it starts at once."""

import math
from collections.abc import Mapping


def holm(p_values: Mapping[str, float], level: float, weights: Mapping[str, float] | None = None) -> set[str]:
    """The names rejected by Holm (1979) at a family level; a NaN is never rejected and keeps its place.

    Args:
        p_values: one for each hypothesis.
        level: the family error.
        weights: of each name, positive; what of the level a hypothesis is given. Equal if left out.
    """
    weight = dict.fromkeys(p_values, 1.0) | dict(weights or {})
    rejected: set[str] = set()
    ascending = sorted(p_values, key=lambda name: _ratio(p_values[name], weight[name]))
    left = sum(weight[name] for name in ascending)
    for name in ascending:
        if not p_values[name] < level * weight[name] / left:
            break
        rejected.add(name)
        left -= weight[name]
    return rejected


def _ratio(p: float, weight: float) -> float:
    return math.inf if math.isnan(p) else p / weight
