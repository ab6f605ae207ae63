"""A space that sees parts that were moved, shrunk or enlarged: a quarter or a ninth of a picture, wherever it went.

Every landmark of a synthetic image is compared with those of every real image that look roughly the same. One that
looks alike says little: among a million windows there is always one. Several that moved by the same step, at the same
size, say that a part came along (the vote of Hough 1962, as in Lowe 2004). A landmark counts by how much closer it is
than the closest of another patient ever comes to it (Chen et al. 2020, "GAN-Leaks").

What an image is compared with depends on the real images and on itself, never on other synthetic ones.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Flags, Floats, Images, Integers, Singles
from privgan.gan.ranks.ranks import Ranks
from privgan.gan.ranks.rows import gathered_rows, shares
from privgan.images.stored import joined
from privgan.language import tr
from privgan.progress import Progress, silent
from privgan_audits.spaces.landmarks.keypoints import SIDE, Size, grey_pictures, least_strength
from privgan_audits.spaces.landmarks.parts import Others, Part, Parts, closest
from privgan_audits.spaces.landmarks.points import Points, closest_cells, cosines, learned, members_of, placed
from privgan_audits.spaces.lenses.lenses import Whitening
from privgan_audits.spaces.search.compared import image_digests
from privgan_audits.spaces.search.screening import places
from privgan_audits.spaces.space import Closest, Met, blocks_of

PATCHES = "moved parts"
REAL_SIZES: tuple[Size, ...] = ((1.0, 1.0), (0.8, 0.8), (0.5, 0.5), (1.0, 0.5))
SMALL_SIZES: tuple[Size, ...] = ((1.25, 1.25), (1.5, 1.5))  # also, where they cost little and pixels are coarse
_SHARED = 2  # sizes, the first, that others are looked at in, too
OTHER_SIZES: tuple[Size, ...] = (*REAL_SIZES[:_SHARED], (2 / 3, 2 / 3))  # parts that grew, brought back
TOGETHER = 3  # landmarks that make a part
DIGITS = 6  # of a distance; the rest is left to rounding, which may differ between machines
_LEARNED = 1_000  # pictures, at most, that these are learned from
_SIZES = len(REAL_SIZES + SMALL_SIZES) * len(OTHER_SIZES)
_TOLERANCE = 3.0  # pixels by which steps of one part may differ
_LEAST_ALIKE = 0.3  # cosine up to which no landmark is like another
_CLOSEST = 0.01  # distance below which nothing is closer
_SLACK = 1e-4  # of a cosine in single precision
_AT_ONCE = 512  # other images


@dataclass(frozen=True, kw_only=True, eq=False)
class PatchSpace:
    """All real images by their landmarks.

    order: the real images (n,) by digest; landmarks number them by their place in it, so that not even rounding
    depends on the order of the rows. floor, white: bring further images to points. parts: the real landmarks.
    reference: of every part float64 (k,), distance of each landmark to the nearest one of another patient. ranks:
    among whom searches are shared out.
    """

    order: Integers
    floor: float
    white: Whitening
    parts: Parts
    reference: Sequence[Floats]
    ranks: Ranks | None = None

    @classmethod
    def of(
        cls,
        real: Images,
        owner: Integers,
        progress: Progress = silent,
        ranks: Ranks | None = None,
        compared: Integers | None = None,
    ) -> "PatchSpace":
        """Learn how windows of real images, uint8 (n, h, h, c), differ, and how close those of two patients come.

        compared: see Space; cells are chosen among these, too.
        """
        task = tr("real images among themselves, {space}", space=tr(PATCHES))
        progress(task, 0, 2)
        order = np.argsort(image_digests(real), kind="stable")
        sizes = REAL_SIZES + (SMALL_SIZES if 2 * real.shape[1] <= SIDE else ())
        some = grey_pictures(real[order[:: -(-len(real) // _LEARNED)]])
        floor = least_strength(some)
        white = learned(some, floor)
        parts = Parts.of(real, order, sizes, floor, white, ranks, compared)
        progress(task, 1, 2)
        reference = _references(parts, owner, ranks, compared)
        progress(task, 2, 2)
        return cls(order=order, floor=floor, white=white, parts=parts, reference=reference, ranks=ranks)

    @property
    def name(self) -> str:
        """See Space."""
        return PATCHES

    def among_real(self, owner: Integers, progress: Progress = silent, compared: Integers | None = None) -> Floats:
        """See Space; distances here are in units of it already."""
        del owner, progress, compared
        return np.ones(len(self.order))

    def closest(self, images: Images, progress: Progress = silent) -> Closest:
        """See Space; images without any landmark closer than real ones are 1 apart. The horizon is the distance."""
        distance, row = np.ones(len(self.order)), np.zeros(len(self.order), np.int64)
        for found in self._blocks(images, distance, progress):
            by_real = np.lexsort((found.copy, found.distance, found.real))
            first = by_real[np.unique(found.real[by_real], return_index=True)[1]]
            closer = first[found.distance[first] < distance[found.real[first]]]
            distance[found.real[closer]], row[found.real[closer]] = found.distance[closer], found.copy[closer]
        return Closest.of_all((distance, row), self.ranks)

    def met(self, sets: Sequence[Images], known: Closest, limits: Floats) -> list[Met]:
        """See Space."""
        del known
        found = [some.closer(limits) for some in self._blocks(joined(*sets), limits, silent)]
        return Met.all_of(found).of_all(self.ranks).split([len(copies) for copies in sets])

    def forget(self) -> None:
        """See Space."""
        self.parts.kept.clear()

    def _blocks(self, images: Images, limits: Floats, progress: Progress) -> Iterator[Met]:
        """Pairs of real and other images that are less than 1 apart, some images of this rank's share at a time.

        Those that are farther than the limit of the real image, float64 (n,), may be left out; limits may have become
        smaller when the next images are asked for.
        """
        task, whole = tr("synthetic beside real, {space}", space=tr(PATCHES)), len(self.parts) * len(images)
        cells: dict[int, NDArray[np.uint16]] = {}
        for number, reference in enumerate(self.reference):
            part = self.parts.part(number)
            for start in blocks_of(len(images), _AT_ONCE, self.ranks):
                progress(task, number * len(images) + start, whole)
                some = np.arange(start, min(start + _AT_ONCE, len(images)))
                others = placed(images, some, OTHER_SIZES, self.floor, self.white)
                if start not in cells:
                    cells[start] = closest_cells(others.point, self.parts.cells, 1)
                of_cells = members_of(cells[start], len(self.parts.cells))
                real, other, ratio = self._alike(part, reference, others, of_cells, limits[part.rows])
                pair, distance = _voted(part.points.only(real), others.only(other), ratio, real)
                image, copy = np.divmod(pair, _AT_ONCE)
                yield Met(real=part.rows[image], copy=copy + start, distance=distance)
            del part  # a gigabyte, before the next one is made
        progress(task, whole, whole)

    def _alike(
        self, part: Part, reference: Floats, others: Points, of_cells: Sequence[Integers], limits: Floats
    ) -> tuple[Integers, Integers, Floats]:
        """Pairs of landmarks that are closer than the reference: real ones, others by cells, and by which ratio.

        Of two images all of them, or none where no single one is within the limit (n,): then no part is.
        """
        mine = part.points
        real, other, alike = _roughly(part, reference, others, of_cells)
        image = mine.image[real]
        within = _nearest(alike) <= (limits[image] + 10.0**-DIGITS) * reference[real]
        del alike  # of every pair that looks alike, which are many where others are copies
        possible = _possible(image, others.image[other] % _AT_ONCE, within, len(part.rows))
        real, other = real[possible], other[possible]
        distance = np.sqrt(2.0 - 2.0 * cosines(mine.point, real, others.point, other)).clip(_CLOSEST)
        closer = np.flatnonzero(distance < reference[real])
        return real[closer], other[closer], distance[closer] / reference[real[closer]]


def _roughly(
    part: Part, reference: Floats, others: Points, of_cells: Sequence[Integers]
) -> tuple[Integers, Integers, Singles]:
    """Pairs of landmarks of one cell that may be closer than the reference: real ones, others, cosines (k,)."""
    single = (1.0 - reference**2 / 2.0 - _SLACK).astype(np.float32)
    pairs, alike = [np.zeros((2, 0), np.int32)], [np.zeros(0, np.float32)]
    for rows, columns in zip(part.members, of_cells, strict=True):
        products = others.point.take(columns, axis=0) @ part.points.point.take(rows, axis=0).T  # few by many
        column, row = places(products > single[rows])
        pairs.append(np.stack([rows[row], columns[column]]).astype(np.int32))
        alike.append(products[column, row])
    real, other = np.concatenate(pairs, axis=1)
    return real, other, np.concatenate(alike)


def _nearest(alike: Singles) -> Floats:
    """How near landmarks of these cosines (k,), in single precision, may be: (k,)."""
    squares = alike.astype(np.float64)
    squares += _SLACK
    squares *= -2.0
    squares += 2.0
    return np.sqrt(np.maximum(squares, 0.0, out=squares), out=squares).clip(_CLOSEST, out=squares)


def _possible(image: Integers, other: Integers, within: Flags, images: int) -> Integers:
    """Pairs of real landmarks and other images (k,) whose two images have a pair that may be within the limit."""
    near = np.zeros((images, _AT_ONCE), np.bool_)
    near[image[within], other[within]] = True
    return np.flatnonzero(near[image, other])


def _voted(real: Points, others: Points, ratio: Floats, landmark: Integers) -> tuple[Integers, Floats]:
    """Pairs of images, as real * _AT_ONCE + other, and their distances, by pairs of landmarks (k,).

    Of every step of a pair of images, the geometric mean of the ratios of its TOGETHER closest landmarks; those that
    are missing are 1. Steps are counted in squares that overlap, so that no part falls between two.
    """
    pair = real.image * _AT_ONCE + others.image % _AT_ONCE
    sizes = real.size * len(OTHER_SIZES) + others.size
    steps = (others.place - real.place) / _TOLERANCE
    found, distance = [np.zeros(0, np.int64)], [np.zeros(0)]
    for moved in ((0.0, 0.0), (0.0, 0.5), (0.5, 0.0), (0.5, 0.5)):
        square = np.floor(steps + moved).astype(np.int64) + 128
        part = ((pair * _SIZES + sizes) * 256 + square[:, 0]) * 256 + square[:, 1]
        order = np.lexsort((ratio, landmark, part))
        order = order[_first(part[order], landmark[order])]
        order = order[np.lexsort((ratio[order], part[order]))]
        starts = np.flatnonzero(_first(part[order]))
        rank = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
        logs = np.where(rank < TOGETHER, np.log(ratio[order]), 0.0)
        found.append(pair[order][starts])
        distance.append(np.exp(np.add.reduceat(logs, starts) / TOGETHER) if len(starts) else np.zeros(0))
    pairs, place = np.unique(np.concatenate(found), return_inverse=True)
    smallest = np.ones(len(pairs))
    np.minimum.at(smallest, place, np.concatenate(distance))
    return pairs, np.round(smallest, DIGITS)


def _first(*keys: Integers) -> Flags:
    """Where sorted keys differ from those before them."""
    new = np.zeros(len(keys[0]), np.bool_)
    new[:1] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return new


def _references(parts: Parts, owner: Integers, ranks: Ranks | None, compared: Integers | None = None) -> list[Floats]:
    """Distance of each real landmark to the closest of another patient's, at the sizes of other images; by part."""
    mine = range(len(parts)) if ranks is None or len(parts) == 1 else shares(len(parts), ranks.size)[ranks.rank]
    others = _others(parts if compared is None else replace(parts, order=compared, kept=[], known={}), owner)
    found = [_reference(parts, parts.part(number), owner, others()) for number in mine]
    if len(mine) == len(parts):
        return found
    counts, every = (
        gathered_rows([column], ranks)[0]
        for column in (np.array([len(each) for each in found], np.int64), np.concatenate([np.zeros(0), *found]))
    )
    return np.split(every, np.cumsum(counts)[:-1])


def _others(parts: Parts, owner: Integers) -> Callable[[], Iterable[Others]]:
    """Landmarks that real ones are compared with, as often as asked: kept where they are one part."""

    def some(number: int) -> Others:
        points, rows = parts.points(number), parts.rows(number)
        further = placed(parts.images, rows, OTHER_SIZES[_SHARED:], parts.floor, parts.white)
        shared = np.flatnonzero(points.size < _SHARED)
        own = parts.kept[number].cell[shared] if parts.kept else None
        cell = closest_cells(points.point, parts.cells, 1, shared) if own is None else own
        return Others(points=points, shared=shared, cell=cell, further=further, patient=owner[rows])

    if len(parts) > 1:
        return lambda: map(some, range(len(parts)))
    kept = [some(0)]
    return lambda: kept


def _reference(parts: Parts, part: Part, owner: Integers, compared: Iterable[Others]) -> Floats:
    best = np.full(len(part.points.image), _LEAST_ALIKE)
    for others in compared:
        best = closest(part, owner[part.rows], others, parts.cells, best)
    return np.sqrt(2.0 - 2.0 * best).clip(_CLOSEST)
