"""Whether patients' numbers are people: what a whole source says against it, before anybody is put on a side.

The guarantee is for persons, and a number is all that is known of one. Where a study has two numbers, or one number
two birth dates, somebody is counted twice or two people once. Everything here counts; no number is ever named.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from privgan.data.patient_keys import ISSUER_MARK, bare, is_damaged, is_placeholder, near
from privgan.language import kept, to_tr

STUDIES, ISSUERS, SPELLINGS = "studies", "issuers", "spellings"
PLACEHOLDERS, FACTS, DAMAGED = "placeholders", "facts", "damaged"
JOINABLE = (STUDIES, ISSUERS, SPELLINGS)
ACCEPTABLE = (*JOINABLE, PLACEHOLDERS, FACTS)
FOUND = to_tr(
    {
        STUDIES: (
            "{count} studies or series have more than one patient number; a study is of one patient (DICOM PS3.3 "
            "A.1.2)."
        ),
        ISSUERS: "{count} patient numbers are there with their issuer and without.",
        SPELLINGS: "{count} patient numbers differ from others in case, blanks or leading zeros only.",
        PLACEHOLDERS: "{count} patient numbers stand for nobody, such as unknown, anonymous, test, 0 or 999.",
        FACTS: "{count} patient numbers have several birth dates or sexes.",
        DAMAGED: (
            "{count} patient numbers are in scientific notation, as a spreadsheet writes long ones; many people "
            "share them."
        ),
    }
)
_OUT = to_tr(
    {
        STUDIES: (
            "{count} studies or series have more than one patient number; a study is of one patient (DICOM PS3.3 "
            "A.1.2) (--join studies makes them one person)"
        ),
        ISSUERS: (
            "{count} patient numbers are there with their issuer and without (--join issuers makes them one person)"
        ),
        SPELLINGS: (
            "{count} patient numbers differ from others in case, blanks or leading zeros only (--join spellings "
            "makes them one person)"
        ),
        PLACEHOLDERS: (
            "{count} patient numbers stand for nobody, such as unknown, anonymous, test, 0 or 999 (a label table "
            "says who they are, or leave those files out)"
        ),
        FACTS: ("{count} patient numbers have several birth dates or sexes (a label table says who they are)"),
        DAMAGED: (
            "{count} patient numbers are in scientific notation, as a spreadsheet writes long ones; many people "
            "share them (export the table again, with that column as text)"
        ),
    }
)
Root = Callable[[int], int]


@dataclass(kw_only=True)
class Identities:
    """What entries say about who is who; sensitive, so its repr shows a count only.

    Numbers are places 0..n-1 of patient keys in order of first appearance. Memory is one entry a study and a series.
    """

    _groups: dict[bytes, int] = field(default_factory=dict)
    _shared: set[tuple[bytes, int, int]] = field(default_factory=set)
    _facts: dict[tuple[int, int], bytes] = field(default_factory=dict)
    _torn: set[int] = field(default_factory=set)

    def __repr__(self) -> str:
        return f"Identities({len(self._groups)} studies and series)"

    def add(self, number: int, groups: Iterable[bytes], facts: Iterable[bytes]) -> None:
        """One more image.

        Args:
            number: of its patient.
            groups: digests of its study and its series, in this order; none is empty.
            facts: digests of its patient's birth date and sex; empty where it says none.
        """
        for group in groups:
            first = self._groups.setdefault(group, number)
            if first != number:
                self._shared.add((group, first, number))
                break  # a series that is torn lies in a study that is
        for kind, fact in enumerate(facts):
            if fact and self._facts.setdefault((number, kind), fact) != fact:
                self._torn.add(number)

    def pairs(self, kind: str, keys: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Numbers that a kind of finding says are one person, for `--join`."""
        if kind == STUDIES:
            yield from ((first, other) for _, first, other in self._shared)
        else:
            for alike in _alike(kind, keys).values():
                yield from ((alike[0], other) for other in alike[1:])

    def findings(self, keys: Sequence[str], root: Root) -> dict[str, int]:
        """How often each kind was found, without those that nothing was found of.

        Args:
            keys: patient keys by number.
            root: which numbers are known to be one person: the same for each of them.
        """
        there = frozenset(map(bare, keys))

        def torn(numbers: Iterable[int]) -> bool:
            return len({root(number) for number in numbers}) > 1

        counts = {
            STUDIES: len({group for group, first, other in self._shared if torn((first, other))}),
            **{kind: sum(map(torn, _alike(kind, keys).values())) for kind in (ISSUERS, SPELLINGS)},
            PLACEHOLDERS: sum(is_placeholder(key, there) for key in keys),
            FACTS: len(self._torn),
            DAMAGED: sum(map(is_damaged, keys)),
        }
        return {kind: count for kind, count in counts.items() if count}


def objections(findings: Mapping[str, int], accepted: Iterable[str] = ()) -> str:
    """Why a source cannot be divided among people, with the ways out; empty where nothing is left to object."""
    left = [kind for kind in findings if kind not in set(accepted)]
    if not left:
        return ""
    found = "; ".join(kept(_OUT[kind], count=findings[kind]) for kind in left)
    accept = ",".join(kind for kind in left if kind in ACCEPTABLE)
    if not accept:
        return kept("Expected one number for one person, got: {kinds}.", kinds=found)
    return kept(
        "Expected one number for one person, got: {kinds}. --merge FILE says who is one person; --accept-identity "
        "{accept} takes it as it is, in red.",
        kinds=found,
        accept=accept,
    )


def _alike(kind: str, keys: Sequence[str]) -> dict[str, list[int]]:
    """Numbers that fall together: with and without an issuer, or in all but how they are spelled."""
    places: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        places.setdefault(bare(key) if kind == ISSUERS else near(key), []).append(number)
    if kind == SPELLINGS:
        return {form: numbers for form, numbers in places.items() if len(numbers) > 1}
    return {
        form: numbers
        for form, numbers in places.items()
        if 0 < sum(ISSUER_MARK in keys[number] for number in numbers) < len(numbers)
    }
