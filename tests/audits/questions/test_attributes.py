"""T8: what is guessed of members beyond what is guessed of others, and how sure that is."""

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.attributes.by_record import guesses
from privgan_audits.questions.attributes.measure import (
    Attribute,
    _advantage,
    _why_not,
    attributes,
    guesses_by_record,
    majority,
    right_guesses,
)
from privgan_audits.questions.attributes.statistic import permutation_ps
from privgan_audits.stats.pools import as_labels, relabellings
from privgan_audits.stats.relabelling import excesses
from privgan_audits.stats.statistics import difference_interval
from tests.audits.people import scores_of, sphere
from tests.audits.stats.written import choices

ONE_SIDED, TWO_SIDED = 1.6448536269514722, 1.959963984540054
MEMBERS, NON_MEMBERS = 300, 150
PATIENTS = MEMBERS + NON_MEMBERS
HELD = np.arange(PATIENTS) >= MEMBERS


def test_the_interval_is_newcombe_s() -> None:
    """His table II, method 10, 56/70 against 48/80 and 10/10 against 0/10."""
    np.testing.assert_allclose(difference_interval(56 / 70, 70, 48 / 80, 80, TWO_SIDED), (0.0524, 0.3339), atol=5e-5)
    np.testing.assert_allclose(difference_interval(1.0, 10, 0.0, 10, TWO_SIDED), (0.6075, 1.0), atol=5e-5)


@pytest.mark.parametrize(("a", "c"), [(0.5, 0.5), (0.9, 0.88), (0.05, 0.02), (0.7, 0.61)])
def test_the_upper_bound_is_wrong_in_one_of_twenty(a: float, c: float) -> None:
    """Patients with one image, and with three that agree or not: the bound must hold for shares, too."""
    rng = np.random.default_rng(0)
    wrong = np.zeros(2)
    for _ in range(1500):
        for kind, images in enumerate((1, 3)):
            ours, theirs = (rng.binomial(images, rate, count) / images for rate, count in ((a, 200), (c, 100)))
            upper = difference_interval(float(ours.mean()), 200, float(theirs.mean()), 100, ONE_SIDED)[1]
            wrong[kind] += upper < a - c
    assert (wrong <= stats.binom(1500, 0.06).ppf(0.999)).all()
    assert wrong[0] >= stats.binom(1500, 0.025).ppf(0.001)


def test_the_commonest_of_the_closest_and_of_equals_the_closest() -> None:
    values = np.array([list("abbba"), list("abcde"), list("babac"), list("cabba")])
    assert majority(values).tolist() == ["b", "a", "b", "a"]
    drawn = np.random.default_rng(1).choice(list("abc"), (500, 5))
    for row, chosen in zip(drawn, majority(drawn), strict=True):
        counts = Counter(row.tolist())
        assert chosen == next(value for value in row if counts[value] == max(counts.values()))


def world(rng: np.random.Generator, sex: NDArray[np.str_], *, memorised: float) -> tuple[NDArray[np.float64], float]:
    """Right guesses of a value that images do not show, unless this share of members was copied with it; p."""
    owner = np.repeat(np.arange(PATIENTS), 1 + np.arange(PATIENTS) % 2)
    real = sphere(rng.normal(size=(len(owner), 8)))
    made = sphere(rng.normal(size=(PATIENTS, 8)))
    value = rng.choice(["f", "m"], PATIENTS)
    copied = rng.permutation(MEMBERS)[: round(memorised * MEMBERS)]
    first = np.unique(owner, return_index=True)[1]
    made = np.concatenate([made] + [sphere(real[first[copied]] + 0.01 * rng.normal(size=(len(copied), 8)))] * 3)
    value = np.concatenate([value] + [sex[copied]] * 3)
    scores = scores_of(real, owner, HELD)
    right = right_guesses({"sex": Attribute(real=sex[owner], synthetic=value)}, scores, made)["sex"]
    pool = relabellings(PATIENTS, NON_MEMBERS, np.random.default_rng(2), 999)
    return right, permutation_ps(right[None], as_labels(HELD), pool)[1]


