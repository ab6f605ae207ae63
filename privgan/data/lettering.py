"""Text burned into pixels, looked for where a picture is still as large as it was stored."""

import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from privgan.images.text import shows_text
from privgan.language import kept, to_tr

LOOKED, TEXT = "looked", "text"
ALL_OF = 100  # files; of more, `prepare` looks at some alone: a habit of a site shows, and it costs next to nothing
ONE_IN = 32


class Lettering:
    """Looks at the pictures of one file, one after another, until one shows text."""

    def __init__(self, name: bytes, one_in: int = 1) -> None:
        """Whether it looks at all is decided by the file's name, so that it is decided alike every time.

        Args:
            name: of the file or row.
            one_in: of how many files one is looked at.
        """
        self._looks = zlib.crc32(name) % one_in == 0
        self._seen = self._found = False

    def __call__(self, values: NDArray[Any], low: float, high: float) -> None:
        """See `images.text.shows_text`."""
        if self._looks and not self._found:
            self._seen = True
            self._found = shows_text(values, low, high)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the notes count: that it looked, and that it found text."""
        return (LOOKED,) * self._seen + (TEXT,) * self._found


FILES, IMAGES = "files", "images"
_SEEN = to_tr(
    {
        FILES: "{count} of {looked} files that were looked at may show text in their pixels. Look at them: what is "
        "burned into many is learned; --roi cuts a border off.",
        IMAGES: "{count} of {looked} images that were looked at may show text in their pixels. Look at them: what is "
        "burned into many is learned; --roi cuts a border off.",
    }
)


def one_in(files: int, *, every: bool) -> int:
    """Of how many files one is looked at."""
    return 1 if every or files <= ALL_OF else ONE_IN


def told(counts: Counter[str], of: str) -> Iterator[str]:
    """What a reader is told where text was seen; of: FILES or IMAGES."""
    if counts[TEXT]:
        yield kept(_SEEN[of], count=counts[TEXT], looked=counts[LOOKED])
