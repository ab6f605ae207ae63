"""The words that leave with a set as somebody typed them: for the officer who signs, and for whoever receives it."""

from collections.abc import Iterator, Mapping

from privgan.language import to_tr, tr

_WORDS = to_tr(
    {
        "title": "title: {text}",
        "house": "house: {text}",
        "contact": "contact: {text}",
        "licence": "licence: {text}",
        "citation": "citation: {text}",
    }
)


def leaving_columns(columns: Mapping[str, str]) -> Iterator[str]:
    """What the records can say, by their declarations; nothing of a set without records."""
    if columns:
        declared = tr("; ").join(f"{name}: {text}" for name, text in columns.items())
        yield tr("Invented records leave with the set, and can say no more than this: {columns}.", columns=declared)


def leaving_words(typed: Mapping[str, str]) -> list[str]:
    """What was typed, by its key, each with what it is; nothing of what is empty.

    >>> leaving_words({"licence": "CC-BY-4.0", "title": "Chests", "house": ""})
    ['title: Chests', 'licence: CC-BY-4.0']
    """
    return [tr(sentence, text=typed[name]) for name, sentence in _WORDS.items() if typed.get(name)]
