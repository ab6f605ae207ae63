"""The language that people read: whole sentences, as they are written where they are used, else by `languages/*.po`.

A sentence is looked up as it stands in the code, with the names of its values in braces, and filled in afterwards:
no language is made of another's halves, and numbers are the same in all of them. The catalogues are GNU gettext's
format, which translators' tools read.

Records keep sentences as they are written, whoever reads them: what goes into one is `kept`, and `retold` where it
is shown. No tongue is named here: it is a surname, too, and `data.identifiers.own_words` are no evidence.
"""

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import TypeVar

from privgan.errors import UsageError

AS_WRITTEN = "en"
LANGUAGES = (AS_WRITTEN, "zh")
_BETWEEN_SENTENCES = {"zh": ""}
_TAGS = {"zh": "zh-Hans"}
OWN_WORDS = frozenset({"alarms", "check", "kind", "kinds", "note", "reason", "reasons", "space", "what"})
_LONGEST = 2000  # characters of a sentence
_FEWEST_LETTERS = 7  # beside its values, of a sentence that can be known again
_chosen: ContextVar[str | None] = ContextVar("language", default=None)
Sentences = TypeVar("Sentences")


def tr(sentence: str, /, **values: object) -> str:
    """The sentence in the current language, with its values; as it is written where it was never translated.

    >>> tr("{count} images", count=3)
    '3 images'
    """
    spoken = _catalogue(language()).get(sentence, sentence)
    return spoken.format(**values) if values else spoken


def tr_count(one: str, several: str, count: int, /, **values: object) -> str:
    """The sentence for one or for several things; a language without the difference translates the second alone.

    >>> tr_count("one image", "{count} images", 1), tr_count("one image", "{count} images", 2)
    ('one image', '2 images')
    """
    if language() == AS_WRITTEN and count == 1:
        return one.format(**values)
    return tr(several, count=f"{count:,}", **values)


def to_tr(sentences: Sentences, /) -> Sentences:
    """The same sentence, or table of sentences: it is a constant, and is translated where it is shown."""
    return sentences


def kept(sentence: str, /, **values: object) -> str:
    """The sentence with its values for a record, as it is written; see `retold`.

    >>> kept("{count} images", count=3)
    '3 images'
    """
    return sentence.format(**values) if values else sentence


def retold(sentence: str, /) -> str:
    """What a record keeps, in the current language; unchanged where the code has no such sentence.

    Of its values only those are told on that privgan itself had words for (OWN_WORDS): what a hospital calls its
    classes and columns stays as it is.

    >>> retold("No sentence of this code.")
    'No sentence of this code.'
    """
    if language() == AS_WRITTEN:
        return sentence
    told = _known(sentence)
    return _in_pieces(sentence) if told is None else told


def _known(sentence: str) -> str | None:
    """One sentence of the catalogue as a record keeps it; None if it is none."""
    catalogue = _catalogue(language())
    if sentence in catalogue:
        return catalogue[sentence]
    if len(sentence) > _LONGEST:  # no sentence of ours, and a search that takes long
        return None
    for pattern, spoken in _patterns(language()):
        if found := pattern.fullmatch(sentence):
            parts = found.groupdict().items()
            return spoken.format(**{name: _own_words(text) if name in OWN_WORDS else text for name, text in parts})
    return None


def _in_pieces(text: str) -> str:
    """Several sentences in a row, the longest that are known first; unchanged unless all of them are."""
    parts = re.split(r"(?<=\.) (?=[A-Z])", text)
    for count in range(len(parts) - 1, 0, -1):
        first = _known(" ".join(parts[:count]))
        rest = " ".join(parts[count:])
        if first is not None and (told := retold(rest)) != rest:
            return in_a_row((first, told))
    return text


def _own_words(text: str) -> str:
    """A sentence, perhaps behind a name, or a list of words, each perhaps with a count behind it."""
    if (told := retold(text)) != text:
        return told
    for mark in ("; ", ", "):
        if mark in text:
            return tr(mark).join(map(_own_words, text.split(mark)))
    name, colon, reason = text.partition(": ")
    if colon:
        return tr("{name}: {reason}", name=name, reason=retold(reason))
    counted = re.fullmatch(r"(.+?)( [\d,]*\d)", text, re.DOTALL)
    return retold(counted[1]) + counted[2] if counted else text


def in_a_row(sentences: Iterable[str], /) -> str:
    """Whole sentences one after the other, with the space that the current language has between them; "" for none.

    >>> in_a_row(["One.", "", "Two."])
    'One. Two.'
    """
    return _BETWEEN_SENTENCES.get(language(), " ").join(filter(None, sentences))


def language() -> str:
    """The current language, one of LANGUAGES."""
    return _chosen.get() or AS_WRITTEN


def tag() -> str:
    """The current language with its script, as BCP 47 and HTML call it."""
    return _TAGS.get(language(), language())


@contextmanager
def speaking(name: str | None) -> Iterator[None]:
    """Everything inside is said in this language; None leaves it open, as it is at first.

    Raises:
        UsageError: there is no such language.
    """
    if name is not None:
        require_language(name)
    token = _chosen.set(name)
    try:
        yield
    finally:
        _chosen.reset(token)


@contextmanager
def by_default(name: str) -> Iterator[None]:
    """Everything inside is said in this language, if nobody chose another."""
    with speaking(_chosen.get() or name):
        yield


def require_language(name: str) -> None:
    """Refuse what is no language.

    Raises:
        UsageError: it is none.
    """
    if name not in LANGUAGES:
        raise UsageError(f"Expected a language among {', '.join(LANGUAGES)}, got another one.")


@cache
def _catalogue(name: str) -> Mapping[str, str]:
    """Translations by sentence; none for those as they are written."""
    if name == AS_WRITTEN:
        return {}
    import polib

    text = files("privgan").joinpath("languages", f"{name}.po").read_text("utf-8")
    return {entry.msgid: entry.msgstr for entry in polib.pofile(text) if entry.translated()}


@cache
def _patterns(name: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """The sentences with values, to be known again by their words; those with the most words first."""
    found = []
    for sentence, spoken in _catalogue(name).items():
        parts = [*string.Formatter().parse(sentence)]
        letters = sum(len(words) for words, *_ in parts)
        if any(value for _, value, *_ in parts) and letters >= _FEWEST_LETTERS:
            found.append((letters, _pattern(parts), re.sub(r"\{(\w+):[^}]*\}", r"{\1}", spoken)))
    return tuple((pattern, spoken) for _, pattern, spoken in sorted(found, key=lambda each: -each[0]))


def _pattern(parts: list[tuple[str, str | None, str | None, str | None]]) -> re.Pattern[str]:
    seen: set[str] = set()
    pattern = ""
    for words, value, *_ in parts:
        pattern += re.escape(words)
        if value:
            pattern += f"(?P={value})" if value in seen else f"(?P<{value}>.+?)"
            seen.add(value)
    return re.compile(pattern, re.DOTALL)
