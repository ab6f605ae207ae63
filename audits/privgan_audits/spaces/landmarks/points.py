"""Landmarks as points on a sphere, gathered in cells, so that only what looks roughly the same is compared.

Windows are whitened by what those of all real images have in common, as parts are through a lens; what hardly differs
from window to window is left small, as there a part that was enlarged or shrunk differs from itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Floats, Images, Integers, Singles
from privgan.gan.ranks.ranks import Ranks
from privgan.gan.ranks.rows import gathered_rows, shares
from privgan_audits.spaces.landmarks.keypoints import Size, grey_pictures, landmarks
from privgan_audits.spaces.lenses.lenses import Whitening

_KEPT = 48  # directions in which windows are compared
_RIDGE = 0.03  # of the largest variance, added to each
_NOTHING = 1e-9
_AT_ONCE = 512  # points
_PAIRS = 1 << 12  # of points that become double at once: what stays in a cache
_IMAGES = 512  # that are grey pictures at once


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """Landmarks as points on the unit sphere, float32 (k, d); the rest as in `Landmarks`."""

    image: Integers
    size: Integers
    place: Floats
    point: Singles

    def only(self, rows: Integers) -> "Points":
        """Some of them."""
        return Points(image=self.image[rows], size=self.size[rows], place=self.place[rows], point=self.point[rows])


def learned(pictures: Singles, floor: float) -> Whitening:
    """The directions in which windows differ, each counting alike but for those in which they hardly do."""
    windows = np.concatenate([seen.window for seen in landmarks(pictures, [(1.0, 1.0)], floor)]).astype(np.float64)
    windows /= np.maximum(np.linalg.norm(windows, axis=1, keepdims=True), _NOTHING)
    return Whitening.of_directions(windows, _KEPT, _RIDGE, _NOTHING)


def placed(images: Images, rows: Integers, sizes: Sequence[Size], floor: float, white: Whitening) -> Points:
    """The landmarks of some rows (k,), k >= 1, of images uint8 (n, h, h, c), as points."""
    found, point = list[tuple[Integers, Integers, Floats]](), Growing()
    for start in range(0, len(rows), _IMAGES):
        for seen in landmarks(grey_pictures(images[rows[start : start + _IMAGES]]), sizes, floor):
            found.append((seen.image + start, seen.size, seen.place))
            point.add(white(seen.window.astype(np.float64)))
    image, size, place = (np.concatenate(column) for column in zip(*found, strict=True))
    return Points(image=image, size=size, place=place, point=point.all())


class Growing:
    """Rows one after the other, which are never held twice: a part of a large cohort has a gigabyte of them."""

    def __init__(self) -> None:
        self._rows, self._count = np.empty((0, 0), np.float32), 0

    def add(self, rows: Singles) -> None:
        """Some more (k, d), of one width."""
        end = self._count + len(rows)
        if end > len(self._rows) or not self._count:
            self._rows.resize((end + end // 8, rows.shape[1]), refcheck=False)  # large blocks grow where they are
        self._rows[self._count : end] = rows
        self._count = end

    def all(self) -> Singles:
        """All of them; nothing may be added after that."""
        self._rows.resize((self._count, self._rows.shape[1]), refcheck=False)
        return self._rows


def placed_together(
    images: Images, sizes: Sequence[Size], floor: float, white: Whitening, rows: Integers, ranks: Ranks | None
) -> Points:
    """`placed`, whose rows are shared out among ranks."""
    if ranks is None or len(rows) < ranks.size * _IMAGES:
        return placed(images, rows, sizes, floor, white)
    mine = shares(len(rows), ranks.size, _IMAGES)[ranks.rank]
    found = placed(images, rows[mine.start : mine.stop], sizes, floor, white)
    image, size, place, point = gathered_rows([found.image + mine.start, found.size, found.place, found.point], ranks)
    return Points(image=image, size=size, place=place, point=point)


def lists(points: Singles, cells: Singles, probes: int) -> list[Integers]:
    """Which points (k, d) are among those of each cell: those that have it among their `closest_cells`."""
    return members_of(closest_cells(points, cells, probes), len(cells))


def closest_cells(points: Singles, cells: Singles, probes: int, rows: Integers | None = None) -> NDArray[np.uint16]:
    """The cells (c, d) that are closest to points (k, d), or to some rows of them, the closest first: (k, probes)."""
    count = len(points) if rows is None else len(rows)
    closest = np.zeros((count, min(probes, len(cells))), np.uint16)
    for start in range(0, count, _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        alike = points[some if rows is None else rows[some]] @ cells.T
        for probe in closest.T:
            best = alike.argmax(axis=1)
            probe[some] = best
            alike[np.arange(len(alike)), best] = -np.inf
    return closest


def members_of(closest: NDArray[np.uint16], cells: int) -> list[Integers]:
    """Who has each of so many cells among the closest ones (k, probes), in order."""
    flat = closest.ravel()
    order = np.argsort(flat, kind="stable") // max(1, closest.shape[1])
    return np.split(order, np.cumsum(np.bincount(flat, minlength=cells))[:-1])


def equal(some: Integers, others: Integers) -> tuple[Integers, Integers]:
    """Rows and columns at which some values (k,) equal others (m,)."""
    order = np.argsort(others, kind="stable")
    first, end = (np.searchsorted(others, some, side, order) for side in ("left", "right"))
    counts = end - first
    row = np.repeat(np.arange(len(some)), counts)
    within = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    return row, order[first[row] + within]


def cosines(some: Singles, row: Integers, others: Singles, column: Integers) -> Floats:
    """Of pairs of some points (n, d) with others (m, d), by their rows: in float64, of unit length again, (k,)."""
    found = np.empty(len(row))
    for start in range(0, len(row), _PAIRS):
        pairs = slice(start, start + _PAIRS)
        one, two = some[row[pairs]].astype(np.float64), others[column[pairs]].astype(np.float64)
        lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
        found[pairs] = (one * two).sum(axis=1) / np.maximum(lengths, _NOTHING)
    return found.clip(-1.0, 1.0)
