"""The landmarks of all real images, some images at a time: those of a hundred thousand do not fit into memory.

Where all of them fit they are kept. Where they do not, a part is made again whenever somebody looks at it; what is
compared with it is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Floats, Images, Integers, Singles
from privgan.gan.ranks.ranks import Ranks
from privgan_audits.spaces.landmarks.keypoints import Size
from privgan_audits.spaces.landmarks.points import (
    Points,
    closest_cells,
    cosines,
    equal,
    lists,
    members_of,
    placed,
    placed_together,
)
from privgan_audits.spaces.lenses.lenses import Whitening

KEPT = 1 << 15  # images whose landmarks are held at once: a gigabyte
PROBES = 2  # cells in which a real landmark is looked for
_PER_CELL = 400  # real landmarks, about
_MOST_CELLS = 4096


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Landmarks of some real images, numbered from 0 by their place in `rows`; which of them each cell looks for.

    rows: of all real images (m,). cell: the closest one of each landmark (k, 1).
    """

    rows: Integers
    points: Points
    members: Sequence[Integers]
    cell: NDArray[np.uint16]

    @classmethod
    def of(cls, rows: Integers, points: Points, closest: NDArray[np.uint16], cells: int) -> "Part":
        """Look for every landmark in those of so many cells that are closest to it (k, PROBES)."""
        return cls(rows=rows, points=points, members=members_of(closest, cells), cell=closest[:, :1].copy())


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """All real images, uint8 (n, h, h, c), in an order (n,), KEPT at a time.

    sizes: at which they are looked at. floor, white: bring images to points. cells: float32 (c, d), round which
    points are gathered. kept: the only part, where there is one, until it is let go. known: the closest cells of the
    landmarks of each part that is not kept and was looked at, which take longer to find than landmarks.
    """

    images: Images
    order: Integers
    sizes: tuple[Size, ...]
    floor: float
    white: Whitening
    cells: Singles
    kept: list[Part] = field(default_factory=list)
    known: dict[int, NDArray[np.uint16]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        images: Images,
        order: Integers,
        sizes: tuple[Size, ...],
        floor: float,
        white: Whitening,
        ranks: Ranks | None,
        compared: Integers | None = None,
    ) -> "Parts":
        """Choose cells among the landmarks themselves, or among those of some rows of the images."""
        if len(order) <= KEPT and compared is None:
            points = placed_together(images, sizes, floor, white, order, ranks)
            cells = _evenly(points.point[::_PER_CELL])
            closest = closest_cells(points.point, cells, PROBES)
            kept = [Part.of(order, points, closest, len(cells))]
            return cls(images=images, order=order, sizes=sizes, floor=floor, white=white, cells=cells, kept=kept)
        bare = cls(
            images=images, order=order, sizes=sizes, floor=floor, white=white, cells=np.zeros((0, 0), np.float32)
        )
        cells = bare.spread() if compared is None else replace(bare, order=compared).spread()
        return replace(bare, cells=cells if len(cells) else bare.spread())  # a sample may show no landmark

    def spread(self) -> Singles:
        """As many landmarks of these images as there may be cells, evenly among all (c, d)."""
        chosen, count = list[Singles](), 0
        for number in range(len(self)):
            point = self.points(number).point
            chosen.append(point[-count % _PER_CELL :: _PER_CELL].copy())
            count += len(point)
        return _evenly(np.concatenate(chosen))

    def __len__(self) -> int:
        return (len(self.order) + KEPT - 1) // KEPT

    def part(self, number: int) -> Part:
        """One of them."""
        if self.kept:
            return self.kept[number]
        points = self.points(number)
        if number not in self.known:
            self.known[number] = closest_cells(points.point, self.cells, PROBES)
        return Part.of(self.rows(number), points, self.known[number], len(self.cells))

    def rows(self, number: int) -> Integers:
        """The images of one of them."""
        return self.order[number * KEPT : (number + 1) * KEPT]

    def points(self, number: int) -> Points:
        """The landmarks of one of them."""
        if self.kept:
            return self.kept[number].points
        return placed(self.images, self.rows(number), self.sizes, self.floor, self.white)


def _evenly(points: Singles) -> Singles:
    """Of points (n, d), as many as there may be cells, from the first to the last of them."""
    places = np.linspace(0, len(points) - 1, min(len(points), _MOST_CELLS))
    return points[np.rint(places).astype(np.int64)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Others:
    """Landmarks that real ones are compared with to learn how close those of two patients come.

    shared: the real images' own, at the sizes at which other images are looked at; cell: the closest one (s, 1) of
    each of these; further: of the same images at sizes at which real ones are not. patient: of each image.
    """

    points: Points
    shared: Integers
    cell: NDArray[np.uint16]
    further: Points
    patient: Integers


def closest(part: Part, patient: Integers, others: Others, cells: Singles, best: Floats) -> Floats:
    """The cosine of each landmark of a part with the closest of another patient's, in its cells: (k,).

    Args:
        part: its images' landmarks.
        patient: of each of its images.
        others: with which they are compared.
        cells: see `Parts`.
        best: what is known already (k,), never more than what comes back.
    """
    mine, best = patient[part.points.image], best.copy()
    of_points, of_further = others.patient[others.points.image], others.patient[others.further.image]
    gathered = zip(members_of(others.cell, len(cells)), lists(others.further.point, cells, 1), strict=True)
    for rows, (same, more) in zip(part.members, gathered, strict=True):
        base = np.concatenate([others.points.point[others.shared[same]], others.further.point[more]])
        theirs = np.concatenate([of_points[others.shared[same]], of_further[more]])
        if len(rows) and len(base):
            products = part.points.point[rows] @ base.T
            products[equal(mine[rows], theirs)] = -1.0
            column = products.argmax(axis=1)
            alike = np.where(theirs[column] == mine[rows], -1.0, cosines(part.points.point, rows, base, column))
            best[rows] = np.maximum(best[rows], alike)
    return best
