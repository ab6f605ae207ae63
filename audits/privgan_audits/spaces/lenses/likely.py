"""The likeliest neighbours of each real image, by bounds alone: measured at the end, when all others were seen.

Where an image's views do not fit into memory they are made again whenever it is measured. Measured as soon as a block
brings something closer, it would be made ten times; so a few bounds are kept of each, and it is made once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from privgan.arrays import Flags, Floats, Images, Integers, Singles
from privgan_audits.spaces.lenses.ratios import LensRatios
from privgan_audits.spaces.search.screening import places

COUNT = 16  # bounds of each real image
_NEARLY = 1.06  # times the smallest bound: what is hardly more is measured with it
_AT_ONCE = 1024  # images that are measured together
_BOUNDS = 1 << 28  # bytes, about, of bounds and what they are compared by, that are held at once
_COLUMNS = 4096  # real images whose first bounds are sorted at once


@dataclass(frozen=True, kw_only=True, eq=False)
class Likely:
    """Of each real image its smallest bounds so far, in ascending order, and of which images they are: (n, COUNT)."""

    least: Singles
    copy: Integers

    @classmethod
    def none_yet(cls, images: int) -> "Likely":
        """Of so many real images."""
        return cls(least=np.full((images, COUNT), np.inf, np.float32), copy=np.zeros((images, COUNT), np.int64))

    def add(self, start: int, least: Singles) -> None:
        """Bounds of further images (m, n), which begin with the one called `start`."""
        if not np.isfinite(self.least[:, 0]).any() and len(least) > COUNT:
            for column in range(0, least.shape[1], _COLUMNS):
                columns = slice(column, column + _COLUMNS)
                some = least[:, columns]
                copy = np.argpartition(some, COUNT - 1, axis=0)[:COUNT]
                value = np.take_along_axis(some, copy, axis=0)
                order = np.lexsort((copy, value), axis=0)
                self.least[columns] = np.take_along_axis(value, order, axis=0).T
                self.copy[columns] = start + np.take_along_axis(copy, order, axis=0).T
            return
        copy, real = places(least <= self.least[:, -1])
        touched, at = np.unique(real, return_inverse=True)
        row = np.concatenate([np.repeat(np.arange(len(touched)), COUNT), at])
        value = np.concatenate([self.least[touched].ravel(), least[copy, real]])
        name = np.concatenate([self.copy[touched].ravel(), start + copy])
        order = np.lexsort((name, value, row))
        first = np.searchsorted(row[order], np.arange(len(touched)))
        taken = order[first[:, None] + np.arange(COUNT)]
        self.least[touched], self.copy[touched] = value[taken], name[taken]


@dataclass(frozen=True, kw_only=True, eq=False)
class Others:
    """Images uint8 (m, h, h, c) beside real ones. patient, first, second: as in a block, of all of them (m,)."""

    images: Images
    patient: Integers
    first: Floats
    second: Floats

    @classmethod
    def unknown(cls, images: Images) -> "Others":
        """What is not known yet."""
        count = len(images)
        return cls(images=images, patient=np.zeros(count, np.int64), first=np.ones(count), second=np.ones(count))

    def know(self, start: int, patient: Integers, first: Floats, second: Floats) -> None:
        """Of a block that begins with `start`."""
        some = slice(start, start + len(patient))
        self.patient[some], self.first[some], self.second[some] = patient, first, second

    def divisors(self, owner: Integers, copy: Integers) -> Floats:
        """By which the ratios of pairs are divided, patients and rows: (k,)."""
        return np.where(owner == self.patient[copy], self.second[copy], self.first[copy])


@dataclass(frozen=True, kw_only=True, eq=False)
class Measuring:
    """Distances of pairs of real and other images. owner: of the real ones (n,). digits: to which they are told."""

    ratios: LensRatios
    owner: Integers
    others: Others
    digits: int

    def distances(self, real: Integers, copy: Integers) -> Floats:
        """Of pairs, by rows (k,)."""
        if not len(real):
            return np.zeros(0)
        different, place = np.unique(copy, return_inverse=True)
        points = self.ratios.views.beside(self.others.images[different])
        ratio = self.ratios.exact(real, points, place)
        return np.round(ratio / np.sqrt(self.others.divisors(self.owner[real], copy)), self.digits)

    def reach(self, distance: Floats) -> Floats:
        """Bounds above which nothing is as near as that."""
        return np.asarray(np.square(distance + 10.0**-self.digits) * (1 + 1e-5))


def measured(measuring: Measuring, likely: Likely, ours: range) -> tuple[Floats, Integers]:
    """Distance of each real image to the closest of the images that were seen, `ours` of all, and its row: (n,)."""
    count = len(measuring.owner)
    distance, row = np.full(count, np.inf), np.zeros(count, np.int64)
    for start in range(0, count, _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, count))
        near = np.isfinite(likely.least[rows]) & (likely.least[rows] <= _NEARLY * likely.least[rows, :1])
        _take(measuring, likely, rows, near, (distance, row))
        more = ~near & (likely.least[rows] <= measuring.reach(distance[rows])[:, None])
        _take(measuring, likely, rows, more & np.isfinite(likely.least[rows]), (distance, row))
    unsure = np.flatnonzero(likely.least[:, -1] <= measuring.reach(distance))
    for real, copy in _further(measuring, unsure, distance, ours):
        _closer(real, copy, measuring.distances(real, copy), (distance, row))
    return distance, row


def _take(measuring: Measuring, likely: Likely, rows: Integers, which: Flags, found: tuple[Floats, Integers]) -> None:
    place, column = np.nonzero(which)
    real, copy = rows[place], likely.copy[rows[place], column]
    _closer(real, copy, measuring.distances(real, copy), found)


def _closer(real: Integers, copy: Integers, value: Floats, found: tuple[Floats, Integers]) -> None:
    """Keep what is nearer, of equals the first row."""
    distance, row = found
    order = np.lexsort((copy, value, real))
    first = order[np.unique(real[order], return_index=True)[1]]
    real, copy, value = real[first], copy[first], value[first]
    better = (value < distance[real]) | ((value == distance[real]) & (copy < row[real]))
    distance[real[better]], row[real[better]] = value[better], copy[better]


def _further(
    measuring: Measuring, unsure: Integers, distance: Floats, ours: range
) -> Iterator[tuple[Integers, Integers]]:
    """Pairs that may be as near as what is known, of real images with more such bounds than are kept."""
    if not len(unsure) or not len(ours):
        return
    views, others = measuring.ratios.views, measuring.others
    few = replace(views, images=views.images[unsure], kept=[])
    ratios = LensRatios(views=few, weights=measuring.ratios.weights[:, unsure])
    step = max(1, min(_AT_ONCE, _BOUNDS // (16 * len(unsure))))
    for start in ours[::step]:
        copies = np.arange(start, min(start + step, ours.stop))
        least = ratios.least_squares(views.beside(others.images[copies]))
        own = measuring.owner[unsure] == others.patient[copies][:, None]
        first, second = (ratio[copies, None].astype(np.float32) for ratio in (others.first, others.second))
        least /= np.where(own, second, first)
        copy, real = places(least <= measuring.reach(distance[unsure]))
        yield unsure[real], copies[copy]
