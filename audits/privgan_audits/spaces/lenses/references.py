"""How close real images of two patients come to each other, part by part: what a distance is measured by.

Products of low precision (`screening`) leave a few images that could be the closest; these are measured in float64.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from privgan.arrays import Flags, Floats, Integers, Singles
from privgan.gan.ranks.ranks import Ranks
from privgan.gan.ranks.rows import Arrays, in_shares
from privgan.language import tr
from privgan.progress import Progress, silent
from privgan_audits.spaces.landmarks.points import equal
from privgan_audits.spaces.lenses.views import LensViews
from privgan_audits.spaces.search.screening import fastest, places

_PAIRS = 1 << 20  # numbers that become double at once
_CLOSEST = 1e-6  # identical parts of two patients
SLACK = 1e-4  # of a cosine in single precision; sums of 1,024 products lose half of that at most
_TILE = 1 << 20  # products at once
_COLUMNS = 1 << 15  # images, as they are, that others are compared with at once
_MADE = 256  # images whose views are made at once where they are not kept


def reference_distances(
    views: LensViews,
    owner: Integers,
    progress: Progress = silent,
    ranks: Ranks | None = None,
    compared: Integers | None = None,
) -> list[Floats]:
    """Of each part, the distance of each real image's closest view to the nearest image of another patient: (n,).

    Args:
        views: of all real images.
        owner: their patients (n,).
        progress: listener.
        ranks: among whom the images are shared out.
        compared: rows of those that all are compared with; None for all.
    """
    task, images = tr("real images among themselves, {space}", space=tr(views.lens.name)), len(owner)
    patients = owner if compared is None else owner[compared]
    step = max(1, _TILE // (min(len(patients), _COLUMNS) * views.changes))

    def closest(share: range) -> Arrays:
        best = [np.zeros(images) for _ in views.whites]
        for start in range(0, len(patients), _COLUMNS):
            columns = slice(start, start + _COLUMNS)
            others = [_Points.of(points) for points in _others(views, columns, compared)]
            for first, parts in _some_at_once(views, share, step):
                progress(task, start * images + first * len(others[0].points), images * len(patients))
                rows = slice(first, first + len(parts[0]))
                apart = equal(owner[rows], patients[columns])
                for found, part, points in zip(best, parts, others, strict=True):
                    cosines = _closest_cosines(part, points, apart)
                    np.maximum(found[rows], cosines, out=found[rows])
        return [found[share.start : share.stop] for found in best]

    views.look()
    best = in_shares(images, ranks, closest, step=step)
    progress(task, images, images)
    return [np.maximum(np.sqrt(2.0 - 2.0 * found), _CLOSEST) for found in best]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Points:
    """One part of some images, float32 (m, d), ready for products. shown: bool (m,), which show anything."""

    points: Singles
    rounded: Tensor
    shown: Flags

    @classmethod
    def of(cls, points: Singles) -> "_Points":
        """Of a part as it is."""
        return cls(points=points, rounded=fastest().rounded(points), shown=np.asarray(points.any(axis=1)))


def _others(views: LensViews, columns: slice, compared: Integers | None) -> list[Singles]:
    """Some of the images that others are compared with, as they are: every part, float32 (m, d)."""
    if compared is None:
        return views.still(columns.start, columns.stop)
    return views.beside(views.images[compared[columns]])


def _some_at_once(views: LensViews, share: range, step: int) -> Iterator[tuple[int, list[Singles]]]:
    """At most `step` images of a share at a time: the first, and every part, float32 (k, views, d).

    Where they are not kept more are made at once, which is quicker.
    """
    made = step * max(1, _MADE // step)
    for first in share[::made]:
        parts = views.some(first, min(first + made, share.stop))
        for start in range(0, len(parts[0]), step):
            yield first + start, [part[start : start + step] for part in parts]


def alike(views: Singles, points: Singles) -> Floats:
    """|cosine| of the closest view of each image (n, views, d) with its point (n, d), in float64: (n,).

    Of many views single precision leaves those that could be the closest.
    """
    if views.shape[1] == 1:
        products = _double(views) @ _double(points)[:, :, None]
        return np.asarray(np.minimum(np.abs(products[:, 0, 0]), 1.0))
    roughly = np.abs(views @ points[:, :, None])[:, :, 0]
    image, view = places(roughly >= roughly.max(axis=1, keepdims=True) - 2 * SLACK)
    products = np.einsum("nd,nd->n", _double(views[image, view]), _double(points)[image])
    first = np.flatnonzero(np.diff(image, prepend=-1))
    return np.asarray(np.minimum(np.maximum.reduceat(np.abs(products), first), 1.0)) if len(first) else np.zeros(0)


def _closest_cosines(views: Singles, others: _Points, apart: tuple[Integers, Integers]) -> Floats:
    """|cosine| of each image (n, views, d) with the closest point (m, d), but for pairs that are kept apart: (n,)."""
    precision, points = fastest(), others.points
    seen = precision.rounded(views).transpose(0, 1)
    roughly = precision.magnitudes(seen.flatten(0, 1), others.rounded)
    if len(seen) > 1:
        roughly = roughly.reshape(len(seen), len(views), len(points)).max(axis=0)
    roughly[apart] = 0
    least = precision.possible(roughly)
    least[~views.any(axis=(1, 2))] = precision.infinite  # such an image is close to none
    possible = np.asarray(roughly >= least)
    possible[apart] = False
    image, point = places(possible)
    shown = np.flatnonzero(others.shown[point])
    image, point = image[shown], point[shown]
    best, step = np.zeros(len(views)), max(1, _PAIRS // views[0].size)
    for start in range(0, len(image), step):
        some = slice(start, start + step)
        np.maximum.at(best, image[some], alike(views[image[some]], points[point[some]]))
    return best


def _double(vectors: Singles) -> Floats:
    """Vectors (..., d) in float64, of unit length again, so that equal ones have a cosine of one; or zeros."""
    values = vectors.astype(np.float64)
    norms = np.linalg.norm(values, axis=-1, keepdims=True)
    return np.asarray(values / np.where(norms > 0.5, norms, 1.0))
