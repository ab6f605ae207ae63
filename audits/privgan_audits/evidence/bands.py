"""Numbers of a cohort as bands: the tests ask about categories.

Of a declared column they are the bands that records know, which are public. Of any other they are quarters, because
a band's edges would tell patients' values: quartiles over all patients of both sides together, so that they know
nothing of who is a member. They stay here: what a report can show is that somebody is in the `1st quarter`, never
from where to where it reaches.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from privgan.arrays import Floats, Integers, Texts, Values
from privgan.data.columns import is_number
from privgan.language import to_tr
from privgan.records.schema import Column, is_declared

Banding = Mapping[str, Callable[[Floats], Texts]]
"""By column that is a number, what bands its values (n,), NaN where unknown, are in: (n,), empty there."""

QUARTERS = to_tr(("1st quarter", "2nd quarter", "3rd quarter", "4th quarter"))
OUTSIDE = to_tr("outside")


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


def bands(values: Floats, column: Column) -> Texts:
    """The public band of each value (n,), `outside` of what was declared, empty where it is unknown."""
    names = np.array(["", *(column.band(code) for code in range(1, column.levels)), OUTSIDE])
    return names[column.codes(values)]


def banding(types: Mapping[str, str], columns: Mapping[str, Values], patients: Integers) -> Banding:
    """How the numbers of a cohort are put into bands.

    Args:
        types: of all columns, by name; see `data.columns`.
        columns: values of each image (n,), by name.
        patients: whose images these are (n,).
    """
    found: dict[str, Callable[[Floats], Texts]] = {}
    for name, kind in types.items():
        if is_number(kind) and is_declared(kind):
            found[name] = partial(bands, column=Column.parse(name, kind))
        elif is_number(kind):
            found[name] = partial(quarters, edges=quartiles(columns[name].astype(np.float64), patients))
    return found


def banded(columns: Mapping[str, Values], numbers: Banding) -> dict[str, Texts]:
    """Columns as texts: those that have a banding were numbers, or the texts of some, empty where unknown."""
    return {
        name: numbers[name](_numbers(column)) if name in numbers else column.astype(np.str_)
        for name, column in columns.items()
    }


def _numbers(column: Values) -> Floats:
    texts = column.astype(np.str_)
    return np.where(texts == "", "nan", texts).astype(np.float64)
