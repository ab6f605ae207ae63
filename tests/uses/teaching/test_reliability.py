"""Whether chances can be believed: true ones are, two kinds of lies are not, and few patients' luck is no error."""

import numpy as np
import pytest

from privgan.arrays import Floats, Integers
from privgan_audits.questions.utility.examination import Examination
from privgan_uses.teaching.examining.reliability import BINS, calibration_error, reliability, squares

SETS = 40


def chances_and_labels(count: int, seed: int) -> tuple[Floats, Integers]:
    """Three classes, and labels drawn by these very chances."""
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(3), count)
    return chances, (rng.random((count, 1)) > chances.cumsum(axis=1)).sum(axis=1)


def slow_squares(gaps: Floats, place: Integers, owner: Integers) -> tuple[float, float]:
    """One bin after the other: each patient's images together weigh one, and patients vary around their mean."""
    people, whole, luck = np.unique(owner), 0.0, 0.0
    for number in range(BINS):
        each = [
            (inside.sum() / (owner == whose).sum(), (gaps * inside).sum() / (owner == whose).sum())
            for whose in people
            for inside in ((owner == whose) & (place == number),)
            if inside.any()
        ]
        if not each:
            continue
        weight = sum(size for size, _ in each)
        mean = sum(gap for _, gap in each) / weight
        whole += weight * mean**2
        apart = sum((gap - size * mean) ** 2 for size, gap in each)
        luck += weight * mean**2 if len(each) == 1 else apart * len(each) / (len(each) - 1) / weight
    return whole / len(people), luck / len(people)


def test_squares_and_their_luck_are_what_a_slow_count_gives() -> None:
    chances, labels = chances_and_labels(90, 1)
    owner = np.sort(np.random.default_rng(2).integers(0, 40, 90))
    exam = Examination.of(labels, owner, 3, np.random.default_rng(0))
    gaps = chances.max(axis=1) - (chances.argmax(axis=1) == labels)
    place = np.minimum((chances.max(axis=1) * BINS).astype(np.int64), BINS - 1)
    place[:5] = 0  # a bin of few patients
    found = squares(exam, gaps, place)
    assert [each[0] for each in found] == pytest.approx(slow_squares(gaps, place, owner))
    row = np.repeat(np.arange(90), exam.draws[5].astype(int)[exam.owner])
    again = np.concatenate([np.arange(int(times)) for times in exam.draws[5][exam.owner]])
    drawn = slow_squares(gaps[row], place[row], exam.owner[row] * 1000 + again)
    assert [each[5] for each in found] == pytest.approx(drawn)


def test_few_patients_luck_is_taken_away_and_intervals_hold_the_truth() -> None:
    """100 patients with two images each, of whom what is said is so, or is so a sixth less often."""
    rng = np.random.default_rng(4)
    owner = np.repeat(np.arange(100), 2)
    for apart in (0.0, 1 / 6):
        errors, inside, plain = [], 0, []
        for _ in range(SETS):
            said = np.repeat(rng.uniform(0.5, 1, 100), 2)
            right = np.repeat(rng.random(100), 2) < said - apart
            exam = Examination.of(right.astype(np.int64), owner, 2, rng)
            place = np.minimum((said * BINS).astype(np.int64), BINS - 1)
            whole, luck = squares(exam, said - right, place)
            errors.append(whole[0] - luck[0])
            plain.append(whole[0])
            told = calibration_error(exam, said, right, place).to_json()
            inside += told["low"] <= apart <= told["high"]
        reach = 3 * np.std(errors) / np.sqrt(SETS)
        assert np.mean(errors) == pytest.approx(apart**2, abs=reach)
        assert np.mean(plain) > apart**2 + reach  # as it would be with luck
        assert inside >= 0.85 * SETS  # of 40 intervals of 95 % fewer than 34 hold the truth once in 3,000 times


def test_true_chances_look_true_and_two_lies_do_not() -> None:
    chances, labels = chances_and_labels(1000, 3)
    exam = Examination.of(labels, np.arange(1000), 3, np.random.default_rng(0))
    sharper, flatter = (chances**power / (chances**power).sum(axis=1, keepdims=True) for power in (3, 1 / 3))
    truth, *lies = (reliability(exam, each) for each in (chances, sharper, flatter))
    assert truth["error"]["low"] == 0
    assert all(lie["error"]["low"] > 0.05 for lie in lies)
    assert all(lie["brier"]["value"] > truth["brier"]["value"] for lie in lies)
    one_by_one = [float(((row - np.eye(3)[label]) ** 2).sum()) for row, label in zip(chances, labels, strict=True)]
    assert truth["brier"]["value"] == pytest.approx(np.mean(one_by_one))


def test_patients_who_all_agree_leave_doubt() -> None:
    exam = Examination.of(np.ones(10, dtype=np.int64), np.arange(10), 2, np.random.default_rng(0))
    told = reliability(exam, np.tile([0.0, 1.0], (10, 1)))["error"]
    assert (told["value"], told["low"]) == (0, 0)
    assert told["high"] == pytest.approx(1 - 0.025**0.1)
