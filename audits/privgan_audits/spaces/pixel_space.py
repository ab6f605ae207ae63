"""The space of pixels: candidates from two exhaustive searches, compared pixel by pixel at every small shift."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from privgan.arrays import Flags, Floats, Images, Integers, Singles
from privgan.gan.ranks.ranks import Ranks
from privgan.gan.ranks.rows import Arrays, in_shares
from privgan.images.geometry import orbit
from privgan.language import tr
from privgan.progress import Progress, silent
from privgan_audits.spaces.pixels import FAR, shifted_distances
from privgan_audits.spaces.search.neighbours import Neighbours, called, nearest, nearest_within
from privgan_audits.spaces.search.searches import SEARCHES, Search, Views, views
from privgan_audits.spaces.space import MET, Closest, Met

CANDIDATES = 5  # of each search; they are compared pixel by pixel
PAIR_BLOCK = 2048
KEPT = 1 << 15  # real images in all forms: 430 MiB in grey


@dataclass(frozen=True, kw_only=True, eq=False)
class PixelSpace:
    """Values of all channels without brightness and contrast; turns, flips and small shifts are forgiven.

    images: all real ones, uint8 (n, h, h, c). flat: bool (n,), see `Views`. kept: they in all forms, where these fit
    into memory and were not forgotten; else some at a time are brought into them whenever somebody looks. ranks:
    among whom searches are shared out.
    """

    name: ClassVar[str] = "pixels"
    images: Images
    flat: Flags
    kept: list[Views]
    ranks: Ranks | None = None

    @classmethod
    def of(cls, real: Images, ranks: Ranks | None = None) -> "PixelSpace":
        """All real images, uint8 (n, h, h, c)."""
        if len(real) <= KEPT:
            kept = views(real, searching=True, ranks=ranks)
            return cls(images=real, flat=kept.flat, kept=[kept], ranks=ranks)
        blocks = [real[first : first + KEPT] for first in range(0, len(real), KEPT)]
        flat = np.concatenate([views(block, searching=False, ranks=ranks).flat for block in blocks])
        return cls(images=real, flat=flat, kept=[], ranks=ranks)

    def among_real(self, owner: Integers, progress: Progress = silent, compared: Integers | None = None) -> Floats:
        """See Space."""
        some = self.images if compared is None else self.images[compared]
        kept = self.kept if compared is None else []
        targets = kept[0] if kept else views(some, searching=False, ranks=self.ranks)
        patients = (owner, owner if compared is None else owner[compared])
        return self._closest(targets, patients, tr("real images among themselves"), progress).distance

    def closest(self, images: Images, progress: Progress = silent) -> Closest:
        """See Space."""
        return self._closest(
            views(images, searching=False, ranks=self.ranks), None, tr("synthetic beside real"), progress
        )

    def met(self, sets: Sequence[Images], known: Closest, limits: Floats) -> list[Met]:
        """See Space; a copy is compared when it is nearer than a search's last candidate."""
        planted = [views(copies, searching=False, ranks=self.ranks) for copies in sets]
        by_search = [
            self._met_by(search, rows, real, known.horizon[rows.start : rows.stop, number], planted, limits)
            for rows, real in self._parts()
            for number, search in enumerate(SEARCHES)
        ]
        return [Met.all_of(parts) for parts in zip(*by_search, strict=True)]

    def forget(self) -> None:
        """See Space."""
        self.kept.clear()

    def _parts(self) -> Iterator[tuple[range, Views]]:
        """Some real images at a time, in all forms, and which they are."""
        for first in range(0, len(self.images), KEPT):
            rows = range(first, min(first + KEPT, len(self.images)))
            made = self.kept or [views(self.images[first : rows.stop], searching=True, ranks=self.ranks)]
            yield rows, made[0]

    def _closest(
        self, targets: Views, patients: tuple[Integers, Integers] | None, task: str, progress: Progress
    ) -> Closest:
        """The closest target of each real image, of another patient if the patients of both are given."""

        def of_some(first: int, real: Views) -> Arrays:
            def found(some: range) -> Arrays:
                mine = slice(first + some.start, first + some.stop)
                apart = None if patients is None else (patients[0][mine], patients[1])
                here = closest(real.only(some), targets, apart, task, progress)
                return [here.distance, here.row, here.horizon]

            return in_shares(len(real), self.ranks, found)

        every = [of_some(rows.start, real) for rows, real in self._parts()]
        distance, row, horizon = (np.concatenate(column) for column in zip(*every, strict=True))
        return Closest(distance=distance, row=row, horizon=horizon)

    def _met_by(
        self, search: Search, rows: range, real: Views, horizon: Floats, planted: Sequence[Views], limits: Floats
    ) -> list[Met]:
        queries, bases = search.queries(real), [search.base(copies) for copies in planted]
        each = nearest_within(queries, bases, horizon, k=MET, turns=search.turns, ranks=self.ranks)
        return [
            _compared(search, rows, real, found, copies, limits) for found, copies in zip(each, planted, strict=True)
        ]


