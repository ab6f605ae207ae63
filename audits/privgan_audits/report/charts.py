"""The charts of the internal page, from the record alone; nothing here ever reaches the public one."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from privgan.arrays import Floats
from privgan_audits.gate.verdict import GATING_COPIES
from privgan_audits.record import Record
from privgan_audits.report.limits import allowed_copies, finding
from privgan_audits.report.words.frame import COPIES
from privgan_audits.telling.numbers import humanised
from privgan_audits.telling.plots import Chart, Roc, distance_chart, limits_chart, roc_chart


def charts_of(record: Record) -> dict[str, tuple[Chart, ...]]:
    """By test, the charts that its measurements allow."""
    found = {
        "T0": limits(record),
        "T2": distances(finding(record, "T3", "series")),
        "T3": roc(finding(record, "T3", "series"), record["ceiling"]),
    }
    return {test: (chart,) for test, chart in found.items() if chart is not None}


def limits(record: Record) -> Chart | None:
    """The limit of detection of each kind of planted copy, beside what the policy allows."""
    found, searched = (finding(record, "T0", key) for key in ("limit_of_detection", "copies_planted_at_most"))
    if not found or not searched:
        return None
    rows = {COPIES.get(kind, humanised(kind)) + "*" * (kind in GATING_COPIES): count for kind, count in found.items()}
    return Chart(
        svg=limits_chart(rows, int(searched), allowed_copies(record), name="limits"),
        title="How few copied patients would have been noticed",
        caption="Copies of so many different patients were planted, and found in 59 of 59 trials. Kinds with a star "
        "count for the verdict.",
    )


def roc(series: Mapping[str, Any] | None, ceiling: Mapping[str, Any] | None) -> Chart | None:
    """The membership attack under the ceiling of the guarantee."""
    if not series:
        return None
    points = Roc(**{name: _array(series[name]) for name in ("fpr", "tpr", "tpr_low")})
    bound = None if ceiling is None else _array(ceiling["tpr"])
    fpr = points.fpr if ceiling is None else _array(ceiling["fpr"])
    above = "The dotted lower band must lie under the dashed ceiling: above it, the guarantee would be broken. "
    return Chart(
        svg=roc_chart(points, fpr, bound, name="roc"),
        title="The membership attack under its ceiling",
        caption=("" if ceiling is None else above)
        + "A line that hugs the diagonal is an attack that guesses. Both axes are logarithmic.",
    )


def distances(series: Mapping[str, Any] | None) -> Chart | None:
    """How far members and non-members lie from the nearest synthetic image."""
    if not series or not series.get("distances"):
        return None
    found = {name: _array(values) for name, values in series["distances"].items()}
    return Chart(
        svg=distance_chart(found["edges"], found["members"], found["non_members"], name="distances"),
        title="Distance of each patient to the nearest synthetic image",
        caption="Two curves that lie on each other: the images are no closer to the patients they were learned from "
        "than to patients they never saw. A bump of members on the left: copies.",
    )


def _array(values: Any) -> Floats:
    return np.asarray(values, dtype=np.float64)
