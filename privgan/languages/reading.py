"""Knows sentences again that were filled in with values, and tells them by a catalogue: what `language.retold` does.

A text may be read in several ways: as one sentence or as several in a row, with values that are sentences or lists of
them. That reading is told which leaves the fewest characters to values that the catalogue does not have; they are
numbers and names.
"""

import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from operator import attrgetter
from typing import NamedTuple

_LONGEST = 2000  # characters of a text; what is longer would take long and is no sentence of ours
_MOST_PARTS = 4  # of a list that are one sentence
_MOST_PIECES = 8  # sentences in a row that are one of the catalogue
_FEWEST_LETTERS = 6  # beside its values, of a sentence that can be known again
_LETTERS = 3  # at either end of a text by which sentences are looked up
_REMEMBERED = 1024  # readings; without them a text of many sentences in each other would be read without end
_BREAK = re.compile(r"(?<=[.?]) (?=[A-Z])")
_COUNTED = re.compile(r"(.+?)( [\d,]*\d)", re.DOTALL)


@dataclass(frozen=True, kw_only=True, eq=False)
class Reader:
    """Of one language.

    catalogue: translations by sentence. own: names of values that are told on. marks: between parts of a list. named:
    a `reason` behind a `name`. space: between sentences.
    """

    catalogue: Mapping[str, str] = field(repr=False)
    own: frozenset[str]
    marks: tuple[str, ...]
    named: str
    space: str

    def told(self, text: str) -> str:
        """The text in this language; unchanged where the catalogue has no such sentence."""
        if len(text) > _LONGEST:
            return self.catalogue.get(text, text)
        try:
            return self._read(text).told
        except RecursionError:  # hundreds of sentences in each other: nobody of us wrote it
            return text

    def _read(self, text: str) -> "_Reading":
        return min(self._sentence(text), self._in_a_row(text), key=_left)

    def _sentence(self, text: str) -> "_Reading":
        """Of the readings with equally little left the one with the most words of its own."""
        if (exact := self.catalogue.get(text)) is not None:
            return _Reading(0, exact)
        best = _unread(text)
        for form in self._forms.like(text):
            for values in form.values(text):
                read = {name: self._value(name, said) for name, said in values.items()}
                left = sum(each.left for each in read.values())
                if left < best.left:
                    best = _Reading(left, form.spoken.format(**{name: each.told for name, each in read.items()}))
        return best

    @cached_property
    def _forms(self) -> "_Forms":
        return _Forms.of(_forms(self.catalogue))

    @cached_property
    def _own_words(self) -> "Callable[[str], _Reading]":
        return lru_cache(_REMEMBERED)(self._uncached)

    def _value(self, name: str, said: str) -> "_Reading":
        return self._own_words(said) if name.rstrip(string.digits) in self.own else _unread(said)

    def _in_a_row(self, text: str) -> "_Reading":
        """Several sentences, read from the last to the first; the text where not all of them are known."""
        parts = _BREAK.split(text)
        following: dict[int, _Reading] = {len(parts): _Reading(0, "")}
        for first in reversed(range(len(parts))):
            found = []
            for last in range(first + 1, min(first + _MOST_PIECES, len(parts)) + 1):
                piece = " ".join(parts[first:last])
                if last - first < len(parts) and last in following and (read := self._sentence(piece)).told != piece:
                    after = following[last]
                    told = self.space.join(filter(None, (read.told, after.told)))
                    found.append(_Reading(read.left + after.left, told))
            if found:
                following[first] = min(found, key=_left)
        return following.get(0, _unread(text))

    def _uncached(self, text: str) -> "_Reading":
        """A sentence, perhaps behind a name, or a list of words, each perhaps with a count behind it."""
        best = min((self._read(text), *(self._listed(text, mark) for mark in self.marks)), key=_left)
        if best.told != text:
            return best
        name, colon, reason = text.partition(": ")
        if colon:
            read = self._read(reason)
            told = self.catalogue.get(self.named, self.named).format(name=name, reason=read.told)
            return _Reading(len(name) + len(colon) + read.left, told)
        if counted := _COUNTED.fullmatch(text):
            read = self._read(counted[1])
            return _Reading(read.left, read.told + counted[2])
        return best

    def _listed(self, text: str, mark: str) -> "_Reading":
        """The parts of a list; the text where none is known."""
        parts, place, read = text.split(mark), 0, list[_Reading]()
        while place < len(parts) > 1:
            joined = (mark.join(parts[place : place + count]) for count in range(1, _MOST_PARTS + 1))
            known = next((each for each in joined if self._sentence(each).told != each), "")
            read.append(self._sentence(known) if known else self._own_words(parts[place]))
            place += known.count(mark) + 1
        told = [each.told for each in read]
        if told in ([], parts):
            return _unread(text)
        left = sum(each.left for each in read) + len(mark) * (len(read) - 1)
        return _Reading(left, self.catalogue.get(mark, mark).join(told))


