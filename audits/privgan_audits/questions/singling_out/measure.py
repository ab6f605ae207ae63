"""T12: does the set carry records that single out a patient, without any image?

An attacker takes combinations of values that occur in the set, and claims of each that exactly one person has it
(Giomi et al. 2023, "A unified framework for quantifying privacy risk in synthetic data"). Of many people some are met
by chance, members and others alike; what is found of members beyond that is the leak. Who alone has a combination is
decided among all patients together, so that membership plays no part in who is met, and the test is exact.
"""

from dataclasses import dataclass
from functools import reduce
from itertools import combinations

import numpy as np

from privgan.arrays import Flags, Integers
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import NO_NON_MEMBERS, Evidence, Measured, NotApplicable, NotRun, Outcome
from privgan_audits.questions.singling_out.rule import own_level
from privgan_audits.questions.singling_out.statistic import SinglingOut, limit_of_detection
from privgan_audits.stats import statistics as st
from privgan_audits.stats.pools import as_labels, relabellings
from privgan_audits.stats.relabelling import p_values
from privgan_audits.telling.facts import CLASS

SIZES = (1, 2, 3)  # columns of a combination, beside all of them together
NO_RECORDS = to_tr("the set carries no columns beside the class")
TASK = to_tr("singling out by records")


@dataclass(frozen=True, kw_only=True, eq=False)
class Records:
    """What is told of every image, as numbers from 0: the class, then every column that the set carries.

    real: int64 (n, c), members first; synthetic: int64 (m, c). owner: int64 (n,), patients 0..P-1. non_member: bool
    (P,). Nothing known is a value of its own.
    """

    names: tuple[str, ...]
    real: Integers
    synthetic: Integers
    owner: Integers
    non_member: Flags


@dataclass(frozen=True, kw_only=True, eq=False)
class Met:
    """Patients (P,): whom so many columns single out, alone, and whose combination of these the set has."""

    alone: Flags
    met: Flags


def measure(evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
    """Look for every patient whom a combination of values singles out."""
    if evidence.non_members is None:
        return NotRun(reason=NO_NON_MEMBERS)
    records = records_of(evidence)
    if records is None:
        return NotApplicable(reason=NO_RECORDS)
    met = singled_out(records, progress)
    whole = met[len(records.names)]
    statistic = SinglingOut(hits=[each.met for each in met.values()])
    labels = as_labels(records.non_member)
    pool = relabellings(len(records.non_member), int(records.non_member.sum()), rng)
    sides = (~records.non_member, records.non_member)
    (a, c), (members, others) = (
        [float(whole.met[side].mean()) for side in sides],
        [int(side.sum()) for side in sides],
    )
    return Measured(
        findings={
            "p": float(p_values(statistic, labels, pool)[0]),
            "columns": list(records.names),
            "members_alone": int(whole.alone[sides[0]].sum()),
            "non_members_alone": int(whole.alone[sides[1]].sum()),
            "members_met": a,
            "non_members_met": c,
            "advantage_interval": list(st.difference_interval(a, members, c, others, st.Z_TWO_SIDED)),
            "residual_risk": st.residual_risk(a, c),
            "limit_of_detection": limit_of_detection(
                [each.alone for each in met.values()],
                statistic,
                records.non_member,
                level=own_level(evidence.level),
                rng=rng,
            ),
        }
    )


def records_of(evidence: Evidence) -> Records | None:
    """The records of all sides; None where the set has none beside its classes."""
    others = evidence.non_members
    made = evidence.synthetic
    names = made.carried
    if others is None or not names:
        return None
    sides = (evidence.members, others, made)
    classes = np.concatenate([side.labels.astype(np.str_) for side in sides])
    columns = [np.concatenate([side.column(name) for side in sides]) for name in names]
    codes = np.stack([np.unique(column, return_inverse=True)[1] for column in (classes, *columns)], axis=1)
    numbers = np.concatenate([evidence.members.patients, others.patients])
    patients, owner = np.unique(numbers, return_inverse=True)
    return Records(
        names=(CLASS, *names),
        real=codes[: len(numbers)],
        synthetic=codes[len(numbers) :],
        owner=owner,
        non_member=np.isin(patients, others.patients),
    )


def singled_out(records: Records, progress: Progress = silent) -> dict[int, Met]:
    """By how many columns are put together: 1, 2, 3 and all of them."""
    count, patients = len(records.names), len(records.non_member)
    sizes = sorted({*(size for size in SIZES if size <= count), count})
    found = {size: Met(alone=np.zeros(patients, bool), met=np.zeros(patients, bool)) for size in sizes}
    rows, people = np.concatenate([records.real, records.synthetic]), len(records.owner)
    asked = [chosen for size in sizes for chosen in combinations(range(count), size)]
    for number, chosen in enumerate(asked):
        keys = joined(rows[:, chosen])
        real, made = keys[:people], keys[people:]
        key, owner = np.unique(np.stack([real, records.owner]), axis=1)
        holders = np.bincount(key)
        one = holders[key] == 1
        each = found[len(chosen)]
        each.alone[owner[one]] = True
        each.met[owner[one & np.isin(key, made)]] = True
        progress(tr(TASK), number + 1, len(asked))
    return found


def joined(codes: Integers) -> Integers:
    """One number (n,) for each combination of codes (n, k); equal where all codes are."""
    return reduce(lambda key, code: np.unique(key * (code.max() + 1) + code, return_inverse=True)[1], codes.T)