def _compared(search: Search, rows: range, real: Views, found: Neighbours, planted: Views, limits: Floats) -> Met:
    """Of the pairs that were found those that are nearer, pixel by pixel, than their limit."""
    row, column = np.nonzero(np.isfinite(found.distances) & ~real.flat[:, None])
    copy, turns = found.rows[row, column], search.image_views(found.views[row, column])
    distance = pair_distances(real, row, planted, copy, turns, limits[rows.start + row])
    return Met(real=rows.start + row, copy=copy, distance=distance).closer(limits)


def closest(
    queries: Views, targets: Views, apart: tuple[Integers, Integers] | None, task: str, progress: Progress = silent
) -> Closest:
    """The closest target of each query: candidates of every exhaustive search, compared at every shift."""
    distance, row = np.full(len(queries), np.inf), np.zeros(len(queries), np.int64)
    horizons = []
    for number, search in enumerate(SEARCHES, start=1):
        found = nearest(
            search.queries(queries),
            search.base(targets),
            k=CANDIDATES,
            turns=search.turns,
            apart=apart,
            progress=called(
                tr("{task}, search {number} of {count}", task=task, number=number, count=len(SEARCHES)), progress
            ),
        )
        best, its_row = _best_candidate(search, queries, targets, found)
        row = np.where(best < distance, its_row, row)
        distance = np.minimum(best, distance)
        complete = found.rows.shape[1] == CANDIDATES
        horizons.append(found.distances[:, -1] if complete else np.full(len(queries), np.inf))
    return Closest(distance=np.minimum(distance, FAR), row=row, horizon=np.stack(horizons, axis=1))


def _best_candidate(search: Search, queries: Views, targets: Views, found: Neighbours) -> tuple[Floats, Integers]:
    """Distance (n,) and target row (n,) of the candidate that is closest pixel by pixel; infinite without any."""
    distances = np.full(found.rows.shape, np.inf)
    query, column = np.nonzero(np.isfinite(found.distances))
    pick = (query, column)
    turns = search.image_views(found.views[pick])
    distances[pick] = pair_distances(queries, query, targets, found.rows[pick], turns)
    best = (np.arange(len(queries)), distances.argmin(axis=1))
    return distances[best], found.rows[best]


def pair_distances(
    queries: Views,
    query_rows: Integers,
    targets: Views,
    target_rows: Integers,
    turns: tuple[Integers, ...],
    limits: Floats | None = None,
) -> Floats:
    """Pixel distances of chosen pairs, the smallest over some turns of the query, members of `orbit` each.

    limits: of each pair; what is clearly farther is called infinitely far.
    """
    distances, order = np.empty(len(query_rows)), np.argsort(target_rows, kind="stable")
    for start in range(0, len(order), PAIR_BLOCK):
        part = order[start : start + PAIR_BLOCK]
        query, near = queries.fine[query_rows[part]], None if limits is None else limits[part]
        every = [
            shifted_distances(_turned(query, turn[part]), targets.fine, target_rows[part], near) for turn in turns
        ]
        distances[part] = np.minimum.reduce(every)
    return distances


def _turned(images: Singles, view: Integers) -> Singles:
    """Each image (n, f, f, c) in its own member of `orbit`."""
    result = np.empty_like(images)
    for number, turned in enumerate(orbit(images)):
        result[view == number] = turned[view == number]
    return result
