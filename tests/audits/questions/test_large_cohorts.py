"""What an audit of a very large cohort leaves out makes no test of it wrong, and no verdict milder."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from privgan.arrays import Flags, Integers, Singles
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.policy import Policy
from privgan_audits.questions.controls.rule import GATING_COPIES, search_limit
from privgan_audits.questions.near_copies.measure import near_copy_statistic
from privgan_audits.questions.scores import Scores, patient_scores, smallest_per_patient
from privgan_audits.spaces import embedding
from privgan_audits.spaces.search import compared
from privgan_audits.spaces.space import VectorSpace
from privgan_audits.stats.pools import as_labels, relabellings
from privgan_audits.stats.relabelling import NearCopyStatistic, p_values
from tests.audits.gate.test_verdict import good, judge, test

Compared = Callable[[Singles, Flags], Integers]
PATIENTS, SAMPLE, SEEDS = 90, 24, 250


def _p(rng: np.random.Generator, chosen: Compared) -> float:
    """Of a set that knows nobody: T2's in one space of points, two images a patient, a third held back."""
    owner = np.repeat(np.arange(PATIENTS), 2)
    points = (rng.normal(size=(PATIENTS, 5))[owner] + 0.3 * rng.normal(size=(2 * PATIENTS, 5))).astype(np.float32)
    held = np.arange(PATIENTS) >= 60
    space = VectorSpace(name="points", queries=points[:, None], points=points, place=lambda images: images)
    rows = chosen(points, held[owner])
    score = space.closest(rng.normal(size=(120, 5)).astype(np.float32)).distance
    score /= space.among_real(owner, compared=rows)
    order = np.argsort(smallest_per_patient(score, owner, PATIENTS), kind="stable")
    return float(p_values(NearCopyStatistic(orders=[order], hits=[]), as_labels(held), None)[0])


def _by_themselves(points: Singles, held: Flags) -> Integers:
    """As digests do: by nothing but the images."""
    del held
    return np.argsort(np.sin(1e4 * points[:, 0]))[:SAMPLE]


def _alarms(chosen: Compared) -> float:
    """How likely so many p-values at most 5 % are, or more, if they keep their size."""
    rings = sum(_p(np.random.default_rng(seed), chosen) <= 0.05 for seed in range(SEEDS))
    return float(stats.binom.sf(rings - 1, SEEDS, 0.05))


def test_near_copies_keep_their_size_when_measured_by_a_sample() -> None:
    assert _alarms(_by_themselves) > 0.01


def test_a_sample_that_knows_sides_would_cry_wolf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lies that the test above rejects: members measured by fewer strangers, non-members by themselves."""
    among = VectorSpace.among_real
    sides = {"held": np.zeros(0, np.bool_)}

    def chosen(points: Singles, held: Flags) -> Integers:
        sides["held"] = held
        return _by_themselves(points, held)

    def fewer(self: VectorSpace, owner: Integers, compared: Integers | None = None) -> np.ndarray:
        assert compared is not None
        few, many = (among(self, owner, compared=compared[:end]) for end in (4, SAMPLE))
        return np.where(sides["held"], many, few)

    def themselves(self: VectorSpace, owner: Integers, compared: Integers | None = None) -> np.ndarray:
        assert compared is not None
        apart = among(self, owner, compared=compared)
        own = among(self, np.arange(len(owner)), compared=np.arange(len(owner)))  # another image of their own
        return np.where(sides["held"], np.minimum(own, apart), apart)

    for lie in (fewer, themselves):
        monkeypatch.setattr(VectorSpace, "among_real", lie)
        assert _alarms(chosen) < 1e-6


SMALL = 64


@pytest.fixture(scope="module")
def few(draw: Callable[..., Sample]) -> tuple[Sample, Sample]:
    rng = np.random.default_rng(3)
    return draw(rng, 60, most=2), draw(rng, 40, first=60, most=2)


@pytest.fixture
def by_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (compared, embedding):
        monkeypatch.setattr(module, "MOST", SMALL)


def _weighed(weigh: Callable[..., Evidence], sides: tuple[Sample, Sample]) -> Scores:
    """Beside a set that holds thirty patients of the first side as they are, and others under noise."""
    rng = np.random.default_rng(4)
    first = np.unique(sides[0].patients, return_index=True)[1][:30]
    copies = sides[0].images[first].astype(np.float64)
    copies[15:] += rng.normal(0, 4, copies[15:].shape)
    return patient_scores(weigh(*sides, np.clip(np.rint(copies), 0, 255).astype(np.uint8)))


@pytest.mark.usefixtures("by_a_sample")
def test_copies_are_found_by_a_sample_and_no_side_is_known(
    few: tuple[Sample, Sample], weigh: Callable[..., Evidence]
) -> None:
    scores = _weighed(weigh, few)
    assert len(np.unique(scores.owner)) == 100
    assert len(scores.owner) > SMALL
    pool = relabellings(100, 40, np.random.default_rng(0), 2000)
    assert p_values(near_copy_statistic(scores), as_labels(scores.non_member), pool)[0] < 1e-4
    # The same images, whose sides are exchanged and whose rows are others: to the last bit the same references.
    turned = weigh(few[1], few[0], few[0].images[:30])
    again = patient_scores(turned)
    order = np.concatenate([np.arange(len(few[1].images)) + len(few[0].images), np.arange(len(few[0].images))])
    for name in ("pixels", "coarse shapes", "parts", "moved images", "embedding", "hashes"):
        np.testing.assert_array_equal(
            again.spaces[name].reference, scores.spaces[name].reference[order], err_msg=name
        )


def test_no_more_than_two_hundred_patients_are_planted() -> None:
    """3 % of all members, as ever, up to 6,667 of them."""
    assert [search_limit(members) for members in (30, 1_000, 4_000, 6_600)] == [30, 40, 120, 198]
    assert [search_limit(members) for members in (6_667, 20_000, 66_667)] == [200, 200, 200]


def test_what_was_not_planted_helps_no_verdict() -> None:
    """The policy allows 1,000 of so many members: copies of 200 that were missed are still missed."""
    record = good()
    record["counts"]["members"] = 66_667
    control = test(record, "T0")
    control["copies_planted_at_most"] = 200
    assert judge(Policy(), record).verdict == "PASS"
    for kind in GATING_COPIES:
        control["limit_of_detection"][kind] = None
        verdict = judge(Policy(), record)
        assert verdict.verdict == "INCONCLUSIVE"
        assert "those of 200 distinct patients are not surely found" in verdict.reasons[0]
        assert "though" in verdict.reasons[0]
        control["limit_of_detection"][kind] = 200
        assert judge(Policy(), record).verdict == "PASS"
    del control["limit_of_detection"][GATING_COPIES[0]]
    assert judge(Policy(), record).verdict == "INCONCLUSIVE"
