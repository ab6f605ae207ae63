"""Class shares for a part of epsilon: patients weigh equally, noise has its size, the margin is honest."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from privgan.errors import IntegrityError, UsageError
from privgan.gan.networks import Generator, GeneratorConfig, load_generator, save_generator
from privgan.gan.training.members import Members
from privgan.gan.warm_start.class_balance import ClassBalance, measure_class_balance
from privgan.images.form import ImageForm
from tests.gan.small import members_of

CLASSES = 3
PEOPLE = st.lists(st.lists(st.integers(0, CLASSES - 1), min_size=1, max_size=5), min_size=2, max_size=12)


def crowd(people: list[list[int]]) -> Members:
    """Patients with so many images of these classes, in rows that are not sorted by patient."""
    owners = np.repeat(np.arange(len(people)), [len(labels) for labels in people])
    order = np.random.default_rng(0).permutation(len(owners))
    labels = np.concatenate([np.asarray(person, dtype=np.int64) for person in people])[order]
    return members_of(np.zeros((len(owners), 1, 1), dtype=np.uint8), labels, owners[order])


@settings(derandomize=True, deadline=None)
@given(PEOPLE)
def test_without_noise_every_patient_weighs_the_same(people: list[list[int]]) -> None:
    """The slow twin: add up each patient's own shares; a patient with many images is still one patient."""
    found = measure_class_balance(crowd(people), CLASSES, 1e-9, np.random.default_rng(0))
    expected = [sum(person.count(c) / len(person) for person in people) for c in range(CLASSES)]
    assert found.counts == pytest.approx(expected, abs=1e-6)
    assert found.shares == pytest.approx(np.array(expected) / len(people), abs=1e-6)
    assert found.margin < 1e-6


@settings(derandomize=True, deadline=None)
@given(PEOPLE, st.data())
def test_blanking_one_patient_moves_the_sum_by_at_most_one(people: list[list[int]], data: st.DataObject) -> None:
    """Sensitivity 1, reached by a patient of one class alone."""
    gone = data.draw(st.integers(0, len(people) - 1))
    whole, without = (
        np.array(measure_class_balance(crowd(those), CLASSES, 1e-12, np.random.default_rng(0)).counts)
        for those in (people, people[:gone] + people[gone + 1 :])
    )
    moved = float(np.linalg.norm(whole - without))
    assert moved <= 1 + 1e-9
    assert (moved == pytest.approx(1)) == (len(set(people[gone])) == 1)


@pytest.mark.parametrize(("factor", "accepted"), [(1.0, True), (0.5, False), (2.0, False)])
def test_the_noise_is_what_was_charged(factor: float, accepted: bool) -> None:
    """Over 200 measurements the spread fits the promised noise; half and double do not."""
    members, promised, rng = crowd([[0], [0, 1], [2]]), 4.0, np.random.default_rng(1)
    truth = np.array([1.5, 0.5, 1.0])
    asked = [measure_class_balance(members, CLASSES, factor * promised, rng).counts for _ in range(200)]
    squares = float(((np.array(asked) - truth) ** 2).sum()) / promised**2
    low, high = chi2.ppf([1e-4, 1 - 1e-4], 200 * CLASSES)
    assert bool(low < squares < high) is accepted


def test_the_margin_covers_the_noise_as_often_as_two_standard_errors_do() -> None:
    """In 1,000 measurements the least certain share stays within the margin about 95 times in 100."""
    truth, noise, rng = np.array([700.0, 200.0, 100.0]), 15.0, np.random.default_rng(2)
    drawn = [ClassBalance(counts=tuple(truth + noise * rng.standard_normal(3)), noise=noise) for _ in range(1000)]
    errors = np.array([balance.shares for balance in drawn]) - truth / truth.sum()
    least_certain = np.abs(errors[:, errors.std(0).argmax()])
    margins = np.array([balance.margin for balance in drawn])
    assert 0.93 < (least_certain <= margins).mean() < 0.975
    assert (least_certain <= margins / 2).mean() < 0.75


@pytest.mark.parametrize("counts", [(-3.0, -1.0, 0.0), (4.0, 1.0, -2.0)])
def test_what_noise_drowned_falls_back_to_equal_shares(counts: tuple[float, ...]) -> None:
    """Nothing above zero, or nothing above the noise: equal shares, and the margin says so."""
    balance = ClassBalance(counts=counts, noise=10.0)
    assert balance.margin == 1
    assert balance.shares == pytest.approx(np.full(3, 1 / 3))


@pytest.mark.parametrize(
    "broken", [{"noise": 0.0}, {"noise": math.nan}, {"counts": ()}, {"counts": (1.0, math.nan, 1.0)}]
)
def test_a_balance_checks_itself(broken: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        ClassBalance(**{"counts": (1.0, 2.0, 3.0), "noise": 1.0, **broken})


@pytest.mark.parametrize(
    "measured", [{"counts": [1.0], "noise": 1.0}, {"counts": ["many", 1, 1], "noise": 1.0}, {"counts": [5.0]}, [5.0]]
)
def test_an_edited_measurement_is_refused(tmp_path: Path, measured: object) -> None:
    """One number for each class, and their noise; what was saved comes back as it was."""
    config, balance = tmp_path / "model" / "config.json", ClassBalance(counts=(60.5, -1.25, 1 / 3), noise=0.1)
    config.parent.mkdir()
    network = Generator(
        GeneratorConfig(form=ImageForm(side=28, classes=("a", "b", "c")), latent=4, width=8, order=4), None
    )
    save_generator(tmp_path, network, balance)
    assert load_generator(tmp_path).class_balance == balance
    config.write_text(json.dumps({**json.loads(config.read_text()), "class_balance": measured}))
    with pytest.raises(IntegrityError):
        load_generator(tmp_path)
