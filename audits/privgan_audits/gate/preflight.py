"""Before any budget is spent: can an audit of this size ever pass?

A safe set is simulated through the one thing that the verdict depends on, the order of exchangeable patients,
and judged by `judge` itself. An audit too small to pass is better found here than after training.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from privgan.checks import strictly_within
from privgan.errors import UsageError
from privgan.language import kept
from privgan_audits import questions
from privgan_audits.gate.verdict import PASS, judge
from privgan_audits.policy import Policy
from privgan_audits.questions.attributes.rule import FEWEST
from privgan_audits.questions.controls.rule import search_limit
from privgan_audits.questions.near_copies.rule import SHARE, SPACES
from privgan_audits.questions.rule import Entry, SafeSets
from privgan_audits.questions.singling_out.rule import SHARE as RECORDS_SHARE
from privgan_audits.stats.relabelling import HITS_WEIGH
from privgan_audits.stats.statistics import near_copy_ranks, precedence_tails
from privgan_audits.stats.within_groups import SHARE as GROUPS_WEIGH

EXPECTED_SYNTHETIC_PER_MEMBER = 2  # before anything is generated; the chance of a pass does not depend on it
GUESSED_RIGHT, GUESSED_OF_COLUMNS = 0.75, 0.5  # of classes and of columns; nobody knows it before there is a set
SIMULATIONS, SEARCH_SIMULATIONS = 2000, 400
_SEED = 20_250_101  # public: the answer depends on nothing but the numbers asked for
_LARGEST_COHORT = 100_000


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """What to expect of the first audit of a cohort.

    chance: that a set which leaks nothing passes. limit_of_detection: distinct patients whose plain copies are
    always found, by calculation; disguised copies need more, the audit measures how many; None if none suffice. It
    vouches for no more than it plants (`search_limit`): where more are needed, the chance is 0.
    smallest_non_members: of the same number of patients, the fewest to hold back for a chance of
    `policy.min_chance_of_pass`; None when there are too few patients for any split.
    """

    members: int
    non_members: int
    synthetic: int
    chance: float
    limit_of_detection: int | None
    smallest_non_members: int | None
    sufficient: bool


def preflight(
    members: int, non_members: int, synthetic: int, policy: Policy, columns: Sequence[float] = ()
) -> Preflight:
    """Predict the audit of a safe set.

    Args:
        members: patients who would be trained on.
        non_members: patients held back; 0 means that no audit can pass.
        synthetic: images to be made; a safe set's chance does not depend on it.
        policy: the thresholds.
        columns: of each further column that the set will carry, the share of patients of whom it is known.

    Raises:
        UsageError: a number is negative, or there is no member.
    """
    if members < 1 or non_members < 0 or synthetic < 0:
        raise UsageError(f"Expected at least 1 member and no negative number, got {members}, {non_members}.")
    chance = chance_of_pass(members, non_members, policy, columns=columns)
    return Preflight(
        members=members,
        non_members=non_members,
        synthetic=synthetic,
        chance=chance,
        limit_of_detection=perfect_copies_needed(members, non_members, policy),
        smallest_non_members=smallest_hold_out(members + non_members, policy, columns),
        sufficient=chance >= policy.min_chance_of_pass,
    )


def low_power_text(expected: Preflight) -> str:
    """Why an audit of so few patients would not help, with numbers and what to do."""
    advice = (
        kept(
            "Hold back {count} of these patients (--non-members), or use more patients.",
            count=expected.smallest_non_members,
        )
        if expected.smallest_non_members is not None
        else kept("No split of so few patients is enough: use more patients.")
    )
    few = kept(
        "With {members} members and {non_members} non-members even a set that leaks nothing passes the audit with "
        "probability {chance} only.",
        members=expected.members,
        non_members=expected.non_members,
        chance=f"{expected.chance:.2f}",
    )
    return f"{few} {advice}"


def chance_of_pass(
    members: int, non_members: int, policy: Policy, simulations: int = SIMULATIONS, columns: Sequence[float] = ()
) -> float:
    """The share of safe sets that pass; a standard error of at most half a per cent at 0.95."""
    sets = _simulated(members, non_members, policy, simulations, columns)
    return 0.0 if sets is None else sum(_passes(sets, policy)) / len(sets)


def _reaches(
    chance: float,
    members: int,
    non_members: int,
    policy: Policy,
    simulations: int,
    columns: Sequence[float] = (),
) -> bool:
    """Whether `chance_of_pass` is at least that; judges no more sets than it takes to know."""
    sets = _simulated(members, non_members, policy, simulations, columns)
    if sets is None:
        return chance <= 0.0
    passed = 0
    for judged, passes in enumerate(_passes(sets, policy), start=1):
        passed += passes
        if passed / len(sets) >= chance or (passed + len(sets) - judged) / len(sets) < chance:
            break
    return passed / len(sets) >= chance


def _simulated(
    members: int, non_members: int, policy: Policy, count: int, columns: Sequence[float]
) -> SafeSets | None:
    """That many safe sets; None where not even one that shows nothing at all passes."""
    if min(members, non_members) < 2:
        return None
    copies = perfect_copies_needed(members, non_members, policy)
    if copies is not None and copies > search_limit(members):
        copies = None  # T2 would see so many, but the audit plants fewer and vouches for none that it missed
    if not all(_passes(_calm_set(members, non_members, copies), policy)):
        return None
    return _random_sets(members, non_members, copies, count, columns)


def _passes(sets: SafeSets, policy: Policy) -> Iterator[bool]:
    """Whether each set passes, judged as if it had been audited."""
    found = [(asked.id, asked.rule.safe(sets) if asked.rule.safe else None) for asked in questions.QUESTIONS]
    return (judge(policy, _record(sets, found, number)).verdict == PASS for number in range(len(sets)))


def _record(sets: SafeSets, found: Sequence[tuple[str, Sequence[Entry] | None]], number: int) -> dict[str, Any]:
    """The record of one set's first audit, in which questions of which nothing is known do not arise."""
    tests = [
        {"id": name, "outcome": "not-applicable"}
        if entries is None
        else {"id": name, "outcome": "measured", **entries[number]}
        for name, entries in found
    ]
    return {"attempt": 1, "counts": {"members": sets.members}, "tests": tests}


