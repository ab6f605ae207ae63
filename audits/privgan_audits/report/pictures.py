"""The charts and the closest pairs of the internal page; nothing here ever reaches the public one."""

import base64
import io
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from privgan_audits.interface import Evidence
from privgan_audits.report.numbers import percent
from privgan_audits.report.page import Pair
from privgan_audits.report.plots import Chart, Roc, distance_chart, roc_chart
from privgan_audits.report.rules import finding

_PAIRS_SHOWN = 12
_PIXELS = 128

Floats = NDArray[np.float64]


def charts(
    record: Mapping[str, Any], internal: Mapping[str, Any], bound_fpr: Floats, bound: Floats | None
) -> tuple[Chart, ...]:
    """The charts that the measurements allow: the attack under its ceiling, and the distances."""
    return (*_roc(finding(record, "T3", "series"), bound_fpr, bound), *_distances(internal.get("T3")))


def _roc(series: Mapping[str, Any] | None, bound_fpr: Floats, bound: Floats | None) -> Iterator[Chart]:
    if series:
        points = Roc(**{name: np.asarray(series[name], dtype=np.float64) for name in ("fpr", "tpr", "tpr_low")})
        ceiling = "The dotted lower band must lie under the dashed ceiling: above it, the guarantee would be broken. "
        yield Chart(
            svg=roc_chart(points, bound_fpr, bound, name="roc"),
            title="The membership attack under its ceiling",
            caption=("" if bound is None else ceiling)
            + "A line that hugs the diagonal is an attack that guesses. Both axes are logarithmic.",
        )


def _distances(values: Mapping[str, Any] | None) -> Iterator[Chart]:
    if values:
        members, others = (_finite(values[side]) for side in ("members", "non_members"))
        if len(members) and len(others):
            yield Chart(
                svg=distance_chart(members, others, name="distances"),
                title="Distance of each patient to the nearest synthetic image",
                caption="Two curves that lie on each other mean that the images are no closer to the patients "
                "they were learned from than to patients they never saw. A bump of members on the left: copies.",
            )


def _finite(values: Any) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    return array[np.isfinite(array)]


def closest_pairs(internal: Mapping[str, Any], evidence: Evidence | None) -> tuple[Pair, ...]:
    """Members beside synthetic images as PNG data URIs: identical ones first, then the closest."""
    if evidence is None:
        return ()
    rows = [row for test in ("T1", "T2") for row in internal.get(test, {}).get("pairs", ())]
    return tuple(_pair(row, evidence) for row in rows[:_PAIRS_SHOWN])


def _pair(row: Mapping[str, Any], evidence: Evidence) -> Pair:
    member, synthetic = int(row["member_row"]), int(row["synthetic_row"])
    same = "identical but for brightness" if row.get("rescaled") else "identical pixels"
    how = f"{percent(row['ratio'])} of the distance to another patient, by {row['space']}" if "ratio" in row else same
    return Pair(
        real=_data_uri(evidence.members.images[member]),
        synthetic=_data_uri(evidence.synthetic.images[synthetic]),
        caption=f"{how}; member image {member}, synthetic image {synthetic + 1}",
    )


def _data_uri(image: NDArray[np.uint8]) -> str:
    """A grey image, uint8 (h, w), enlarged without smoothing, as a PNG data URI."""
    factor = max(1, _PIXELS // max(image.shape))
    buffer = io.BytesIO()
    Image.fromarray(np.kron(image, np.ones((factor, factor), np.uint8))).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
