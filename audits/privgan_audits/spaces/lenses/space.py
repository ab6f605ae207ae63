"""A space that looks through a lens: every real image is compared with every other image, part by part.

Two images are as far apart as the parts in which they agree best, each measured by how close real images of two
patients come to each other there (Chen et al. 2020, "GAN-Leaks"). A synthetic image that is close to many patients is
close to none in particular: its distances are divided by the square root of that to its second-closest patient, which
is what tells a copy under noise from an image that anybody might resemble (as a ratio of neighbours: Lowe 2004).

Products of low precision bound every distance from below (`screening`); whatever could be the smallest one of a real
image, or of another, is measured in float64.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from privgan.arrays import Flags, Floats, Images, Integers, Singles
from privgan.gan.ranks.ranks import Ranks
from privgan.gan.ranks.rows import gathered_rows
from privgan.images.stored import joined
from privgan.language import tr
from privgan.progress import Progress, silent
from privgan_audits.spaces.landmarks.points import equal
from privgan_audits.spaces.lenses.lenses import Lens
from privgan_audits.spaces.lenses.likely import Likely, Measuring, Others, measured
from privgan_audits.spaces.lenses.ratios import LensRatios
from privgan_audits.spaces.lenses.references import reference_distances
from privgan_audits.spaces.lenses.views import LensViews
from privgan_audits.spaces.search.screening import places
from privgan_audits.spaces.space import Closest, Met, blocks_of

DIGITS = 6  # of a distance; the rest is left to rounding, which may differ between machines
_BOUNDS = 1 << 25  # bytes of bounds that are held at once, but
_MORE = 8  # times as many where every block of them makes views again
_CROWD = 64  # a copy that may be near one in so many of all real images is called near everybody
_SINGLE = 1e-5  # of a bound's square, which single precision may take off


@dataclass(frozen=True, kw_only=True, eq=False)
class LensSpace:
    """All real images through one lens. owner: their patients (n,), who are never compared with themselves.

    ranks: among whom searches are shared out. sampled: whether it was learned from some of them alone.
    """

    ratios: LensRatios
    owner: Integers
    ranks: Ranks | None = None
    sampled: bool = False

    @classmethod
    def of(
        cls,
        lens: Lens,
        real: Images,
        owner: Integers,
        progress: Progress = silent,
        ranks: Ranks | None = None,
        compared: Integers | None = None,
    ) -> "LensSpace":
        """Learn what real images, uint8 (n, h, h, c), have in common, and how close patients come to each other.

        compared: see Space; these are learned from, too.
        """
        views = LensViews.of(lens, real, ranks, compared)
        references = reference_distances(views, owner, progress, ranks, compared)
        ratios = LensRatios.of(views, references)
        return cls(ratios=ratios, owner=owner, ranks=ranks, sampled=compared is not None)

    @property
    def name(self) -> str:
        """See Space."""
        return self.ratios.views.lens.name

    def among_real(self, owner: Integers, progress: Progress = silent, compared: Integers | None = None) -> Floats:
        """See Space; distances here are in units of it already."""
        del owner, progress, compared
        return np.ones(len(self.owner))

    def closest(self, images: Images, progress: Progress = silent) -> Closest:
        """See Space; everything is compared, so that the horizon is the distance itself."""
        if not self.ratios.views.whole:
            return self._closest_later(images, progress)
        distance, row = np.full(len(self.owner), np.inf), np.zeros(len(self.owner), np.int64)
        for number, (start, block) in enumerate(self._blocks(images, progress)):
            found = block.within(distance if number else block.reached())
            first = _smallest(found.real, found.distance, found.copy)
            real, copy, value = found.real[first], found.copy[first], found.distance[first]
            closer = value < distance[real]
            distance[real[closer]], row[real[closer]] = value[closer], start + copy[closer]
        self.ratios.forget()
        return Closest.of_all((distance, row), self.ranks)

    def _closest_later(self, images: Images, progress: Progress) -> Closest:
        """The same where views do not fit into memory."""
        likely, others = Likely.none_yet(len(self.owner)), Others.unknown(images)
        for start, block in self._blocks(images, progress):
            likely.add(start, block.least)
            others.know(start, block.patient, block.first, block.second)
        measuring = Measuring(ratios=self.ratios, owner=self.owner, others=others, digits=DIGITS)
        found = measured(measuring, likely, self._ours(images))
        self.ratios.forget()
        return Closest.of_all(found, self.ranks)

    def met(self, sets: Sequence[Images], known: Closest, limits: Floats) -> list[Met]:
        """See Space. In a very large cohort this lens says nothing of a set with a copy that is near everybody.

        Whom a copy may be near is counted by bounds, which are rounded as suits the processor: another machine may
        count a few more or fewer. A set of which nothing is said is found later or not at all, never sooner.
        """
        del known
        found, crowded = [], [np.zeros(0, np.int64)]
        most = len(self.owner) // _CROWD if self.sampled else len(self.owner)
        for start, block in self._blocks(joined(*sets), silent):
            close = block.close(limits)
            many = np.count_nonzero(close, axis=1) > most
            close[many] = False
            some = block.pairs(close).closer(limits)
            found.append(Met(real=some.real, copy=start + some.copy, distance=some.distance))
            crowded.append(start + np.flatnonzero(many))
        self.ratios.forget()
        each = Met.all_of(found).of_all(self.ranks).split([len(copies) for copies in sets])
        (copies,) = gathered_rows([np.concatenate(crowded)], self.ranks)
        left_out = set(np.searchsorted(np.cumsum([len(of_set) for of_set in sets]), copies, side="right").tolist())
        nothing = replace(Met.all_of(()), left_out=True)
        return [nothing if number in left_out else met for number, met in enumerate(each)]

    def forget(self) -> None:
        """See Space."""
        self.ratios.forget()

    @property
    def _size(self) -> int:
        """Images whose bounds are held at once."""
        return max(1, (_BOUNDS if self.ratios.views.whole else _MORE * _BOUNDS) // (4 * len(self.owner)))

    def _ours(self, images: Images) -> range:
        """This rank's share of images."""
        blocks = blocks_of(len(images), self._size, self.ranks)
        return range(blocks.start, blocks.stop)

    def _blocks(self, images: Images, progress: Progress) -> Iterator[tuple[int, "_Block"]]:
        """Some images of this rank's share at a time beside all real ones, and which is their first."""
        task, views = tr("synthetic beside real, {space}", space=tr(self.name)), self.ratios.views
        views.look()
        size = self._size
        for start in blocks_of(len(images), size, self.ranks):
            progress(task, start, len(images))
            yield start, _Block.of(self.ratios, self.owner, views.beside(images[start : start + size]))
        progress(task, len(images), len(images))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Block:
    """Some images (m,) beside all real ones (n,).

    points: their parts. patient: who is closest to each of them (m,). first, second: its ratio to that patient, and
    the smallest one to anybody else (m,). least: float32 (m, n), never more than the square of a distance.
    """

    ratios: LensRatios
    owner: Integers
    points: Sequence[Singles]
    patient: Integers
    first: Floats
    second: Floats
    least: Singles

    @classmethod
    def of(cls, ratios: LensRatios, owner: Integers, points: Sequence[Singles]) -> "_Block":
        """Of every part of the images, float32 (m, d)."""
        least = ratios.least_squares(points)
        closest, first = _closest(ratios, points, least)
        patient = owner[closest]
        own = equal(patient, owner)
        kept, least[own] = least[own], np.inf
        second = _closest(ratios, points, least)[1]
        first, second = (np.where(np.isfinite(other), other, 1.0) for other in (first, second))
        least /= first[:, None].astype(np.float32)
        least[own] = kept / second[own[0]]
        return cls(
            ratios=ratios, owner=owner, points=points, patient=patient, first=first, second=second, least=least
        )

    def reached(self) -> Floats:
        """A distance that each real image has to one of these: the smallest but for rounding (n,)."""
        return self._distances(np.arange(len(self.owner)), self.least.argmin(axis=0))

    def within(self, limits: Floats) -> Met:
        """All pairs that may be at most so far apart (n,), with their distances."""
        return self.pairs(self.close(limits))

    def close(self, limits: Floats) -> Flags:
        """Which they are, (m, n)."""
        squares = np.square(limits + 10.0**-DIGITS) * (1 + _SINGLE)
        return np.asarray(self.least <= squares.astype(np.float32))

    def pairs(self, which: Flags) -> Met:
        """Some pairs (m, n), with their distances."""
        copy, real = places(which)
        return Met(real=real, copy=copy, distance=self._distances(real, copy))

    def _distances(self, real: Integers, copy: Integers) -> Floats:
        others = np.where(self.owner[real] == self.patient[copy], self.second[copy], self.first[copy])
        return np.round(self.ratios.exact(real, self.points, copy) / np.sqrt(others), DIGITS)


def _closest(ratios: LensRatios, points: Sequence[Singles], least: Singles) -> tuple[Integers, Floats]:
    """Row (m,) of the first real image with the smallest ratio, and that: infinite where all bounds (m, n) are."""
    row, found = np.zeros(len(least), np.int64), np.full(len(least), np.inf)
    near = least.argmin(axis=1)
    limits = np.square(ratios.exact(near, points, np.arange(len(least)))) * (1 + _SINGLE)
    copy, real = places((least <= limits[:, None].astype(np.float32)) & np.isfinite(least))
    exact = ratios.exact(real, points, copy)
    first = _smallest(copy, exact, real)
    row[copy[first]], found[copy[first]] = real[first], exact[first]
    return row, found


def _smallest(groups: Integers, values: Floats, ties: Integers) -> Integers:
    """Places of each group's smallest value, of equal ones that with the smallest tie."""
    order = np.lexsort((ties, values, groups))
    return np.asarray(order[np.unique(groups[order], return_index=True)[1]])
