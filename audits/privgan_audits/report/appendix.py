"""Every number of every question, by name; a finding that has no words is shown by its own key.

Internal page only: these are exact numbers computed from patients' images.
"""

from collections.abc import Iterator

from privgan_audits.record import Record
from privgan_audits.report.cards import words_of
from privgan_audits.report.page import Appendix
from privgan_audits.telling.keys import keyword
from privgan_audits.telling.numbers import percent, plain
from privgan_audits.telling.words import Fact, Label

_FRAME = frozenset({"id", "title", "outcome", "reason", "series"})


def appendix(record: Record) -> Iterator[Appendix]:
    """The numbers of all questions that have some."""
    for test in record["tests"]:
        facts = tuple(measured_facts(test))
        if facts:
            yield Appendix(id=str(test["id"]), title=words_of(test).title, facts=facts)


def measured_facts(test: Record) -> Iterator[Fact]:
    """The findings of one entry, in the order of the record."""
    if test["outcome"] != "measured":
        return  # its reason says what there is to say
    words = words_of(test)
    for key, value in test.items():
        if key in words.special:
            yield from words.special[key](test)
        elif key not in _FRAME and key not in words.told_elsewhere:
            label = words.labels.get(key, Label(name=keyword(key)))
            shown = percent(value) if label.share and isinstance(value, float) else plain(value)
            yield Fact(name=label.name, value=shown, note=label.note)
