"""The parts of all real images through a lens: what fits into memory is kept while it is looked at, and then let go.

What does not fit is made again whenever it is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from privgan.arrays import Images, Integers, Singles
from privgan.gan.ranks.ranks import Ranks
from privgan.gan.ranks.rows import Arrays, in_shares
from privgan_audits.spaces.lenses.lenses import Lens, Whitening

KEPT = 1 << 29  # bytes of one lens: all views of 28,000 images in the most expensive one
_AT_ONCE = 64  # images; windows in double precision take many times their room


@dataclass(frozen=True, kw_only=True, eq=False)
class LensViews:
    """All real images through a lens, as they are and changed in the ways that it forgives.

    whites: of each part. images: uint8 (n, h, h, c). changes: views of an image. whole: whether all of them are kept
    while somebody looks; else none is, since of some hardly any would be asked for. ranks: see `look`. kept: every
    part, float32 (n, views, d); empty until then.
    """

    lens: Lens
    whites: Sequence[Whitening]
    images: Images
    changes: int
    whole: bool
    ranks: Ranks | None = None
    kept: list[Singles] = field(default_factory=list)

    @classmethod
    def of(
        cls, lens: Lens, real: Images, ranks: Ranks | None = None, learning: Integers | None = None
    ) -> "LensViews":
        """Of all real images; from these, or from some rows of them, the lens learns what images have in common."""
        some = real if learning is None else real[learning]
        whites = [Whitening.of(as_it_is[:, 0], lens.kept, lens.quiet) for as_it_is in lens.windows(some, False)]
        one = placed(lens, whites, real[:1], searching=True)
        whole = len(real) * sum(part.nbytes for part in one) <= KEPT
        return cls(lens=lens, whites=whites, images=real, changes=int(one[0].shape[1]), whole=whole, ranks=ranks)

    def forget(self) -> None:
        """Keep none until somebody looks again: made again, they are the same."""
        self.kept.clear()

    def look(self) -> None:
        """Make what is kept, each rank some of it. All ranks call it, whatever each of them looks at then."""
        if self.whole and not self.kept:

            def some(rows: range) -> Arrays:
                return self._made(slice(rows.start, rows.stop))

            self.kept.extend(in_shares(len(self.images), self.ranks, some, step=_AT_ONCE))

    def _kept(self) -> Sequence[Singles]:
        if not self.kept:
            self.kept.extend(self._made(slice(None)))
        return self.kept

    def _made(self, rows: slice | Integers) -> list[Singles]:
        return placed(self.lens, self.whites, self.images[rows], searching=True)

    def __len__(self) -> int:
        return len(self.images)

    def beside(self, images: Images) -> list[Singles]:
        """Further images, as they are: every part, float32 (m, d)."""
        return [part[:, 0] for part in placed(self.lens, self.whites, images, searching=False)]

    def still(self, first: int, end: int) -> list[Singles]:
        """Images from `first` to before `end`, or to the last as they are: every part, float32 (k, d)."""
        if self.whole:
            return [part[first:end, 0] for part in self._kept()]
        return self.beside(self.images[first:end])

    def some(self, first: int, end: int) -> list[Singles]:
        """Images from `first` to before `end`, or to the last: every part, float32 (k, views, d)."""
        return [part[first:end] for part in self._kept()] if self.whole else self._made(slice(first, end))

    def at(self, rows: Integers) -> Singles:
        """Images in any order, ascending or not: every part, float32 (parts, k, views, d)."""
        if self.whole:
            parts, place = self._kept(), rows
        else:
            different, place = np.unique(rows, return_inverse=True)
            parts = self._made(different)
        if len(rows) and not 0 <= place.min() <= place.max() < len(parts[0]):
            raise IndexError("Expected rows of these images.")  # which "clip" below would not say
        found = np.empty((len(parts), len(rows), *parts[0].shape[1:]), np.float32)
        for part, copied in zip(parts, found, strict=True):
            part.take(place, axis=0, out=copied, mode="clip")  # else NumPy copies once more
        return found


def placed(lens: Lens, whites: Sequence[Whitening], images: Images, *, searching: bool) -> list[Singles]:
    """Every part of images, float32 (n, views, d)."""
    found: list[Singles] = []
    for start in range(0, max(1, len(images)), _AT_ONCE):
        block = slice(start, start + _AT_ONCE)
        for number, (white, windows) in enumerate(zip(whites, lens.windows(images[block], searching), strict=True)):
            part = white(windows)
            if start == 0:
                found.append(np.empty((len(images), *part.shape[1:]), np.float32))
            found[number][block] = part
    return found
