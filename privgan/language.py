"""The language that people read: whole sentences, in English where they are used, in others by `languages/*.po`.

A sentence is looked up as it stands in the code, with the names of its values in braces, and filled in afterwards:
no language is made of another's halves, and numbers are the same in all of them. The catalogues are GNU gettext's
format, which translators' tools read.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files

from privgan.errors import UsageError

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "zh": "简体中文"}
_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


def tr(sentence: str, /, **values: object) -> str:
    """The sentence in the current language, with its values; in English where it was never translated.

    >>> tr("{count} images", count=3)
    '3 images'
    """
    spoken = _catalogue(_language.get()).get(sentence, sentence)
    return spoken.format(**values) if values else spoken


def tr_count(one: str, several: str, count: int, /, **values: object) -> str:
    """The sentence for one or for several things; a language without the difference translates the second alone.

    >>> tr_count("one image", "{count} images", 1), tr_count("one image", "{count} images", 2)
    ('one image', '2 images')
    """
    if _language.get() == ENGLISH and count == 1:
        return one.format(**values)
    return tr(several, count=f"{count:,}", **values)


def to_tr(sentence: str, /) -> str:
    """The same sentence: it stands in a table or a constant, and is translated where it is shown."""
    return sentence


def language() -> str:
    """The current language, as BCP 47 calls it."""
    return _language.get()


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """Everything inside is said in this language.

    Raises:
        UsageError: there is no such language.
    """
    if name not in LANGUAGES:
        raise UsageError(f"Expected a language among {', '.join(LANGUAGES)}, got another one.")
    token = _language.set(name)
    try:
        yield
    finally:
        _language.reset(token)


@cache
def _catalogue(name: str) -> Mapping[str, str]:
    """Translations by English sentence; none for English itself."""
    if name == ENGLISH:
        return {}
    import polib

    text = files("privgan").joinpath("languages", f"{name}.po").read_text("utf-8")
    return {entry.msgid: entry.msgstr for entry in polib.pofile(text) if entry.translated()}
