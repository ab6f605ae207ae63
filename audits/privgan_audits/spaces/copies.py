"""Which of some images are copies of some originals, told one by one, where nobody was held back to compare with.

T2 need not say of any one image that it is a copy; of public images it has to be said, because there is no second
side by chance. So a near copy here is one beyond doubt: nearer in the space of pixels than strangers come, and much
nearer than its original is to any other person's image. The first alone would call two strangers' digits or CT slices
copies, the second alone (the ratio of Chen et al. 2020, "GAN-Leaks") two X-rays that are merely unusual. Perceptual
hashes take no part: chest X-rays of two continents come within 4 of 64 bits of one another.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from privgan.arrays import Flags, Floats, Images, Integers
from privgan.language import tr
from privgan.progress import Progress, silent
from privgan_audits.spaces.pixel_space import closest
from privgan_audits.spaces.pixels import FAR
from privgan_audits.spaces.prints import prints
from privgan_audits.spaces.search.searches import views

# A correlation of 0.969. Of 10,000 public chest X-rays and 5,856 of another continent the nearest pair is at 0.336;
# copies with 4 % of noise at 64 pixels are at 0.12, and 99 of 100 below 0.2.
NEAR = 0.25
RATIO = 0.5
_BLOCK = 4096  # images of either side at once: about 100 MiB
_NOBODY = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Copies:
    """Of each image: whether it is an original, but for brightness and turns; whether it is nearly one; (n,) each.

    No image is both. original: the row of what it copies, -1 of those that are no copies.
    """

    exact: Flags
    near: Flags
    original: Integers

    @property
    def count(self) -> int:
        """How many are copies of either kind."""
        return int((self.exact | self.near).sum())


def copies(images: Images, originals: Images, owner: Integers, progress: Progress = silent) -> Copies:
    """Compare every image with every original, in blocks, so that memory does not grow with either.

    Args:
        images: uint8 (n, h, h, c).
        originals: uint8 (m, h, h, c).
        owner: whose the originals are (m,); another image of the same person makes none of them less unusual.
        progress: told of every block.
    """
    original = _exactly(images, originals)
    exact = original != _NOBODY
    distance, row = _nearest(images, originals, progress)
    some = np.flatnonzero((distance <= NEAR) & ~exact)
    near = np.zeros(len(images), bool)
    near[some] = distance[some] <= RATIO * _usual(originals, owner, row[some])
    return Copies(exact=exact, near=near, original=np.where(near, row, original))


def _exactly(images: Images, originals: Images) -> Integers:
    """The first original that has an image's print, -1 where none has."""
    known: dict[bytes, int] = {}
    for row, print_ in enumerate(prints(originals)):
        if print_ is not None:
            known.setdefault(print_.tones, row)
    found = (print_ and known.get(print_.tones) for print_ in prints(images))
    return np.array([_NOBODY if row is None else row for row in found], np.int64)


def _nearest(images: Images, originals: Images, progress: Progress = silent) -> tuple[Floats, Integers]:
    """Distance of each image to the nearest original, and its row."""
    distance, row = np.full(len(images), FAR), np.zeros(len(images), np.int64)
    for some in _blocks(len(images)):
        queries = views(images[some], searching=True)
        for others in _blocks(len(originals)):
            found = closest(queries, views(originals[others], searching=False), None, "copies")
            better = found.distance < distance[some]
            distance[some] = np.where(better, found.distance, distance[some])
            row[some] = np.where(better, others.start + found.row, row[some])
        progress(tr("copies"), some.stop, len(images))
    return distance, row


def _usual(originals: Images, owner: Integers, rows: Integers) -> Floats:
    """Distance of these originals to the nearest one of another person; that of strangers where there is none."""
    wanted, place = np.unique(rows, return_inverse=True)
    distance = np.full(len(wanted), FAR)
    for some in _blocks(len(wanted)):
        held = wanted[some]
        queries = views(originals[held], searching=True)
        for others in _blocks(len(originals)):
            apart = owner[held], owner[others]
            found = closest(queries, views(originals[others], searching=False), apart, "copies")
            distance[some] = np.minimum(distance[some], found.distance)
    return np.asarray(distance[place])


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK))
