"""Which known identifiers a text spells."""

from functools import lru_cache

from privgan.data.identifiers import IdentifierDigests, candidates, normalise
from privgan_audits.questions.identifiers.contents.pieces import Piece

_CACHED_TEXTS, _LONGEST_CACHED = 1 << 14, 1 << 10  # and characters of each: 16 MiB of plain letters at most


class Lookup:
    """Categories of the identifiers in a piece; the same texts come with every file and are looked up once."""

    def __init__(self, digests: IdentifierDigests) -> None:
        self._find = digests.find_form
        self._search = lru_cache(_CACHED_TEXTS)(self._uncached)

    def knows(self, form: str) -> bool:
        """Whether a normalised text is an identifier."""
        return self._find(form) is not None

    def __call__(self, piece: Piece) -> frozenset[str]:
        """The categories; empty when the piece is harmless."""
        if piece.whole:
            form = normalise(piece.text)
            category = self._find(form) if len(form) >= piece.least else None
            return frozenset([category]) if category else frozenset()
        search = self._search if len(piece.text) <= _LONGEST_CACHED else self._uncached
        return search(piece.text, piece.least, ragged=piece.ragged)

    def _uncached(self, text: str, least: int, *, ragged: bool) -> frozenset[str]:
        forms = set(candidates(text))
        for part in _edges(text) if ragged else ():
            forms.update(candidates(part))
        return frozenset(found for form in forms if len(form) >= least and (found := self._find(form)))


def _edges(text: str) -> list[str]:
    """A run's first and last word without the character that may belong to the bytes beside it.

    A length, a tag or a checksum next to a value is printable now and then.
    """
    words = text.split()
    if not words:
        return []
    return [words[0][1:], words[-1][:-1], *([text.strip()[1:-1]] if len(words) == 1 else ())]
