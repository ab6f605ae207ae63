"""Numbers of a cohort as quarters: the tests ask about categories, and a band's edges would tell patients' values.

The edges are quartiles over all patients of both sides together, so they know nothing of who is a member. They stay
here: what a report can show is that somebody is in the `1st quarter`, never from where to where it reaches.
"""

from collections.abc import Mapping

import numpy as np

from privgan.arrays import Floats, Integers, Texts, Values
from privgan.language import to_tr

QUARTERS = to_tr(("1st quarter", "2nd quarter", "3rd quarter", "4th quarter"))


def quartiles(values: Floats, patients: Integers) -> Floats:
    """The three edges between the quarters of patients (3,), NaN if nothing is known of anybody.

    Args:
        values: of each image (n,), NaN where unknown; a patient counts once, with the mean of what is known.
        patients: whose images these are (n,).
    """
    known = ~np.isnan(values)
    if not known.any():
        return np.full(3, np.nan)
    _, person, images = np.unique(patients[known], return_inverse=True, return_counts=True)
    means = np.bincount(person, values[known]) / images
    return np.asarray(np.quantile(means, (0.25, 0.5, 0.75)), dtype=np.float64)


def quarters(values: Floats, edges: Floats) -> Texts:
    """The quarter of each value (n,): at most the first edge, at most the second, ...; empty where it is unknown."""
    found = np.array(QUARTERS)[np.searchsorted(edges, np.nan_to_num(values))]
    return np.where(np.isnan(values), "", found)


def banded(columns: Mapping[str, Values], edges: Mapping[str, Floats]) -> dict[str, Texts]:
    """Columns as texts: those that have edges were numbers, or the texts of some, empty where unknown."""
    return {
        name: quarters(_numbers(column), edges[name]) if name in edges else column.astype(np.str_)
        for name, column in columns.items()
    }


def _numbers(column: Values) -> Floats:
    texts = column.astype(np.str_)
    return np.where(texts == "", "nan", texts).astype(np.float64)
