"""T12: whom a combination of values singles out, and whether of these too many are members."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from privgan.arrays import Integers
from privgan_audits.gate.preflight import near_copy_level
from privgan_audits.gate.verdict import judge
from privgan_audits.policy import Policy
from privgan_audits.questions.singling_out.measure import Met, Records, joined, singled_out
from privgan_audits.questions.singling_out.rule import own_level
from privgan_audits.questions.singling_out.statistic import SinglingOut, limit_of_detection
from privgan_audits.stats.pools import as_labels, relabellings
from privgan_audits.stats.relabelling import p_values
from tests.audits.entries import passing
from tests.audits.report.recorded import record

MEMBERS, NON_MEMBERS = 200, 100
PATIENTS = MEMBERS + NON_MEMBERS
HELD = np.arange(PATIENTS) >= MEMBERS
LEVELS = (2, 3, 11, 5, 7)
LEVEL = 0.0005


def drawn(rng: np.random.Generator, count: int) -> Integers:
    return np.stack([rng.integers(0, level, count) for level in LEVELS], axis=1)


def world(rng: np.random.Generator, *, copied: int = 0, made: int = 300) -> Records:
    """Every third patient has two records; the set is drawn as patients are, and holds so many members' records."""
    owner = np.repeat(np.arange(PATIENTS), 1 + (np.arange(PATIENTS) % 3 == 0))
    real, synthetic = drawn(rng, len(owner)), drawn(rng, made)
    taken = rng.permutation(np.flatnonzero(owner < MEMBERS))[:copied]
    return Records(
        names=("class", "a", "b", "c", "d"),
        real=real,
        synthetic=np.concatenate([synthetic, real[taken]]),
        owner=owner,
        non_member=HELD,
    )


def p_of(records: Records, rng: np.random.Generator) -> float:
    statistic = SinglingOut(hits=[each.met for each in singled_out(records).values()])
    pool = relabellings(PATIENTS, NON_MEMBERS, rng, 2000)
    return float(p_values(statistic, as_labels(records.non_member), pool)[0])


def slowly(records: Records) -> dict[int, Met]:
    """Twin: every combination of every patient, looked up by hand."""
    count = len(records.names)
    found = {}
    for size in (1, 2, 3, count):
        alone, met = np.zeros((2, PATIENTS), bool)
        for chosen in combinations(range(count), size):
            has = [
                {tuple(records.real[row, chosen]) for row in np.flatnonzero(records.owner == patient)}
                for patient in range(PATIENTS)
            ]
            holders = Counter(key for each in has for key in each)
            made = {tuple(row) for row in records.synthetic[:, chosen]}
            for patient, keys in enumerate(has):
                own = {key for key in keys if holders[key] == 1}
                alone[patient] |= bool(own)
                met[patient] |= bool(own & made)
        found[size] = Met(alone=alone, met=met)
    return found


def test_who_is_singled_out_is_whom_a_slow_look_finds() -> None:
    records = world(np.random.default_rng(0), copied=9)
    fast, slow = singled_out(records), slowly(records)
    assert fast.keys() == slow.keys()
    for size, each in fast.items():
        assert (each.alone == slow[size].alone).all()
        assert (each.met == slow[size].met).all()
    assert slow[3].met.any()
    assert not slow[3].met.all()


def test_a_combination_has_one_number_and_no_other_has_it() -> None:
    codes = np.random.default_rng(1).integers(0, 33, (3000, 13)) // np.array([1, 16] + [32] * 11)
    keys = joined(codes)
    assert len(np.unique(keys)) == len(np.unique(codes, axis=0))
    assert len(np.unique(np.column_stack([keys, codes]), axis=0)) == len(np.unique(codes, axis=0))


@pytest.mark.parametrize(("copied", "found"), [(0, False), (60, True)])
def test_members_records_in_the_set_are_found_and_a_fresh_draw_is_not(copied: int, found: bool) -> None:
    assert (p_of(world(np.random.default_rng(2), copied=copied), np.random.default_rng(3)) < LEVEL) == found


def test_its_p_values_keep_their_size_over_many_sets_without_a_leak() -> None:
    rng = np.random.default_rng(4)
    found = np.array([p_of(world(rng), rng) for _ in range(300)])
    for level in (0.05, 0.2):
        assert np.count_nonzero(found <= level) <= stats.binom(300, level).ppf(0.9999)
    assert found.min() < 0.2, "a test that never speaks keeps its size as well"


def test_two_lies_are_found_whoever_has_two_records_counts_once_and_only_who_is_alone() -> None:
    """A set made of members with two records, and one made of what many share: the second singles out nobody."""
    rng = np.random.default_rng(5)
    records = world(rng)
    twice = np.flatnonzero((records.owner < MEMBERS) & (records.owner % 3 == 0))
    lie = Records(**{**vars(records), "synthetic": records.real[twice]})
    assert p_of(lie, rng) < LEVEL
    shared = Records(**{**vars(records), "real": records.real // np.array([2, 3, 6, 5, 7])})
    shared = Records(**{**vars(shared), "synthetic": shared.real[twice]})
    assert p_of(shared, rng) == 1.0


def test_the_limit_of_detection_is_where_planted_records_are_seen() -> None:
    """Twin: copies put into the set itself, judged by the test itself."""
    rng = np.random.default_rng(6)
    records = world(rng)
    met = singled_out(records)
    statistic = SinglingOut(hits=[each.met for each in met.values()])
    alone = [each.alone for each in met.values()]
    limit = limit_of_detection(alone, statistic, HELD, level=LEVEL, rng=rng)
    assert limit is not None
    able = np.flatnonzero(alone[-1] & ~HELD)

    def seen(count: int) -> float:
        shares = []
        for _ in range(20):
            who = rng.permutation(able)[:count]
            rows = [_own_row(records, patient) for patient in who]
            planted = np.concatenate([records.synthetic, records.real[rows]])
            shares.append(p_of(Records(**{**vars(records), "synthetic": planted}), rng) < LEVEL)
        return float(np.mean(shares))

    assert seen(limit) >= 0.8
    assert seen(limit // 3) <= 0.5


def test_its_own_level_is_where_the_verdict_calls_a_p_value_a_fail() -> None:
    """What the limit of detection is reckoned at is what a record is judged by, above and below."""
    near_copies = near_copy_level(Policy(), 1, records=True)
    for name, level in {"T2": near_copies, "T12": own_level(near_copies)}.items():
        verdicts = []
        for p in (0.999 * level, 1.001 * level):
            content = record(tests=passing())
            next(test for test in content["tests"] if test["id"] == name)["p"] = p
            verdicts.append(judge(Policy(), content).verdict)
        assert verdicts == ["FAIL", "PASS"]


def test_where_hardly_anybody_is_alone_nothing_would_be_seen_and_it_says_so() -> None:
    statistic = SinglingOut(hits=[np.zeros(PATIENTS, bool)])
    alone = [np.arange(PATIENTS) < 3]
    rng = np.random.default_rng(7)
    assert limit_of_detection(alone, statistic, HELD, level=LEVEL, rng=rng) is None


def _own_row(records: Records, patient: int) -> int:
    """A record of this patient that nobody else has."""
    keys = joined(records.real)
    holders = {key: set(records.owner[keys == key]) for key in keys[records.owner == patient]}
    return int(next(row for row in np.flatnonzero(records.owner == patient) if len(holders[keys[row]]) == 1))