class _Reading(NamedTuple):
    """What is told of a text. left: characters of it that no sentence of the catalogue has."""

    left: int
    told: str


_left = attrgetter("left")


def _unread(text: str) -> _Reading:
    return _Reading(len(text), text)


class _Form(NamedTuple):
    """A sentence with values: its words between them, and how it is spoken. turn: in which it is tried."""

    turn: int
    sentence: str
    spoken: str
    words: tuple[str, ...]

    def values(self, text: str) -> Iterator[dict[str, str]]:
        """By name, if a text has this form; two that meet in words of theirs can be parted in two ways."""
        if self._may_be(text):
            found = (_pattern(self.sentence, short=short).fullmatch(text) for short in (True, False))
            read = [each.groupdict() for each in found if each]
            yield from read[:1] if read[:1] == read[1:] else read

    def _may_be(self, text: str) -> bool:
        """Quickly, before a pattern is made: most sentences have other words."""
        first, *_, last = self.words
        return text.startswith(first) and text.endswith(last) and all(words in text for words in self.words)


class _Forms(NamedTuple):
    """Those that begin with words, by their first letters; of the rest those that end so, by the last; and others."""

    starting: dict[str, list[_Form]]
    ending: dict[str, list[_Form]]
    others: list[_Form]

    @classmethod
    def of(cls, forms: Iterable[_Form]) -> "_Forms":
        """All of them."""
        found = cls({}, {}, [])
        for form in forms:
            first, *_, last = form.words
            if len(first) >= _LETTERS:
                found.starting.setdefault(first[:_LETTERS], []).append(form)
            elif len(last) >= _LETTERS:
                found.ending.setdefault(last[-_LETTERS:], []).append(form)
            else:
                found.others.append(form)
        return found

    def like(self, text: str) -> list[_Form]:
        """Those that a text may have, in their turn: few of all, where most are refusals."""
        starting, ending = self.starting.get(text[:_LETTERS], ()), self.ending.get(text[-_LETTERS:], ())
        return sorted((*starting, *ending, *self.others))


def _forms(catalogue: Mapping[str, str]) -> Iterator[_Form]:
    """The sentences with values, those with the most words first."""
    found = []
    for sentence, spoken in catalogue.items():
        parts = [*string.Formatter().parse(sentence)]
        words = [each for each, *_ in parts]
        letters = sum(map(len, words))
        if any(value for _, value, *_ in parts) and letters >= _FEWEST_LETTERS:
            last = [] if parts[-1][1] is None else [""]
            plain = re.sub(r"\{(\w+):[^}]*\}", r"{\1}", spoken)
            found.append((letters, sentence, plain, (*words, *last)))
    for turn, (_, sentence, plain, said) in enumerate(sorted(found, key=lambda each: -each[0])):
        yield _Form(turn, sentence, plain, said)


@cache
def _pattern(sentence: str, *, short: bool) -> re.Pattern[str]:
    """A sentence as a pattern; short: values are as short as they can be, those in front before those behind."""
    seen: set[str] = set()
    pattern, some = "", ".+?" if short else ".+"
    for words, value, *_ in string.Formatter().parse(sentence):
        pattern += re.escape(words)
        if value:
            pattern += f"(?P={value})" if value in seen else f"(?P<{value}>{some})"
            seen.add(value)
    return re.compile(pattern, re.DOTALL)