def test_a_memorised_value_is_found_and_an_unshown_one_is_not() -> None:
    rng = np.random.default_rng(3)
    sex = rng.choice(["f", "m"], PATIENTS)
    right, p = world(rng, sex, memorised=0.6)
    found = _advantage(right, HELD)
    assert p < 0.01
    assert found["advantage_upper"] > 0.09
    assert found["advantage_interval"][0] > 0.05
    assert found["residual_risk"] == pytest.approx(
        (found["members"] - found["non_members"]) / (1 - found["non_members"])
    )
    right, p = world(rng, sex, memorised=0.0)
    assert p > 0.01
    assert abs(_advantage(right, HELD)["advantage"]) < 0.12


def test_guesses_are_those_of_all_distances() -> None:
    """Twin: every distance by hand, unknown values on both sides, a constant image left out."""
    rng = np.random.default_rng(4)
    owner = rng.integers(0, 30, 90)
    owner[:30] = np.arange(30)
    real, made = sphere(rng.normal(size=(90, 4))), sphere(rng.normal(size=(40, 4)))
    truth, carried = rng.choice(["a", "b", "c", ""], 90), rng.choice(["a", "b", "c", ""], 40)
    scores = scores_of(real, owner, np.arange(30) >= 20)
    scores.flat[7] = True
    right = right_guesses({"x": Attribute(real=truth, synthetic=carried)}, scores, made)["x"]
    for patient in range(30):
        shares = []
        for row in np.flatnonzero((owner == patient) & (truth != "") & ~scores.flat):
            known = np.flatnonzero(carried != "")
            near = carried[known[np.argsort(np.linalg.norm(made[known] - real[row], axis=1))[:5]]]
            counts = Counter(near.tolist())
            shares.append(next(v for v in near if counts[v] == max(counts.values())) == truth[row])
        assert right[patient] == pytest.approx(np.mean(shares)) if shares else np.isnan(right[patient])


def test_guesses_from_records_are_those_of_a_slow_look() -> None:
    """Twin: the records that agree with most of what is known, all ties, and the value that most of them carry."""
    rng = np.random.default_rng(8)
    columns = {
        name: (rng.choice(["", "a", "b", "c"], 70), rng.choice(["", "a", "b", "c"], 40)) for name in ("x", "y", "z")
    }
    found = guesses(columns, "x", "of the test")
    made = np.flatnonzero(columns["x"][1] != "")
    for row in range(70):
        known = {name: real[row] for name, (real, _) in columns.items() if name != "x" and real[row] != ""}
        agree = [sum(columns[name][1][other] == value for name, value in known.items()) for other in made]
        near = [columns["x"][1][other] for other, count in zip(made, agree, strict=True) if count == max(agree)]
        counts = Counter(near)
        assert counts[found[row]] == max(counts.values())


@pytest.mark.parametrize(("memorised", "found"), [(0.0, False), (0.5, True)])
def test_a_record_that_was_memorised_is_read_off_without_an_image(memorised: float, found: bool) -> None:
    """Columns that say nothing of each other; of half of the members the whole record is in the set, or of nobody."""
    rng = np.random.default_rng(9)
    owner = np.arange(PATIENTS)
    real = {name: rng.choice(list("abcdefgh"), PATIENTS) for name in ("age", "stage", "ward", "bed")}
    taken = rng.permutation(MEMBERS)[: round(memorised * MEMBERS)]
    made = {name: np.concatenate([rng.choice(list("abcdefgh"), 200), values[taken]]) for name, values in real.items()}
    every = {name: Attribute(real=real[name], synthetic=made[name]) for name in real}
    scores = scores_of(sphere(rng.normal(size=(PATIENTS, 4))), owner, HELD)
    right = guesses_by_record(every, every, scores)
    pool = relabellings(PATIENTS, NON_MEMBERS, np.random.default_rng(2), 999)
    p = permutation_ps(np.stack(list(right.values())), as_labels(HELD), pool)[1]
    assert (p < 0.01) == found
    assert guesses_by_record(every, {"age": every["age"]}, scores) == {}