def _calm_set(members: int, non_members: int, copies: int | None) -> SafeSets:
    """One order that shows nothing at all."""
    places = np.linspace(0, members + non_members - 1, non_members).astype(np.int64)[None]
    known, right = np.array([[members, non_members]]), np.full((1, 1, 2), GUESSED_RIGHT)
    return SafeSets(places=places, members=members, copies=copies, known=known, right=right)


def _random_sets(
    members: int, non_members: int, copies: int | None, count: int, columns: Sequence[float]
) -> SafeSets:
    """Where there are columns, each and the class are guessed twice: from an image, and from the other columns."""
    rng = np.random.default_rng(_SEED)
    known = [(members, non_members)] * (1 + bool(columns))
    of_columns = [(round(share * members), round(share * non_members)) for share in columns]
    asked = [sides for sides in of_columns if min(sides) >= FEWEST] * 2
    guessed = [GUESSED_RIGHT] * len(known) + [GUESSED_OF_COLUMNS] * len(asked)
    known += asked
    right = np.stack(
        [
            np.stack([rng.binomial(side, chance, count) / side for side in sides], axis=1)
            for sides, chance in zip(known, guessed, strict=True)
        ],
        axis=1,
    )
    order = np.zeros(members + non_members, bool)
    order[:non_members] = True
    places = np.empty((count, non_members), np.int64)
    for row in places:
        rng.shuffle(order)
        row[:] = np.flatnonzero(order)
    return SafeSets(places=places, members=members, copies=copies, known=np.array(known), right=right)


def perfect_copies_needed(members: int, non_members: int, policy: Policy) -> int | None:
    """The smallest number of distinct members whose plain copies always make the first audit FAIL.

    Hashes meet them, unchanged or mirrored, and nobody else: that so many are all members is rare enough whatever the
    other spaces say (Bonferroni's bound). So no split that a coin may give needs more.
    """
    if not near_copy_ranks(non_members):
        return None
    all_weigh = SPACES * (1 + GROUPS_WEIGH) + HITS_WEIGH
    rare = near_copy_level(policy, attempt=1) * HITS_WEIGH / all_weigh
    all_are_members = precedence_tails(members, non_members, 1)  # so many before the first non-member, from none on
    copies = int(np.count_nonzero(all_are_members >= rare))
    return copies if copies <= members else None


def near_copy_level(policy: Policy, attempt: int, *, records: bool = False) -> float:
    """A near-copy p-value below it is a FAIL whatever the other tests say: Holm's first step.

    records: whether the set carries some, so that one question more has a share.
    """
    return policy.level(attempt) * SHARE / (1 + RECORDS_SHARE * records)


def smallest_hold_out(patients: int, policy: Policy, columns: Sequence[float] = ()) -> int | None:
    """The fewest non-members among `patients` that give a chance of `policy.min_chance_of_pass`."""
    target = policy.min_chance_of_pass

    def enough(non_members: int) -> bool:
        return _reaches(target, patients - non_members, non_members, policy, SEARCH_SIMULATIONS, columns)

    low, high = 0, patients // 2
    if not enough(high):
        return None
    while high - low > max(1, patients // 200):  # to half a per cent of the patients
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def smallest_cohort(chance: float, policy: Policy | None = None, non_member_fraction: float = 1 / 3) -> int:
    """The fewest patients, to the next 50, of whom a safe set passes with at least this chance.

    Raises:
        UsageError: no cohort below 100,000 patients is enough.
    """
    strictly_within(0.0, 1.0, chance=chance, non_member_fraction=non_member_fraction)
    used = policy or Policy()

    def enough(patients: int) -> bool:
        non_members = round(patients * non_member_fraction)
        return _reaches(chance, patients - non_members, non_members, used, SIMULATIONS)

    low, high = 0, 400
    while not enough(high):
        low, high = high, high * 2
        if high > _LARGEST_COHORT:
            raise UsageError(f"Expected a chance that a cohort can reach under this policy, got {chance}.")
    while high - low > 50:
        middle = (low + high) // 100 * 50
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
