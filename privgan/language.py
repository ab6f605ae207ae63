"""The language that people read: whole sentences, as they are written where they are used, else by `languages/*.po`.

A sentence is looked up as it stands in the code, with the names of its values in braces, and filled in afterwards:
no language is made of another's halves, and numbers are the same in all of them. The catalogues are GNU gettext's
format, which translators' tools read.

Records keep sentences as they are written, whoever reads them, and so do errors: what goes into one is `kept`, and
`retold` where it is shown. No tongue is named here: it is a surname, too, and `data.identifiers.own_words` are no
evidence.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import TypeVar

from privgan.errors import PrivganError, UsageError
from privgan.languages.reading import Reader

AS_WRITTEN = "en"
LANGUAGES = (AS_WRITTEN, "zh")
_BETWEEN_SENTENCES = {"zh": ""}
_TAGS = {"zh": "zh-Hans"}
OWN_WORDS = frozenset(
    {
        *("alarms", "changed", "check", "error", "form", "help", "kind", "kinds", "note"),
        *("reason", "reasons", "saved", "space", "strerror", "told", "trouble", "wanted", "what"),
    }
)
"""Names of values that are privgan's own sentences, perhaps with a number behind the name."""
_chosen: ContextVar[str | None] = ContextVar("language", default=None)
Sentences = TypeVar("Sentences")


def tr(sentence: str, /, **values: object) -> str:
    """The sentence in the current language, with its values; as it is written where it was never translated.

    >>> tr("{count} images", count=3)
    '3 images'
    """
    spoken = catalogue(language()).get(sentence, sentence)
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
    return _reader(language()).told(sentence)


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
    """Everything inside is said in this language, and what it is refused with; None leaves it open, as at first.

    Raises:
        UsageError: there is no such language.
    """
    if name is not None:
        require_language(name)
    token = _chosen.set(name)
    try:
        yield
    except PrivganError as error:
        if name not in (None, AS_WRITTEN):
            error.language = error.language or name
        raise
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
def catalogue(name: str) -> Mapping[str, str]:
    """Translations by sentence; none for those as they are written."""
    if name == AS_WRITTEN:
        return {}
    folder = files("privgan").joinpath("languages")
    if (table := folder.joinpath(f"{name}.json")).is_file():
        told: dict[str, str] = json.loads(table.read_text("utf-8"))  # in the verifier alone: what it says
        return told
    import polib

    text = folder.joinpath(f"{name}.po").read_text("utf-8")
    return {entry.msgid: entry.msgstr for entry in polib.pofile(text) if entry.translated()}


@cache
def _reader(name: str) -> Reader:
    return Reader(
        catalogue=catalogue(name),
        own=OWN_WORDS,
        marks=to_tr(("; ", ", ", " and ")),
        named=to_tr("{name}: {reason}"),
        space=_BETWEEN_SENTENCES.get(name, " "),
    )