def test_excesses_are_sums_in_units_of_all_choices() -> None:
    """Twin: mean and variance over many choices; unknown values count as the mean."""
    rng = np.random.default_rng(5)
    values = rng.random((2, 40))
    values[1, :15] = np.nan
    labels = choices(40, 13, rng, 4000)
    found = excesses(values, labels)
    centred = np.where(np.isnan(values), 0, values - np.nanmean(values, axis=1, keepdims=True))
    sums = centred @ (1.0 - labels)
    np.testing.assert_allclose(found * sums.std(axis=1, keepdims=True), sums, rtol=0.05, atol=1e-9)
    assert np.abs(found.mean(axis=1)).max() < 0.06


def test_p_values_keep_their_size_over_three_attributes_and_see_a_lie() -> None:
    """Two columns that nearly agree and one that is known of half of the patients only."""
    rng = np.random.default_rng(6)
    right = rng.integers(0, 2, (3, 120)).astype(float)
    right[1, :110] = right[0, :110]
    right[2, ::2] = np.nan
    labels, pool = choices(120, 40, rng, 1000), relabellings(120, 40, rng, 1999)
    found = [permutation_ps(right, labels[:, [number]], pool) for number in range(1000)]
    joint, single = np.array([p for _, p in found]), np.array([p for p, _ in found])
    for level in (0.01, 0.05, 0.2):
        for p in (joint, *single.T):
            assert np.count_nonzero(p <= level) <= stats.binom(1000, level).ppf(0.9999) + 0.1 * 1000 * level
    assert np.count_nonzero(joint <= 0.2) >= 0.6 * 0.2 * 1000
    held = labels[:, 0].astype(bool)
    right[2, ~held] = np.where(np.isnan(right[2, ~held]), np.nan, 1.0)
    assert permutation_ps(right, labels[:, [0]], pool)[1] < 0.01


@pytest.mark.parametrize(
    ("real", "made", "reason"),
    [
        (["f", "m"], ["f", "m", ""], ""),
        (["f", "m"], ["", ""], "the synthetic set does not carry it"),
        (["f", "m"], ["x", "y"], "no synthetic image has a value that a patient has"),
        (["f", "m"], ["f", ""], "all synthetic images have the same value"),
        (["f", ""], ["f", "m"], "everybody has the same value"),
        (["", ""], ["f", "m"], "known for fewer than 10 members or non-members"),
        (["", "f", "m", "", "", "", ""], ["f", "m"], "known for fewer than 10 members or non-members"),
    ],
)
def test_columns_of_which_nothing_can_be_asked_say_why(real: list[str], made: list[str], reason: str) -> None:
    owner = np.arange(60)
    scores = scores_of(sphere(np.random.default_rng(7).normal(size=(60, 3))), owner, owner >= 30)
    attribute = Attribute(real=np.resize(np.array(real), 60), synthetic=np.array(made))
    assert _why_not(attribute, scores) == reason


def test_every_side_s_columns_are_listed() -> None:
    def sample(count: int, **columns: NDArray[np.str_]) -> Sample:
        zeros = np.zeros(count, np.int64)
        images = np.zeros((count, 8, 8, 1), np.uint8)
        return Sample(images=images, labels=zeros, patients=np.arange(count), columns=columns)

    found = attributes(sample(2, sex=np.array(["f", "m"])), sample(1), sample(3, age=np.array(["1", "2", ""])))
    assert {name: (each.real.tolist(), each.synthetic.tolist()) for name, each in found.items()} == {
        "label": (["0"] * 3, ["0"] * 3),
        "age": ([""] * 3, ["1", "2", ""]),
        "sex": (["f", "m", ""], [""] * 3),
    }
