"""Which names of files and folders could say whose they are.

A running number behind a word that everybody has (`img_0001`) names nobody, and a synthetic set that counts its files
alike must not be accused; a patient number or a surname in a file's name does.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from privgan.data.identifiers import SHORTEST, SHORTEST_NUMBER, normalise, own_words

_SEVERAL = ""  # stands for more than one patient; never the key of one
_TOKEN = re.compile(r"[^\W_]+")
_NUMBERED = re.compile(r"([^\W\d_]*)(\d*)")


def telling_names(named: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The (name, patient) pairs, each once, whose name is one patient's and more than a running number.

    It has six digits or more, not counting zeros in front, or a word of four characters or more that no other
    patient's names have.

    >>> list(telling_names([("img_0001", "a"), ("img_0002", "b"), ("img_44-718-823", "c"), ("Adams_01", "d")]))
    [('img_44-718-823', 'c'), ('Adams_01', 'd')]
    """
    owners = _owners(named)
    words = _owners((word, patient) for name, patient in named for word in _words(name))
    for name, patient in owners.items():
        own = {word for word in _words(name) if words[word] != _SEVERAL} - own_words()
        if patient != _SEVERAL and (own or _digits(name) >= SHORTEST_NUMBER):
            yield name, patient


def _owners(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    owners: dict[str, str] = {}
    for text, patient in pairs:
        if owners.setdefault(text, patient) != patient:
            owners[text] = _SEVERAL
    return owners


def _words(name: str) -> Iterator[str]:
    """Letters of a name, without the running number behind them."""
    for token in _TOKEN.findall(name):
        numbered = _NUMBERED.fullmatch(token)
        word = normalise(numbered[1] if numbered else token)
        if len(word) >= SHORTEST:
            yield word


def _digits(name: str) -> int:
    return sum(len(group.lstrip("0")) for group in re.findall(r"\d+", name))
