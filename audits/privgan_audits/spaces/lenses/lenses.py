"""What of an image a copy may have kept: its detail, its shapes, a part of it, or itself moved and turned.

A space that compares whole pictures sees a copy only where everything came along. A lens brings images to one or more
vectors, its parts, and two images are close if they are in one part. Every vector is whitened by what all real images
have in common (Kessy, Lewin and Strimmer 2018, "Optimal whitening and decorrelation"), so that a shared anatomy says
nothing, and compared without its sign, so that a negative is as close as a copy. Of colour images a lens sees the
luminance. What it learns, it learns from members and non-members pooled, without labels.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import ndimage

from privgan.arrays import Floats, Images, Integers, Singles
from privgan.images.geometry import luminance, pool

SIDE = 32  # pixels on which parts and moves are looked at
CENTRE = 22  # pixels of the middle that moved images have in common with the original
DEGREES = (-15.0, -10.0, -5.0, 5.0, 10.0, 15.0)
SCALES = (0.8, 0.87, 0.93, 1.08, 1.16, 1.25)
SHIFTS = (-0.15, -0.075, 0.0, 0.075, 0.15)  # of the side
_RIDGE = 1e-3  # of the largest variance, added to each
_QUIET = 0.15  # of the median contrast: a window that shows less shows nothing
_NOTHING = 1e-9
_AT_ONCE = 512  # images; filters take several times their room


@dataclass(frozen=True, kw_only=True)
class Lens:
    """How images are looked at.

    name: as the report calls it. windows: parts of an image uint8 (n, h, h, c), each float64 (n, views, d), the image
    as it is first; further views are changes that the lens forgives. kept: directions of each part. agreeing: parts
    that must be close together. quiet: parts below this share of the median contrast count as nothing.
    """

    name: str
    windows: Callable[[Images, bool], Iterable[Floats]]
    kept: int
    agreeing: int = 1
    quiet: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Whitening:
    """Takes vectors to unit length in the directions in which real images differ, each counting alike.

    mean: (d,). directions: (d, k), divided by the deviation along them. floor: norms up to it become zeros.
    """

    mean: Floats
    directions: Floats
    floor: float

    @classmethod
    def of(cls, vectors: Floats, kept: int, quiet: float) -> "Whitening":
        """Learn from vectors (n, d), of which `unit` makes the directions that are compared."""
        floor = max(quiet * float(np.median(_norms(vectors))), _NOTHING)
        kept = min(kept, vectors.shape[1], max(1, len(vectors) // 4))
        return cls.of_directions(_unit(vectors, floor), kept, _RIDGE, floor)

    @classmethod
    def of_directions(cls, unit: Floats, kept: int, ridge: float, floor: float) -> "Whitening":
        """Learn from vectors (n, d) of unit length; `ridge` of the largest variance is added to each."""
        mean = unit.mean(axis=0) if len(unit) else np.zeros(unit.shape[1])
        centred = unit - mean
        variances, directions = np.linalg.eigh(centred.T @ centred / max(1, len(unit)))
        variances, directions = variances[::-1][:kept], directions[:, ::-1][:, :kept]
        spread = np.sqrt(np.maximum(variances, 0.0) + ridge * max(float(variances[0]), _NOTHING))
        return cls(mean=mean, directions=directions / spread, floor=floor)

    def __call__(self, vectors: Floats) -> Singles:
        """Vectors (..., d) to (..., k) of unit length; zeros where there is nothing to see."""
        rows = vectors.reshape(-1, vectors.shape[-1])
        norms = _norms(rows)
        seen = norms > self.floor
        white = rows @ self.directions  # of few numbers each, which alone are divided and moved
        white /= np.where(seen, norms, np.inf)
        white -= self.mean @ self.directions
        lengths = _norms(white)
        white /= np.where(seen & (lengths > _NOTHING), lengths, np.inf)
        return white.astype(np.float32).reshape(*vectors.shape[:-1], white.shape[-1])


def _unit(vectors: Floats, floor: float) -> Floats:
    norms = _norms(vectors)
    return np.asarray(vectors / np.where(norms > floor, norms, np.inf))


def _norms(vectors: Floats) -> Floats:
    """Of vectors (n, d): (n, 1)."""
    return np.asarray(np.sqrt(np.einsum("nd,nd->n", vectors, vectors))[:, None])


def _grey(images: Images, side: int) -> Floats:
    """The luminance of images uint8 (n, h, h, c) on `side` pixels: float64 (n, side, side)."""
    return np.asarray(luminance(pool(images, side))[..., 0], dtype=np.float64)


def _without_shapes(images: Images, sigma: float) -> Floats:
    """What is left of images uint8 (n, h, h, c) on SIDE pixels without anything wider than about 2 sigma of these."""
    detail = np.empty((len(images), SIDE, SIDE))
    for start in range(0, len(images), _AT_ONCE):
        grey = _grey(images[start : start + _AT_ONCE], SIDE)
        detail[start : start + _AT_ONCE] = grey - ndimage.gaussian_filter(grey, (0, sigma, sigma))
    return detail


def _one_part(pictures: Floats) -> Floats:
    """Images (n, s, s) without their means, as vectors (n, 1, s * s)."""
    centred = pictures - pictures.mean(axis=(1, 2), keepdims=True)
    return np.asarray(centred.reshape(len(pictures), 1, -1))


def _detail(images: Images, searched: bool) -> Iterable[Floats]:
    del searched
    yield _one_part(_without_shapes(images, 2.0))


def _shapes(images: Images, searched: bool) -> Iterable[Floats]:
    del searched
    yield _one_part(_grey(images, 8))


def _windows(side: int, step: int) -> Callable[[Images, bool], Iterable[Floats]]:
    """Every window of `side` pixels, `step` apart, in its place."""

    def windows(images: Images, searched: bool) -> Iterable[Floats]:
        del searched
        detail, corners = _without_shapes(images, 2.0), range(0, SIDE - side + 1, step)
        return (_one_part(detail[:, y : y + side, x : x + side]) for y in corners for x in corners)

    return windows


def _moved(images: Images, searched: bool) -> Iterable[Floats]:
    """The middle; of images that search, as it would be if the image were turned, scaled or moved, too."""
    detail = _without_shapes(images, 3.0)
    detail = np.ascontiguousarray(detail.transpose(1, 2, 0)).transpose(2, 0, 1)
    yield np.concatenate([_one_part(_middle(detail, move)) for move in (MOVES if searched else MOVES[:1])], axis=1)


Move = tuple[float, float, float, float]
"""Degrees, scale, and the shares of the side by which the image goes down and right."""
MOVES: Sequence[Move] = (
    (0.0, 1.0, 0.0, 0.0),
    *((degrees, 1.0, 0.0, 0.0) for degrees in DEGREES),
    *((0.0, scale, 0.0, 0.0) for scale in SCALES),
    *((0.0, 1.0, down, right) for down in SHIFTS for right in SHIFTS if (down, right) != (0.0, 0.0)),
)


def _middle(pictures: Floats, move: Move) -> Floats:
    """The middle CENTRE pixels of moved images (n, SIDE, SIDE), bilinear; what comes in repeats the border.

    Those whose images come last in memory are moved many times as fast, all of them at once.
    """
    place, below, beside = _places(move)
    flat = pictures.reshape(len(pictures), SIDE * SIDE).T
    above_line, below_line = (
        _between(flat.take(first, axis=0), flat.take(first + 1, axis=0), beside) for first in (place, place + SIDE)
    )
    middle = _between(above_line, below_line, below)
    return np.asarray(middle.T.reshape(len(pictures), CENTRE, CENTRE))


def _between(first: Floats, second: Floats, share: Floats) -> Floats:
    """How far a place is from the first of two values on its way to the second; in their own memory."""
    first *= 1 - share
    second *= share
    first += second
    return first


@cache
def _places(move: Move) -> tuple[Integers, Floats, Floats]:
    """Of each pixel of the middle: where the one above and left of its place stands in an image, (k,), and how far it
    is from that, down and right, (k, 1).
    """
    degrees, scale, down, right = move
    angle = np.deg2rad(degrees)
    at = np.arange(CENTRE) - (CENTRE - 1) / 2
    y, x = np.meshgrid(at - down * SIDE, at - right * SIDE, indexing="ij")
    rows = (np.cos(angle) * y - np.sin(angle) * x) / scale + (SIDE - 1) / 2
    columns = (np.sin(angle) * y + np.cos(angle) * x) / scale + (SIDE - 1) / 2
    rows, columns = np.clip(rows, 0.0, SIDE - 1.0), np.clip(columns, 0.0, SIDE - 1.0)
    top, left = (np.minimum(place.astype(int), SIDE - 2) for place in (rows, columns))
    return (top * SIDE + left).ravel(), (rows - top).reshape(-1, 1), (columns - left).reshape(-1, 1)


LENSES = (
    Lens(name="fine detail", windows=_detail, kept=256),
    Lens(name="coarse shapes", windows=_shapes, kept=40),
    Lens(name="parts", windows=_windows(11, 5), kept=64, quiet=_QUIET),
    Lens(name="small parts", windows=_windows(8, 3), kept=40, agreeing=2, quiet=_QUIET),
    Lens(name="moved images", windows=_moved, kept=128),
)
