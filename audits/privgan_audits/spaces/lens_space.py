"""A space that looks through a lens: every real image is compared with every other image, part by part, in float64.

Two images are as far apart as the parts in which they agree best, each measured by how close real images of two
patients come to each other there (Chen et al. 2020, "GAN-Leaks"). A synthetic image that is close to many patients is
close to none in particular: its distances are divided by the square root of that to its second-closest patient, which
is what tells a copy under noise from an image that anybody might resemble (as a ratio of neighbours: Lowe 2004).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from privgan.arrays import Floats, Images, Integers, Singles
from privgan.progress import Progress, silent
from privgan_audits.spaces.lenses import Lens, Whitening
from privgan_audits.spaces.space import Closest, Met

DIGITS = 6  # of a distance; the rest is left to rounding, which may differ between machines
_CLOSEST = 1e-6  # reference: identical parts of two patients
_FAR = 1.2  # in units of the reference: parts that do not agree
_AT_ONCE = 512  # images of either side in one block of products


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """One part of all real images. views: float32 (n, views, d). white: brings further images there.

    weight: (n,), by which a squared distance is divided by the reference's square.
    """

    views: Singles
    white: Whitening
    weight: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class LensSpace:
    """All real images through one lens. owner: their patients (n,), who are never compared with themselves."""

    lens: Lens
    owner: Integers
    parts: Sequence[Part]

    @classmethod
    def of(cls, lens: Lens, real: Images, owner: Integers, progress: Progress = silent) -> "LensSpace":
        """Learn what real images, uint8 (n, h, h, c), have in common, and how close patients come to each other."""
        whites = [Whitening.of(as_it_is[:, 0], lens.kept, lens.quiet) for as_it_is in lens.windows(real, False)]
        parts: list[Part] = []
        for white, views in zip(whites, _placed(lens, whites, real, searched=True), strict=True):
            progress(f"real images among themselves, {lens.name}", len(parts), len(whites))
            parts.append(Part(views=views, white=white, weight=2.0 / _reference(views, owner) ** 2))
        progress(f"real images among themselves, {lens.name}", len(parts), len(whites))
        return cls(lens=lens, owner=owner, parts=parts)

    @property
    def name(self) -> str:
        """See Space."""
        return self.lens.name

    def among_real(self, owner: Integers, progress: Progress = silent) -> Floats:
        """See Space; distances here are in units of it already."""
        del owner, progress
        return np.ones(len(self.owner))

    def closest(self, images: Images, progress: Progress = silent) -> Closest:
        """See Space; everything is compared, so that the horizon is the distance itself."""
        distance, row = np.full(len(self.owner), np.inf), np.zeros(len(self.owner), np.int64)
        for start, block in self._blocks(images, progress):
            nearest = block.argmin(axis=1)
            value = block[np.arange(len(block)), nearest]
            row = np.where(value < distance, start + nearest, row)
            distance = np.minimum(value, distance)
        return Closest(distance=distance, row=row, horizon=distance[:, None])

    def met(self, copies: Images, known: Closest) -> Met:
        """See Space."""
        found = [
            (real, start + copy, block[real, copy])
            for start, block in self._blocks(copies, silent)
            for real, copy in [np.nonzero(block < known.distance[:, None])]
        ]
        real, copy, distance = (np.concatenate(column) for column in zip(*found, strict=True))
        return Met(real=real, copy=copy, distance=distance)

    def _blocks(self, images: Images, progress: Progress) -> Iterator[tuple[int, Floats]]:
        """Distances of all real images to some others at a time: (first of them, float64 (n, some))."""
        task = f"synthetic beside real, {self.lens.name}"
        placed = _placed(self.lens, [part.white for part in self.parts], images, searched=False)
        for start in range(0, len(images), _AT_ONCE):
            progress(task, start, len(images))
            columns = [_double(points[start : start + _AT_ONCE, 0]) for points in placed]
            rows = [self._ratios(first, columns) for first in range(0, len(self.owner), _AT_ONCE)]
            yield start, self._in_particular(np.concatenate(rows))
        progress(task, len(images), len(images))

    def _ratios(self, first: int, columns: Sequence[Floats]) -> Floats:
        """Of some real images from `first` on to some others: the geometric mean of the parts that agree best."""
        part_of = slice(first, first + _AT_ONCE)
        best = [np.full((len(self.owner[part_of]), len(columns[0])), _FAR**2) for _ in range(self.lens.agreeing)]
        for part, points in zip(self.parts, columns, strict=True):
            squared = part.weight[part_of, None] * (1.0 - _alike(part.views[part_of], points))
            for kept in best:  # the smallest so far, in order; what is larger goes on to the next
                larger = np.maximum(kept, squared)
                np.minimum(kept, squared, out=kept)
                squared = larger
        product = np.prod([np.maximum(kept, _CLOSEST**2) for kept in best], axis=0)
        return np.asarray(product ** (0.5 / self.lens.agreeing))

    def _in_particular(self, ratios: Floats) -> Floats:
        """Ratios (n, m), each divided by the square root of the image's smallest one to another patient."""
        closest = ratios.argmin(axis=0)
        own = self.owner[:, None] == self.owner[closest][None]
        first, second = ratios.min(axis=0), np.where(own, np.inf, ratios).min(axis=0)
        others = np.where(own, second[None], first[None])
        return np.asarray(np.round(ratios / np.sqrt(np.where(np.isfinite(others), others, 1.0)), DIGITS))


def _placed(lens: Lens, whites: Sequence[Whitening], images: Images, *, searched: bool) -> list[Singles]:
    """Every part of all images, float32 (n, views, d), some images at a time: views take many times their room."""
    blocks = [images[start : start + _AT_ONCE] for start in range(0, len(images), _AT_ONCE)]
    pieces = [
        [white(part) for white, part in zip(whites, lens.windows(block, searched), strict=True)] for block in blocks
    ]
    return [np.concatenate(part) for part in zip(*pieces, strict=True)]


def _alike(views: Singles, points: Floats) -> Floats:
    """|cosine| of the closest view of each image (n, views, d) with each point (m, d): (n, m)."""
    best = np.zeros((len(views), len(points)))
    for view in range(views.shape[1]):
        np.maximum(best, np.abs(_double(views[:, view]) @ points.T), out=best)
    return np.minimum(best, 1.0)


def _double(vectors: Singles) -> Floats:
    """Vectors (n, d) in float64, of unit length again, so that equal ones have a cosine of one; or zeros."""
    values = vectors.astype(np.float64)
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.where(norms > 0.5, norms, 1.0))


def _reference(views: Singles, owner: Integers) -> Floats:
    """Distance of each real image's views (n, views, d) to the nearest image of another patient: (n,)."""
    found = np.empty(len(views))
    for first in range(0, len(views), _AT_ONCE):
        rows = slice(first, first + _AT_ONCE)
        best = np.zeros(len(owner[rows]))
        for start in range(0, len(views), _AT_ONCE):
            columns = slice(start, start + _AT_ONCE)
            alike = _alike(views[rows], _double(views[columns, 0]))
            alike[owner[rows][:, None] == owner[columns][None]] = 0.0
            np.maximum(best, alike.max(axis=1), out=best)
        found[rows] = np.sqrt(2.0 - 2.0 * best)
    return np.maximum(found, _CLOSEST)
