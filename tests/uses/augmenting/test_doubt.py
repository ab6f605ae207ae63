"""Intervals hold the truth as often as they say, where trainings and patients could both have been others."""

import numpy as np
import pytest
from scipy import stats

from privgan.arrays import Floats
from privgan_uses.augmenting.arms import DUPLICATED, MIXED_ALL, REAL
from privgan_uses.augmenting.doubt import Doubt
from privgan_uses.augmenting.study import AREA, HARMS, HELPS, OPEN, RATE, compared

TRUTH, TRIES = 0.3, 300
LEAST = stats.binom.ppf(1e-4, TRIES, 0.945)  # of intervals that hold the truth; they are of 95 %


def curves(rng: np.random.Generator, *, trainings: int, patients: int, luck: tuple[float, float, float]) -> Floats:
    """A number that is a mean over patients. luck: of a training, of a patient, of both together."""
    training, patient, both = luck
    of_each = (
        TRUTH
        + training * rng.standard_normal((trainings, 1))
        + patient * rng.standard_normal((1, patients))
        + both * rng.standard_normal((trainings, patients))
    )
    drawn = np.concatenate(
        [np.ones((1, patients)), rng.multinomial(patients, np.full(patients, 1 / patients), size=120)]
    )
    return of_each @ drawn.T / patients


LUCK = {
    "trainings": (0.05, 0.01, 0.01),
    "patients": (0.002, 0.4, 0.05),
    "both": (0.03, 0.3, 0.2),
    "neither alone": (0.0, 0.0, 0.5),
}


def held(luck: tuple[float, float, float], interval: object) -> int:
    rng = np.random.default_rng(5)
    ends = [interval(curves(rng, trainings=5, patients=80, luck=luck)) for _ in range(TRIES)]  # type: ignore[operator]
    return sum(low <= TRUTH <= high for low, high in ends)


def both(found: Floats) -> tuple[float, float]:
    doubt = Doubt.of(found)
    return doubt.low, doubt.high


def trainings_alone(found: Floats) -> tuple[float, float]:
    """A lie: as if the patients could have been no others."""
    reach = 2.776 * found[:, 0].std(ddof=1) / np.sqrt(len(found))
    return found[:, 0].mean() - reach, found[:, 0].mean() + reach


def patients_alone(found: Floats) -> tuple[float, float]:
    """Another lie: as if the trainings could have been no others."""
    low, high = np.quantile(found[:, 1:].mean(axis=0), [0.025, 0.975])
    return low, high


@pytest.mark.parametrize("luck", LUCK.values(), ids=LUCK)
def test_the_truth_is_inside_as_often_as_is_said(luck: tuple[float, float, float]) -> None:
    """A little more often, too: the covariance of trainings is cut at nought."""
    assert held(luck, both) >= LEAST


def test_an_interval_of_one_kind_of_luck_alone_is_too_narrow() -> None:
    assert held(LUCK["patients"], trainings_alone) < LEAST
    assert held(LUCK["trainings"], patients_alone) < LEAST


def test_trainings_that_agree_leave_the_patients_doubt() -> None:
    one = curves(np.random.default_rng(0), trainings=1, patients=80, luck=(0.0, 0.4, 0.0))
    found = Doubt.of(np.repeat(one, 4, axis=0))
    assert np.isinf(found.freedom)
    assert found.error == pytest.approx(one[0, 1:].std(ddof=1))


def test_resamples_without_a_class_are_left_out() -> None:
    found = curves(np.random.default_rng(0), trainings=3, patients=80, luck=LUCK["both"])
    holed = found.copy()
    holed[:, 7] = np.nan
    assert Doubt.of(holed) == Doubt.of(np.delete(found, 7, axis=1))


def answers(lead: float, tries: int) -> dict[str, int]:
    """How often each answer is given to an arm that is better by `lead` than two others, which are alike."""
    rng = np.random.default_rng(9)
    arms, patients = (REAL, DUPLICATED[0], MIXED_ALL), 60
    counted = dict.fromkeys((HELPS, HARMS, OPEN), 0)
    for _ in range(tries):
        drawn = rng.multinomial(patients, np.full(patients, 1 / patients), size=60)
        drawn = np.concatenate([np.ones((1, patients)), drawn])
        shared = 0.5 * rng.standard_normal(patients) + 0.05 * rng.standard_normal((5, 1))
        found = {}
        for arm in arms:
            own = shared + 0.03 * rng.standard_normal((5, 1)) + 0.2 * rng.standard_normal((5, patients))
            own = own + 0.2 * rng.standard_normal(patients) + lead * bool(arm.synthetic)
            found[arm.name] = {AREA: own @ drawn.T / patients, RATE: own @ drawn.T / patients}
        counted[compared(arms, found, ())[MIXED_ALL.name]["answer"]] += 1
    return counted


def test_an_arm_that_makes_no_difference_helps_or_harms_no_oftener_than_is_said() -> None:
    told = answers(0.0, 150)
    assert max(told[HELPS], told[HARMS]) <= stats.binom.ppf(1 - 1e-4, 150, 0.025)


def test_an_arm_that_is_better_is_said_to_help() -> None:
    assert answers(0.3, 40)[HELPS] >= 36
    assert answers(-0.4, 40)[HARMS] >= 36
