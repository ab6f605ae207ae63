"""What a space is: one way to say how far two images are apart.

A space is given all real images at once, members and non-members alike, and never learns which is which. Nothing
that it answers can therefore know who was trained on, which is what makes the tests built on it exact.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from privgan.arrays import Flags, Floats, Images, Integers, Singles
from privgan.gan.ranks.ranks import Ranks
from privgan.gan.ranks.rows import gathered_rows, shares
from privgan.language import tr
from privgan.progress import Progress, silent
from privgan_audits.spaces.search.neighbours import NEAREST, Neighbours, called, nearest, nearest_within

MET = 2  # planted copies that a real image is compared with, beside which no third changes a score


@dataclass(frozen=True, kw_only=True)
class Closest:
    """Per real image: distance (n,) to the closest of some images, its row (n,), and how far the search looked.

    horizon: float64 (n, searches); each search's distance to its last candidate, infinite when it compared all.
    """

    distance: Floats
    row: Integers
    horizon: Floats

    @classmethod
    def of_all(cls, mine: tuple[Floats, Integers], ranks: Ranks | None) -> "Closest":
        """Of what each rank found among its share of the images, the closest; of equal ones the first rank's.

        Everything is compared, so that the horizon is the distance itself.
        """
        distances, rows = gathered_rows([part[None] for part in mine], ranks)
        first = distances.argmin(axis=0)
        distance, row = (np.take_along_axis(every, first[None], axis=0)[0] for every in (distances, rows))
        return cls(distance=distance, row=row, horizon=distance[:, None])


@dataclass(frozen=True, kw_only=True)
class Met:
    """Pairs that a search would have compared: rows of real images and of planted copies, distances; each (m,).

    left_out: the space says nothing of these copies, see LensSpace.
    """

    real: Integers
    copy: Integers
    distance: Floats
    left_out: bool = False

    @classmethod
    def all_of(cls, parts: Sequence["Met"]) -> "Met":
        """Those of several."""
        empty = cls(real=np.zeros(0, np.int64), copy=np.zeros(0, np.int64), distance=np.zeros(0))
        columns = ([getattr(part, name) for part in (empty, *parts)] for name in ("real", "copy", "distance"))
        real, copy, distance = (np.concatenate(column) for column in columns)
        return cls(real=real, copy=copy, distance=distance)

    def of_all(self, ranks: Ranks | None) -> "Met":
        """Those of every rank, the first one's first."""
        real, copy, distance = gathered_rows([self.real, self.copy, self.distance], ranks)
        return Met(real=real, copy=copy, distance=distance)

    def closer(self, limits: Floats) -> "Met":
        """Those nearer than a limit of the real image (n,)."""
        return self.only(self.distance < limits[self.real])

    def only(self, which: Flags) -> "Met":
        """Some of them."""
        return Met(real=self.real[which], copy=self.copy[which], distance=self.distance[which])

    def split(self, counts: Sequence[int]) -> list["Met"]:
        """Of copies that were sets of so many, one after the other: those of each set, by its own rows."""
        ends = np.cumsum(counts)
        return [
            Met(real=some.real, copy=some.copy - end + count, distance=some.distance)
            for end, count in zip(ends, counts, strict=True)
            for some in [self.only((self.copy >= end - count) & (self.copy < end))]
        ]


def blocks_of(count: int, step: int, ranks: Ranks | None) -> range:
    """Where this rank's share of images begins, block by block, each of `step` images that are looked at together."""
    return range(0, count, step) if ranks is None else shares(count, ranks.size, step)[ranks.rank][::step]


class Space(Protocol):
    """One way to compare images, with all real ones inside."""

    @property
    def name(self) -> str:
        """As the report calls it."""

    def among_real(self, owner: Integers, progress: Progress = silent, compared: Integers | None = None) -> Floats:
        """Distance of each real image to the nearest one of another patient (n,); `owner` (n,) are the patients.

        compared: rows (m,) of those that all are compared with; None for all, see `compared_with`.
        """

    def closest(self, images: Images, progress: Progress = silent) -> Closest:
        """The closest of some other images, uint8 (m, h, h, c), to each real one."""

    def met(self, sets: Sequence[Images], known: Closest, limits: Floats) -> list[Met]:
        """What each set of planted copies, uint8 (m, h, h, c), would add to the searches that gave `known`.

        Pairs that are less than `limits` apart, float64 (n,) by real image, none above `known`'s distances.
        """

    def forget(self) -> None:
        """Hold nothing that can be made again from the images, until somebody looks again: it is the same then."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VectorSpace:
    """Images as points, Euclidean distance.

    queries: float32 (n, views, d), the real images as they are and changed in ways that the space cannot forgive.
    points: float32 (n, d), the real images as they are. place: brings further images to points (m, d). ranks: among
    whom searches are shared out.
    """

    name: str
    queries: Singles
    points: Singles
    place: Callable[[Images], Singles]
    ranks: Ranks | None = None

    @classmethod
    def of(cls, name: str, place: Callable[[Images], Singles], real: Images, ranks: Ranks | None) -> "VectorSpace":
        """For a `place` to which all orientations of an image are one point."""
        points = place(real)
        return cls(name=name, queries=points[:, None], points=points, place=place, ranks=ranks)

    def among_real(self, owner: Integers, progress: Progress = silent, compared: Integers | None = None) -> Floats:
        """See Space."""
        found = nearest(
            self.queries,
            self.points if compared is None else self.points[compared],
            k=1,
            turns=_views,
            apart=(owner, owner if compared is None else owner[compared]),
            progress=called(tr("real images among themselves, {space}", space=tr(self.name)), progress),
            ranks=self.ranks,
        )
        return found.distances[:, 0]

    def closest(self, images: Images, progress: Progress = silent) -> Closest:
        """See Space; the search compares everything that could matter, so that its horizon is the distance itself."""
        task = tr("synthetic beside real, {space}", space=tr(self.name))
        found = self.nearest(self.place(images), 1, task, progress)
        distance = found.distances[:, 0]
        return Closest(distance=distance, row=found.rows[:, 0], horizon=distance[:, None])

    def nearest(self, points: Singles, k: int, task: str = NEAREST, progress: Progress = silent) -> Neighbours:
        """The k nearest of other points, float32 (m, d), to each real image, by the closest of its views."""
        return nearest(self.queries, points, k=k, turns=_views, progress=called(task, progress), ranks=self.ranks)

    def met(self, sets: Sequence[Images], known: Closest, limits: Floats) -> list[Met]:
        """See Space."""
        del known
        places = [self.place(copies) for copies in sets]
        each = nearest_within(self.queries, places, limits, k=MET, turns=_views, ranks=self.ranks)
        return [_pairs(found).closer(limits) for found in each]

    def forget(self) -> None:
        """See Space; points stay, because attacks ask for them."""


def _pairs(found: Neighbours) -> Met:
    real, column = np.nonzero(np.isfinite(found.distances))
    return Met(real=real, copy=found.rows[real, column], distance=found.distances[real, column])


def _views(block: Singles) -> list[Singles]:
    return [np.ascontiguousarray(block[:, view]) for view in range(block.shape[1])]
