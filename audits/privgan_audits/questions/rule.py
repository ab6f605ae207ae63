"""How a question is judged: from its numbers in the record alone, so that a release can judge again from the file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from privgan.arrays import Floats, Integers
from privgan.checks import within
from privgan.errors import UsageError
from privgan_audits.record import Findings

Reasons = Callable[[Findings], Iterator[str]]
"""Plain sentences against a PASS; none when there is nothing to say."""
Entry = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class SafeSets:
    """Many sets that leak nothing, as an audit of them would see patients.

    places: (sets, non-members), where the non-members of each stand among all patients, from 0, ascending, the
    patients closest first. members: of every set. copies: distinct patients whose copies are always found, None if
    none suffice. known: (facts, 2), of how many members and non-members each hidden fact is known. right: (sets,
    facts, 2), the share of these of whom it is guessed.
    """

    places: Integers
    members: int
    copies: int | None
    known: Integers
    right: Floats

    @property
    def non_members(self) -> int:
        """Of every set."""
        return int(self.places.shape[1])

    def __len__(self) -> int:
        return len(self.places)


def nothing(_: Findings) -> Iterator[str]:
    """Nothing can be said against a set at this stage."""
    return iter(())


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What of a question's numbers forbids a release.

    needed: numbers without which there is no PASS; a rule that compares with NaN never fires.
    may_be_absent: a record without the question can pass. may_not_apply: so can one where it does not arise.
    share: what of the family error the question's p-value gets; 0 for none.
    hard: broken whatever else is true. invalid: the audit's own numbers mean nothing. statistical: a leak was shown.
    inconclusive: too weak or incomplete to say. informative: nothing ever forbids, whatever became of it.
    safe: what the question finds in sets that leak nothing, an entry each, for those who plan an audit; None where it
    then does not arise.
    """

    needed: tuple[str, ...] = ()
    may_be_absent: bool = False
    may_not_apply: bool = False
    share: float = 0.0
    hard: Reasons = nothing
    invalid: Reasons = nothing
    statistical: Reasons = nothing
    inconclusive: Reasons = nothing
    informative: bool = False
    safe: Callable[[SafeSets], Sequence[Entry]] | None = None

    def __post_init__(self) -> None:
        within(0.0, 1.0, share=self.share)
        judges = any(rule is not nothing for rule in (self.hard, self.invalid, self.statistical, self.inconclusive))
        if self.informative == (judges or bool(self.needed)):
            raise UsageError("Expected a rule that can refuse a set, or one that says that it only informs.")


INFORMATIVE = Rule(informative=True)
