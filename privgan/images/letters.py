"""Lines of letters in a small part of a picture: components of one height, contrast and baseline in a quiet strip.

The rules of grouping follow Epshtein, Ofek and Wexler 2010, sections 3.2 and 3.3; the thresholds are those that kept
text apart from noise of CT slices and edges of bones, see docs/results/burned-in-text.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from privgan.arrays import Flags, Images

LEAST_CONTRAST = 24  # grey levels
_LEAST_LETTERS = 5
# Of five letters in a chain there are four that one row runs through, as differently as `_follows` lets neighbours
# stand. Each component is a stretch of its own in a row, so that rows of three stretches at most hold no line.
_LEAST_IN_A_ROW = 4
_TOUCHING = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=np.bool_)  # pixels of one component
_WIDEST_STROKE = 9  # pixels; what is as wide both ways is no stroke
_LETTER_HEIGHTS = (5, 24)  # pixels
_NEAR = (9, 17)  # pixels; a stroke has at least half the contrast of the strongest one as near as that
_UNLIKE = 0.6  # the smaller of two neighbours' heights or contrasts against the larger
_APART = 1.6  # heights
_UNEVEN = 0.25  # spread of a line's contrasts against their median
_LOUD = 0.35  # contrast of three quarters of the strips above and below against the letters'


@dataclass(frozen=True, slots=True)
class _Letter:
    """A component: its box in pixels, and its contrast in grey levels."""

    top: int
    bottom: int
    left: int
    right: int
    contrast: float

    @property
    def height(self) -> int:
        return self.bottom - self.top


def has_line(shown: Images) -> bool:
    """Whether bright letters stand in a line.

    Args:
        shown: grey levels, uint8 (h, w).
    """
    strokes = shown - _opened(shown)
    standing = _standing(strokes)
    if _most_in_a_row(standing) < _LEAST_IN_A_ROW:
        return False
    letters = sorted(_letters(strokes, standing), key=lambda letter: letter.left)
    return any(_is_text(line, strokes) for line in _lines(letters))


def _opened(shown: Images) -> Images:
    """Without what is bright and narrow: smallest values, then largest of those, in a square."""
    square = (_WIDEST_STROKE, _WIDEST_STROKE)
    return _extremes(_extremes(shown, square, np.minimum, 255), square, np.maximum, 0)


def _extremes(shown: Images, size: tuple[int, int], extreme: np.ufunc, beyond: int) -> Images:
    """The smallest or largest value around each pixel, in a box of so many rows and columns, less at the edges.

    Both sizes are odd. It is what SciPy's filters give, which hold an image beyond its edges to be its own
    reflection, in a fraction of the time for a few thousand pixels: with room between them rows lie one behind the
    other, so that neighbours in one direction are the same line of memory, shifted.
    """
    (tall, wide), (rows, columns) = size, shown.shape
    across = columns + wide - 1
    filled: Images = np.full((rows + tall - 1, across), beyond, dtype=np.uint8)
    filled[tall // 2 : tall // 2 + rows, wide // 2 : wide // 2 + columns] = shown
    down = extreme.reduce(np.ndarray((tall, rows * across), np.uint8, filled, strides=(across, 1)))
    both = extreme.reduce(np.ndarray((wide, rows * across - wide + 1), np.uint8, down, strides=(1, 1)))
    return np.ndarray((rows, columns), np.uint8, both, strides=(across, 1))


def _standing(strokes: Images) -> Flags:
    """Where strokes are strong enough, by themselves and beside their neighbours."""
    nearby = _extremes(strokes, _NEAR, np.maximum, 0)
    standing: Flags = strokes >= np.maximum(nearby // 2, LEAST_CONTRAST)
    return standing


def _most_in_a_row(standing: Flags) -> int:
    """Into how many stretches the strokes of one row fall at most."""
    begun = (standing[:, 1:] > standing[:, :-1]).sum(axis=1)
    begun += standing[:, 0]
    return int(begun.max())


def _letters(strokes: Images, standing: Flags) -> Iterator[_Letter]:
    """Components of the size and density of letters."""
    from scipy import ndimage

    labels, count = ndimage.label(standing, _TOUCHING)
    if count < _LEAST_LETTERS:
        return
    shortest, tallest = _LETTER_HEIGHTS
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if not (shortest <= height <= tallest and width <= min(28, 3 * height)):
            continue
        levels = np.sort(strokes[rows, columns][labels[rows, columns] == number])
        if width > 2 and not 0.12 <= len(levels) / (height * width) <= 0.9:
            continue
        contrast = float(levels[(3 * len(levels)) // 4])
        yield _Letter(rows.start, rows.stop, columns.start, columns.stop, contrast)


def _lines(letters: Sequence[_Letter]) -> Iterator[list[_Letter]]:
    """Chains of at least five letters from left to right, none in two of them."""
    used: set[int] = set()
    for start in range(len(letters)):
        if start in used:
            continue
        chain = [start]
        for other in range(start + 1, len(letters)):
            last, following = letters[chain[-1]], letters[other]
            if following.left - last.right > _APART * _LETTER_HEIGHTS[1]:
                break
            if _follows(last, following):
                chain.append(other)
        if len(chain) >= _LEAST_LETTERS:
            used.update(chain)
            yield [letters[place] for place in chain]


def _follows(last: _Letter, other: _Letter) -> bool:
    """Whether two letters may be neighbours of one word or line."""
    height = max(last.height, other.height)
    return (
        -0.2 * height <= other.left - last.right <= _APART * height
        and abs(other.bottom - last.bottom) <= max(1, 0.15 * height)
        and min(last.height, other.height) >= _UNLIKE * height
        and min(last.contrast, other.contrast) >= _UNLIKE * max(last.contrast, other.contrast)
    )


def _is_text(line: Sequence[_Letter], strokes: Images) -> bool:
    """Whether the letters' contrasts are alike, and it is quiet above and below."""
    contrasts = np.array([letter.contrast for letter in line])
    contrast = float(np.median(contrasts))
    top, bottom = min(letter.top for letter in line), max(letter.bottom for letter in line)
    across = slice(line[0].left, max(letter.right for letter in line))
    tall = max(2, int(np.median([letter.height for letter in line])) // 3)
    above, below = strokes[max(0, top - 1 - tall) : max(0, top - 1), across], strokes[bottom + 1 :][:tall, across]
    strips = np.concatenate([above.ravel(), below.ravel()])
    quiet = len(strips) > 0 and float(np.percentile(strips, 75)) <= _LOUD * contrast
    return quiet and float(contrasts.std()) <= _UNEVEN * contrast
