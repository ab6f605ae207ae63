"""The query of records: every patient weighs the same, one patient moves it by at most 1, and its noise is whole."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from privgan.arrays import Floats, Integers
from privgan.gan.patients import DescribedQuery
from privgan.gan.training.members import Members
from privgan.gan.warm_start import records
from privgan.gan.warm_start.records import measure_records
from privgan.records.pairs import Pairs
from privgan.records.schema import Schema
from privgan.records.table import Table
from tests.gan.small import members_of

SCHEMA = Schema.of({"sex": "category(F|M):patient", "stage": "ordinal(I<II<III)"})
CLASSES = 2
PAIRS = Pairs((CLASSES, *SCHEMA.levels))
RECORD = st.tuples(st.integers(0, CLASSES - 1), st.integers(0, 2), st.integers(0, 3))
PEOPLE = st.lists(st.lists(RECORD, min_size=1, max_size=4), min_size=2, max_size=10)
People = list[list[tuple[int, int, int]]]


def crowd(people: People) -> Members:
    """Patients with images of these records, in rows that are not sorted by patient."""
    owners = np.repeat(np.arange(len(people)), [len(each) for each in people])
    order = np.random.default_rng(0).permutation(len(owners))
    rows = np.array([record for person in people for record in person], dtype=np.int64)[order]
    images = np.zeros((len(rows), 1, 1), dtype=np.uint8)
    return replace(members_of(images, rows[:, 0], owners[order]), codes=rows[:, 1:])


def asked_of(people: People, noise: float, seed: int = 0, factor: Floats | float = 1.0) -> Floats:
    """The answer in units of a record of norm 1, as it is before the fit. factor: a lie about the noise, by cell."""
    found: list[Floats] = []

    def kept(pairs: Pairs, counts: Floats, **_: object) -> Floats:
        found.append(counts * np.repeat(pairs.weights, np.diff(pairs.starts)))
        return np.zeros(pairs.cells)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("privgan.records.table.fitted", kept)
        rng = np.random.default_rng(seed)
        measure_records(crowd(people), SCHEMA, CLASSES, len(people), noise, rng)
    return truth(people) + factor * (found[0] - truth(people))


def truth(people: People) -> Floats:
    """The slow twin: each patient's own shares of each pair, added up."""
    total = np.zeros(PAIRS.cells)
    for person in people:
        for record in person:
            for number, (i, j) in enumerate(PAIRS.axes):
                cell = PAIRS.starts[number] + record[i] * PAIRS.levels[j] + record[j]
                total[cell] += PAIRS.weights[number] / len(person)
    return total


@settings(derandomize=True, deadline=None)
@given(PEOPLE)
def test_without_noise_every_patient_weighs_the_same(people: People) -> None:
    assert asked_of(people, 1e-9) == pytest.approx(truth(people), abs=1e-6)


@settings(derandomize=True, deadline=None)
@given(PEOPLE, st.data())
def test_one_patient_moves_the_answer_by_at_most_one(people: People, data: st.DataObject) -> None:
    """Sensitivity 1, reached by a patient whose images all say the same."""
    gone = data.draw(st.integers(0, len(people) - 1))
    moved = np.linalg.norm(asked_of(people, 1e-12) - asked_of(people[:gone] + people[gone + 1 :], 1e-12))
    assert moved <= 1 + 1e-6
    assert (moved == pytest.approx(1, abs=1e-6)) == (len(set(people[gone])) == 1)


COMMON: People = [[(0, 1, 1)], [(0, 2, 2), (0, 2, 1)], [(1, 1, 0)], [(1, 2, 2)]] * 5
RARE = [(1, 0, 3)]  # nobody else is of this sex and stage
_MANY_TIMES = 300


@pytest.mark.parametrize("lie", ["none", "no noise in one block", "noise of half the size", "weighs as many images"])
def test_who_compares_with_and_without_the_rare_patient_finds_what_was_promised(lie: str) -> None:
    """The answers with the patient are N(truth, s^2) around where they would be; lies of two kinds are not.

    Squares of all numbers together, and of the rare patient's direction alone: both must fit chi-squared.
    """
    noise, factor = 4.0, np.ones(PAIRS.cells)
    people: People = [*COMMON, RARE]
    if lie == "no noise in one block":
        factor[PAIRS.starts[1] : PAIRS.starts[2]] = 0.0
    elif lie == "noise of half the size":
        factor /= 2
    answers = np.array([asked_of(people, noise, seed, factor) for seed in range(_MANY_TIMES)])
    if lie == "weighs as many images":  # twenty images, each counted as a patient
        answers += 19 * truth([RARE])
    apart = (answers - truth(people)) / noise
    direction = truth([RARE])  # of norm 1
    alone = apart @ direction
    blocks = [apart[:, a:b] for a, b in zip(PAIRS.starts[:-1], PAIRS.starts[1:], strict=True)]
    fits = [_fits(block) for block in blocks] + [_fits(alone[:, None])]
    assert all(fits) is (lie == "none")


def _fits(values: Floats) -> bool:
    low, high = chi2.ppf([1e-4, 1 - 1e-4], values.size)
    return bool(low < float((values**2).sum()) < high)


def test_a_value_of_one_patient_does_not_appear_because_of_them() -> None:
    """Whether the released table knows the value hangs on the noise, not on the patient."""

    def share(people: People, seed: int) -> float:
        rng = np.random.default_rng(seed)
        table = measure_records(crowd(people), SCHEMA, CLASSES, len(people), 4.0, rng)
        return float(table.joint[:, :, 3].sum())

    without, beside = (np.array([share(those, seed) for seed in range(25)]) for those in (COMMON, [*COMMON, RARE]))
    assert abs(without.mean() - beside.mean()) < 0.05
    assert (beside > without.max()).mean() < 0.2


def test_undeclared_codes_of_a_patient_count_as_unknown() -> None:
    assert asked_of([[(0, -1, 9)]], 1e-9) == pytest.approx(truth([[(0, 0, 0)]]), abs=1e-6)


def test_the_query_says_that_it_wants_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is told the class and the codes, in that order."""
    asked: list[DescribedQuery] = []

    def answer(_: object, query: DescribedQuery, **__: object) -> torch.Tensor:
        asked.append(query)
        return torch.zeros(query.shape, dtype=torch.float64)

    monkeypatch.setattr(records, "ask", answer)
    table = measure_records(crowd(COMMON), SCHEMA, CLASSES, len(COMMON), 1.0, np.random.default_rng(0))
    assert isinstance(table, Table)
    assert asked[0].records
    assert asked[0].shape == (1, PAIRS.cells)
    vectors, cells = asked[0].describe(torch.zeros(2, 1, 1, 1), torch.tensor([[0, 1, 1], [1, 2, 3]]))
    places: Integers = PAIRS.places(np.array([[0, 1, 1], [1, 2, 3]]))
    assert [set(row.nonzero().flatten().tolist()) for row in vectors] == [set(each) for each in places.tolist()]
    assert cells.tolist() == [0, 0]
