"""Who is one person and who leaves: decided once everything is read, before anybody is put on a side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Self

import numpy as np

from privgan.arrays import Flags, Integers
from privgan.data.cohort.collect import Collected
from privgan.data.cohort.persons import Persons
from privgan.data.identity import FOUND
from privgan.data.patient_keys import bare, near
from privgan.language import kept, to_tr

_ALONG = to_tr("{count} patients were left out because they are the same person as a withdrawn one.")
_UNMATCHED = to_tr("{count} keys of withdrawn patients match nobody who was read.")
_NEAR_UNMATCHED = to_tr(
    "{count} keys of withdrawn patients match nobody who was read; {near} would but for case, blanks or leading "
    "zeros: whom they mean was not taken out."
)
_STRANGERS = to_tr("{count} numbers of the merge file match nobody who was read.")
_NEAR_STRANGERS = to_tr(
    "{count} numbers of the merge file match nobody who was read; {near} would but for case, blanks or leading zeros."
)


@dataclass(frozen=True, kw_only=True)
class People:
    """Who stays in the cohort, after withdrawals and merges.

    kept: (rows,) which rows stay. persons: int64 (kept rows,), 0..p-1 in order of first appearance. keys: one key a
    person (sensitive). spellings: all numbers of each person, with and without their issuer and as a spreadsheet
    would write them, also those that only the merge map has (sensitive). merged: numbers that turned out to be
    somebody else's. withdrawn: numbers taken out; along: how many of them only because they are the person of one
    that was named. unmatched: named keys of nobody who was read; near_misses: how many of them are somebody's but for
    case, blanks or leading zeros. findings: what speaks against that numbers are people, by kind (see `identity`).
    strangers: numbers of the merge map of which no image was read; near_strangers: how many of them are somebody's
    who was read, but for case, blanks or leading zeros.
    """

    kept: Flags
    persons: Integers
    keys: tuple[str, ...] = field(repr=False)
    spellings: tuple[frozenset[str], ...] = field(repr=False)
    merged: int
    withdrawn: int
    along: int
    unmatched: int
    near_misses: int
    findings: Mapping[str, int]
    strangers: int
    near_strangers: int

    def notes(self, *, numbered: bool) -> tuple[str, ...]:
        """Who left and what is doubtful, with counts only; numbered: the source says whose each image is."""
        unmatched = _NEAR_UNMATCHED if self.near_misses else _UNMATCHED
        strangers = _NEAR_STRANGERS if self.near_strangers else _STRANGERS
        texts = (
            (self.along, kept(_ALONG, count=self.along)),
            (self.unmatched, kept(unmatched, count=self.unmatched, near=self.near_misses)),
            *((count, kept(FOUND[kind], count=count)) for kind, count in self.findings.items() if numbered),
            (self.strangers, kept(strangers, count=self.strangers, near=self.near_strangers)),
        )
        return tuple(text for count, text in texts if count)

    def without(self, gone: Flags) -> Self:
        """Those who are left, in the same order, when these persons (p,) are not in the cohort."""
        stays = ~gone[self.persons]
        rows = self.kept.copy()
        rows[rows] = stays
        numbers = np.cumsum(~gone) - 1
        return replace(
            self,
            kept=rows,
            persons=numbers[self.persons[stays]],
            keys=tuple(compress(self.keys, ~gone)),
            spellings=tuple(compress(self.spellings, ~gone)),
        )


def decide_people(
    found: Collected, named: frozenset[str], lines: Sequence[frozenset[str]] = (), rules: Sequence[str] = ()
) -> People:
    """Merge patients who share an image or a line of the merge map, and take out withdrawn ones.

    Whoever shares an image or a line with a withdrawn patient is that person under a second number, and goes too.

    Args:
        found: what was read; its persons are merged further.
        named: keys of withdrawn patients.
        lines: numbers of one person each; one without an issuer means it from any issuer.
        rules: kinds of `identity.JOINABLE` whose numbers are one person.
    """
    numbers = merge(found.keys, found.persons, lines)
    for rule in rules:
        for one, other in found.identities.pairs(rule, found.keys):
            found.persons.join(one, other)
    read = len(found.keys)  # numbers from here on are only in the map
    roots = np.array([found.persons.find(place) for place in range(len(numbers))])
    matched = np.array([bool({number, bare(number)} & named) for number in numbers])
    gone = np.isin(roots, roots[matched])[:read]
    keys: dict[int, str] = {}
    for place in np.flatnonzero(~gone).tolist():  # the smallest key of a person that was read decides the side
        root = int(roots[place])
        keys[root] = min(keys.get(root, numbers[place]), numbers[place])
    spellings: dict[int, set[str]] = {root: set() for root in keys}
    for number, root in zip(numbers, roots.tolist(), strict=True):
        if root in spellings:
            spellings[root] |= _spellings(number)
    patients = np.array(found.patients)
    stays = ~gone[patients] & ~found.left_aside
    owners = roots[patients[stays]]
    order, first = np.unique(owners, return_index=True)
    appearance = order[np.argsort(first)]
    position = np.empty(read, dtype=np.int64)
    position[appearance] = np.arange(len(appearance))
    withdrawn = np.flatnonzero(matched & (roots < read))  # the smallest number of a person who was read was read
    unmatched = named - _told(numbers[place] for place in withdrawn)
    strangers = frozenset[str]().union(*lines) - _told(found.keys)
    return People(
        kept=stays,
        persons=position[owners],
        keys=tuple(keys[root] for root in appearance.tolist()),
        spellings=tuple(frozenset(spellings[root]) for root in appearance.tolist()),
        merged=int((~gone).sum()) - len(keys),
        withdrawn=int(gone.sum()),
        along=int(gone.sum()) - int(matched[:read].sum()),
        unmatched=len(unmatched),
        near_misses=_near_misses(unmatched, numbers),
        findings=found.identities.findings(found.keys, found.persons.find),
        strangers=len(strangers),
        near_strangers=_near_misses(strangers, found.keys),
    )


def merge(read: Sequence[str], persons: Persons, lines: Sequence[frozenset[str]]) -> tuple[str, ...]:
    """Join the numbers of every line, and give all numbers: those that were read, then those that only lines have."""
    places = {number: place for place, number in enumerate(read)}
    for line in lines:
        for number in sorted(line):
            if number not in places:
                places[number] = persons.add()
            persons.join(places[min(line)], places[number])
    alike: dict[str, list[int]] = {}
    for number, place in places.items():
        alike.setdefault(bare(number), []).append(place)
    for number in frozenset[str]().union(*lines) & alike.keys():  # those without an issuer
        for place in alike[number]:
            persons.join(places[number], place)
    return tuple(places)


def _told(numbers: Iterable[str]) -> set[str]:
    return {spelling for number in numbers for spelling in (number, bare(number))}


def _near_misses(keys: Iterable[str], numbers: Iterable[str]) -> int:
    """How many keys are one of the numbers but for case, blanks or leading zeros."""
    forms = {form for number in numbers for form in (near(number), near(bare(number)))}
    return sum(near(key) in forms for key in keys)


def _spellings(number: str) -> set[str]:
    return {*_told([number]), *map(near, _told([number]))}
