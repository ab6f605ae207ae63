"""T7: another image of a patient gives the patient away, and only then."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from privgan.arrays import Singles
from privgan_audits.questions.near_copies.statistic import near_copy_findings
from privgan_audits.questions.reidentification.measure import (
    FALSE_MATCHES,
    MOST_IMAGES,
    RIDGE,
    _detector,
    fisher_directions,
    recognise,
)
from privgan_audits.questions.scores import Scores
from privgan_audits.spaces.search.neighbours import nearest, upright
from tests.audits.people import LASTING, PASSING, People, scores_of

MEMBERS, NON_MEMBERS = 200, 100
SIZE = LASTING + PASSING
PATIENTS = MEMBERS + NON_MEMBERS
OWNER = np.repeat(np.arange(PATIENTS), 1 + np.arange(PATIENTS) % 3)
HELD = np.arange(PATIENTS) >= MEMBERS


@pytest.fixture(scope="module")
def people() -> People:
    return People.draw(np.random.default_rng(0), PATIENTS)


@pytest.fixture(scope="module")
def scores(people: People) -> Scores:
    return scores_of(people.images(OWNER, np.random.default_rng(1)), OWNER, HELD)


@pytest.fixture(scope="module")
def strangers() -> Singles:
    rng = np.random.default_rng(2)
    return People.draw(rng, 300).images(np.arange(300), rng)


def p_of(scores: Scores, patient: NDArray[np.float64]) -> float:
    return float(near_copy_findings(scores.non_member[scores.closest_first(patient)])["p"])


def test_other_images_of_members_are_recognised(people: People, scores: Scores, strangers: Singles) -> None:
    """Thirty members, none of whose images was copied: distances between images do not see it, this does."""
    others = people.images(np.arange(30), np.random.default_rng(3))
    synthetic = np.concatenate([strangers, others])
    found = recognise(scores, synthetic)
    assert p_of(scores, found.patient) < 1e-4
    assert found.linked[:30].mean() > found.linked[30:].mean() + 0.4
    assert found.recognised[:30].mean() > 0.8
    assert found.recognised[30:].mean() < 0.25  # few pairs are compared here
    raw = nearest(scores.embedding.points, synthetic, k=1, turns=upright).distances[:, 0]
    smallest = np.full(PATIENTS, np.inf)
    np.minimum.at(smallest, OWNER, raw)
    assert p_of(scores, smallest) > 0.01


def test_strangers_and_other_images_of_everybody_are_no_leak(
    people: People, scores: Scores, strangers: Singles
) -> None:
    """Whoever is met, members and non-members must be met alike."""
    both = people.images(np.arange(PATIENTS), np.random.default_rng(4))
    for synthetic in (strangers, both):
        found = recognise(scores, synthetic)
        assert p_of(scores, found.patient) > 0.01
        share = found.linked[HELD].mean() - found.linked[~HELD].mean()
        assert abs(share) < 0.2
    assert recognise(scores, both).linked.mean() > recognise(scores, strangers).linked.mean() + 0.3


def test_p_keeps_its_size(scores: Scores, strangers: Singles) -> None:
    """Who was held back is drawn 2,000 times: the score must know nothing of it, so that any draw is as good."""
    order = scores.closest_first(recognise(scores, strangers).patient)
    rng = np.random.default_rng(5)
    p = np.array([near_copy_findings(rng.permutation(HELD)[order])["p"] for _ in range(2000)])
    for level in (0.01, 0.05, 0.2):
        assert np.count_nonzero(p <= level) <= stats.binom(2000, level).ppf(0.9999)
    assert np.count_nonzero(p <= 0.2) >= 0.6 * 0.2 * 2000


def test_who_is_a_member_changes_no_bit(scores: Scores, strangers: Singles) -> None:
    """Rows in another order, sides exchanged: the same scores of the same patients."""
    before = recognise(scores, strangers)
    order = np.argsort(np.random.default_rng(6).permutation(PATIENTS)[OWNER], kind="stable")
    other = scores_of(scores.embedding.points[order], OWNER[order], ~HELD)
    after = recognise(other, strangers)
    np.testing.assert_array_equal(after.patient, before.patient)
    np.testing.assert_array_equal(after.linked, before.linked)
    assert (after.auc, after.recall) == (before.auc, before.recall)


def test_the_ceiling_tells_whether_people_can_be_recognised_at_all(scores: Scores, strangers: Singles) -> None:
    ours = recognise(scores, strangers)
    assert ours.auc > 0.9
    assert ours.recall > 0.2
    rng = np.random.default_rng(7)
    nobody = scores_of(People.draw(rng, len(OWNER)).images(np.arange(len(OWNER)), rng), OWNER, HELD)
    blind = recognise(nobody, strangers)
    assert 0.4 < blind.auc < 0.6
    assert blind.recall < 0.02


def test_directions_are_those_of_all_pairs(people: People) -> None:
    """Twin: scatter within patients from every pair of their images."""
    points = people.images(OWNER, np.random.default_rng(8)).astype(np.float64)[:120]
    owner = OWNER[:120]
    within = np.zeros((SIZE, SIZE))
    several = [who for who in np.unique(owner) if (owner == who).sum() > 1]
    for who in several:
        pairs = list(itertools.combinations(points[owner == who], 2))
        within += sum(np.outer(a - b, a - b) / 2 for a, b in pairs) / len(pairs) / len(several)
    within += RIDGE * np.trace(within) / SIZE * np.eye(SIZE)
    centre, directions = fisher_directions(points, owner)
    np.testing.assert_allclose(directions.T @ within @ directions, np.eye(SIZE), atol=1e-9)
    between = np.cov(points.T, bias=True)
    ratio = np.diag(directions.T @ between @ directions)
    np.testing.assert_allclose(np.sort(ratio), np.sort(np.linalg.eigvals(np.linalg.solve(within, between)).real))
    np.testing.assert_allclose(centre, points.mean(axis=0))
    assert np.abs(directions[:LASTING, -3:]).mean() > 3 * np.abs(directions[LASTING:, -3:]).mean()


def test_one_patient_of_many_images_alone_links_nobody() -> None:
    """As a series of slices would; beside others, only some of its images are compared."""
    rng = np.random.default_rng(9)
    alone, owner = People.draw(rng, 1), np.zeros(3000, np.int64)
    limits, (who, _, _) = _detector(alone.images(owner, rng), owner)
    assert (limits.tolist(), len(who)) == ([0.0, 0.0], 0)
    two = People.draw(rng, 2)
    owner = np.repeat([0, 1], [2500, 2])
    limits, (who, _, _) = _detector(two.images(owner, rng), owner)
    assert limits[0] > 0
    assert np.bincount(who).tolist() == [MOST_IMAGES * (MOST_IMAGES - 1) // 2, 1]


def test_the_detector_is_what_it_says(scores: Scores) -> None:
    """Twin: every pair, one by one."""
    people, owner = scores.embedding.points[:90], OWNER[:90]
    (limit, rare), (who, rank, admitted) = _detector(people, owner)
    pairs = list(itertools.combinations(range(90), 2))
    apart = {pair: float(np.linalg.norm(people[pair[0]] - people[pair[1]])) for pair in pairs}
    strange = sorted(apart[pair] for pair in pairs if owner[pair[0]] != owner[pair[1]])
    assert sum(distance < limit - 1e-6 for distance in strange) <= FALSE_MATCHES * len(strange)
    assert sum(distance < limit + 1e-4 for distance in strange) >= int(FALSE_MATCHES * len(strange)) + 1
    assert (
        sum(distance < rare - 1e-6 for distance in strange) == 0 < sum(distance < rare + 1e-4 for distance in strange)
    )
    same = [pair for pair in pairs if owner[pair[0]] == owner[pair[1]]]
    assert [owner[pair[0]] for pair in same] == who.tolist()
    expected = [np.mean([distance > apart[pair] for distance in strange]) for pair in same]
    np.testing.assert_allclose(rank, expected, atol=2 / len(strange))
    assert [apart[pair] < limit - 1e-6 for pair in same] == (admitted == 1).tolist()
