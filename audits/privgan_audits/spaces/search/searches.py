"""Which pairs of images are worth comparing: two exhaustive searches, each blind where the other sees.

Images of one anatomy are so alike that a shift of one pixel hides a copy from plain pixel distances; magnitude
spectra forgive shifts, but noise fills their weak frequencies. So candidates come from both.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Flags, Floats, Integers, Singles
from privgan.gan.ranks.ranks import Ranks
from privgan.gan.ranks.rows import Arrays, in_shares
from privgan.images.geometry import by_channel, orbit, pool
from privgan_audits.spaces.pixels import FINE, MAX_SHIFT, is_flat, normalise, products

COARSE = 16  # pixels of the grid on which plain pixels are searched
FREQUENCIES = 7  # cycles per window that a spectrum keeps in each direction
_BLOCK = 256


@dataclass(frozen=True, kw_only=True)
class Views:
    """Images in the forms that are compared; each has its channels last.

    fine: float32 (n, f, f, c), levels. coarse: float32 (n, g, g, c), zero mean, unit norm. spectra: float32
    (n, windows, s, s, c); nine windows of images that search, the centre one of those that are searched for.
    flat: bool (n,), True where the image is constant apart from its border.
    """

    fine: Singles
    coarse: Singles
    spectra: Singles
    flat: Flags

    def __len__(self) -> int:
        return len(self.fine)

    def only(self, rows: range) -> "Views":
        """Some of them, side by side."""
        some = slice(rows.start, rows.stop)
        return Views(fine=self.fine[some], coarse=self.coarse[some], spectra=self.spectra[some], flat=self.flat[some])


@dataclass(frozen=True, kw_only=True)
class Search:
    """One way to find candidates. Both sides become vectors; a query has one for each of its views.

    queries: what `turns` takes. base: float32 (m, d). turns: all views of a block of queries, each (n, d).
    image_views: the members of `orbit` that a view may stand for.
    """

    queries: Callable[[Views], Singles]
    base: Callable[[Views], Singles]
    turns: Callable[[Singles], list[Singles]]
    image_views: Callable[[Integers], tuple[Integers, ...]]


def views(images: NDArray[np.uint8], *, searching: bool, ranks: Ranks | None = None) -> Views:
    """Bring images uint8 (n, h, h, c), h >= SMALLEST_IMAGE, into all forms; `searching` images get nine windows.

    ranks: among whom they are shared out.
    """

    def some(rows: range) -> Arrays:
        found = _views(images[rows.start : rows.stop], searching=searching)
        return [found.fine, found.coarse, found.spectra, found.flat.view(np.uint8)]

    fine, coarse, magnitudes, flat = in_shares(len(images), ranks, some, step=_BLOCK)
    return Views(fine=fine, coarse=coarse, spectra=magnitudes, flat=flat.view(np.bool_))


def _views(images: NDArray[np.uint8], *, searching: bool) -> Views:
    fine = pool(images, min(FINE, images.shape[1]))
    steps = range(0, 2 * MAX_SHIFT + 1, MAX_SHIFT) if searching else (MAX_SHIFT,)
    return Views(
        fine=fine,
        coarse=normalise(pool(fine, min(COARSE, fine.shape[1]))),
        spectra=spectra(fine, [(y, x) for y in steps for x in steps]),
        flat=is_flat(fine),
    )


def spectra(fine: Singles, corners: list[tuple[int, int]]) -> Singles:
    """Square roots of the lowest Fourier magnitudes of some windows of fine (n, f, f, c), zero frequency centred.

    A copy that was moved shows in its centre just what the original shows in one of the windows, or nearly so,
    and what little is still shifted the magnitudes do not see, thanks to the (Hann) taper. The square root keeps
    a few strong frequencies, which all images of an anatomy share, from drowning the rest. Unit norm; zeros for
    constant windows.

    Returns:
        float32 (n, len(corners), s, s, c).
    """
    size = fine.shape[1] - 2 * MAX_SHIFT
    kept = min(FREQUENCIES, (size - 1) // 2)
    taper = np.hanning(size + 2)[1:-1]
    low = np.arange(-kept, kept + 1)
    result = np.empty((len(fine), len(corners), len(low), len(low), fine.shape[3]), np.float32)

    def magnitudes(windows: Floats) -> Floats:
        return np.sqrt(np.abs(np.fft.fft2(windows * taper[:, None] * taper)[:, low[:, None], low]))

    for start in range(0, len(fine), _BLOCK):
        block = fine[start : start + _BLOCK]
        for number, (y, x) in enumerate(corners):
            window = normalise(block[:, y : y + size, x : x + size]).astype(np.float64)
            seen = by_channel(magnitudes, window)
            norms = np.sqrt(products(seen, seen))[:, None, None, None]
            result[start : start + len(block), number] = seen / np.where(norms > 0, norms, 1.0)
    return result


def spectrum_turns(windows: Singles) -> list[Singles]:
    """Every window of spectra (n, w, s, s, c) in the 4 turns that magnitudes tell apart; 4 x w vectors (n, d)."""
    quarter = np.rot90(windows, axes=(2, 3))
    turns = [windows, quarter, windows[:, :, :, ::-1], quarter[:, :, :, ::-1]]
    return [_half(turned[:, window]) for turned in turns for window in range(turned.shape[1])]


def _half(spectrum: Singles) -> Singles:
    """The half of a spectrum (n, s, s, c) that is not its mirror image, as vectors of half the squared length."""
    half = spectrum[:, : spectrum.shape[1] // 2 + 1].copy()
    half[:, -1] *= np.float32(np.sqrt(0.5))  # the row of zero frequency holds both halves
    return half.reshape(len(half), -1)


def _spectrum_image_views(view: Integers) -> tuple[Integers, ...]:
    """Half a turn leaves magnitudes alone, so that each of the 4 turns stands for two; there are 9 windows."""
    first = np.array([0, 1, 4, 5])[view // 9]
    return first, first + 2


def _pixel_turns(coarse: Singles) -> list[Singles]:
    return [np.ascontiguousarray(view, dtype=np.float32).reshape(len(view), -1) for view in orbit(coarse)]


SEARCHES = (
    Search(
        queries=lambda images: images.spectra,
        base=lambda images: _half(images.spectra[:, images.spectra.shape[1] // 2]),
        turns=spectrum_turns,
        image_views=_spectrum_image_views,
    ),
    Search(
        queries=lambda images: images.coarse,
        base=lambda images: images.coarse.reshape(len(images), -1),
        turns=_pixel_turns,
        image_views=lambda view: (view,),
    ),
)
