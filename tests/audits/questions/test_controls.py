"""The audit's own controls: are planted copies counted as the real audit would count them?"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from privgan.arrays import Images, Integers
from privgan.errors import UsageError
from privgan_audits.evidence.interface import Evidence, NotRun, Sample
from privgan_audits.questions import controls
from privgan_audits.questions.controls import spike_in
from privgan_audits.questions.controls.disguises import DISGUISES, FAMILIES, PLAIN, disguised
from privgan_audits.questions.controls.measure import resplits, splits_of_members
from privgan_audits.questions.controls.rule import CHANGED_COPIES, GATING_COPIES, PLAIN_COPIES
from privgan_audits.questions.groups import groups_of
from privgan_audits.questions.membership.attacks import attack_scores
from privgan_audits.questions.near_copies.measure import near_copy_statistic
from privgan_audits.questions.near_copies.rule import SPACES
from privgan_audits.questions.scores import Scores, patient_scores
from privgan_audits.spaces import augment
from privgan_audits.spaces.lenses import space as lens_space
from privgan_audits.spaces.lenses.lenses import LENSES
from privgan_audits.spaces.patches import PATCHES
from privgan_audits.stats.pools import Pool, as_labels, relabellings
from privgan_audits.stats.relabelling import Others, Trial, is_significant, p_values
from tests.audits.beside import beside
from tests.audits.planted import with_copies
from tests.audits.spaces.test_shared_out import held

Draw = Callable[..., Sample]
Weigh = Callable[..., Evidence]


@pytest.fixture(scope="module")
def small(draw: Draw, weigh: Weigh) -> Evidence:
    rng = np.random.default_rng(21)
    return weigh(draw(rng, 160, most=2), draw(rng, 80, first=160, most=2), draw(rng, 150, most=1).images)


@pytest.fixture(scope="module")
def scores(small: Evidence) -> Scores:
    return patient_scores(small)


@pytest.fixture(scope="module")
def pool(scores: Scores) -> Pool:
    return relabellings(len(scores.non_member), scores.non_members, np.random.default_rng(0), 2000)


KINDS = ("exact", "shift_6_percent", "noise_4_percent", "left_half", "blend_30_percent")


@pytest.fixture(scope="module")
def copies(small: Evidence, scores: Scores) -> dict[str, tuple[Integers, Images]]:
    """By kind, the rows of thirty members' images and their copies."""
    made = {}
    for kind in KINDS:
        rng = np.random.default_rng(5)
        rows = spike_in.chosen_images(scores, rng)[:30]
        made[kind] = rows, disguised(small.members.images[rows], small.synthetic.images, DISGUISES[kind], rng)
    return made


@pytest.fixture(scope="module")
def planted(scores: Scores, copies: dict[str, tuple[Integers, Images]]) -> dict[str, spike_in.Planted]:
    """By kind, what they change; planted at once."""
    sets = [images for _, images in copies.values()]
    return dict(zip(copies, spike_in.plant_sets(scores, sets), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_planted_copies_score_as_if_they_had_been_in_the_set(
    small: Evidence,
    scores: Scores,
    copies: dict[str, tuple[Integers, Images]],
    planted: dict[str, spike_in.Planted],
    kind: str,
) -> None:
    """The slow twin puts the same copies into the synthetic set and searches that, in every space."""
    rows, planted_images = copies[kind]
    assert set(planted[kind].changes) == {"pixels", "embedding", "hashes", PATCHES, *(lens.name for lens in LENSES)}
    for count in (3, 30):
        fast = with_copies(scores, planted[kind], np.arange(30) < count)
        slow = beside(scores, np.concatenate([small.synthetic.images, planted_images[:count]])).spaces
        copied = scores.owner[rows[:count]]
        for name, found in fast.items():
            # To the rounding of a network, which is that of float32 and depends on what shares a block.
            np.testing.assert_allclose(found[copied], slow[name].patient[copied], rtol=1e-3, atol=1e-3)
            finite = np.isfinite(found)
            np.testing.assert_array_equal(finite, np.isfinite(slow[name].patient))
            # Others meet only their two nearest copies.
            assert (np.abs(found - slow[name].patient)[finite] < 1e-3).mean() > 0.9


def test_copies_that_are_planted_in_rounds_have_the_same_limits(
    small: Evidence, scores: Scores, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only so many are held at once; which kinds share a round decides nothing, and no kind is left out."""
    monkeypatch.setattr(spike_in, "disguises_of", lambda _: {kind: DISGUISES[kind] for kind in KINDS[:3]})
    monkeypatch.setattr(spike_in, "REPEATS", 3)
    shown, others = small.members.images, small.synthetic.images
    rows = len(spike_in.chosen_images(scores, np.random.default_rng(6)))

    def limits(held: int) -> Mapping[str, int | None]:
        monkeypatch.setattr(spike_in, "_HELD", held)
        trial = Trial(level=0.01, pool=pool)
        return spike_in.limits_of_detection(scores, shown, others, trial, np.random.default_rng(6)).limits

    whole = limits(1 << 28)
    assert list(whole) == list(KINDS[:3])
    assert any(limit is not None for limit in whole.values())
    assert limits(2 * rows * shown[0].nbytes) == whole


def test_kinds_of_which_a_lens_says_nothing_are_counted(
    small: Evidence, scores: Scores, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where it was learned from a sample, and as many as are near everybody: here whatever is near anybody."""
    monkeypatch.setattr(spike_in, "disguises_of", lambda _: {kind: DISGUISES[kind] for kind in KINDS[:2]})
    monkeypatch.setattr(spike_in, "REPEATS", 1)
    monkeypatch.setattr(spike_in, "_POOL", 1)
    monkeypatch.setattr(lens_space, "_CROWD", 1 << 20)
    lens, each = "fine detail", scores.spaces["fine detail"]
    assert isinstance(each.space, lens_space.LensSpace)
    sampled = replace(each, space=replace(each.space, sampled=True))
    blind = replace(scores, spaces={lens: sampled, "parts": scores.spaces["parts"]})
    shown, others, trial = small.members.images, small.synthetic.images, Trial(level=0.01, pool=pool)
    found = spike_in.limits_of_detection(blind, shown, others, trial, np.random.default_rng(6))
    assert found.left_out == {lens: 2}


def test_the_pre_flight_knows_how_many_spaces_there_are(scores: Scores) -> None:
    assert len(scores.ranked) == SPACES
    assert len(scores.counted) == 1


def test_a_space_knows_nothing_of_the_synthetic_set(
    small: Evidence, scores: Scores, copies: dict[str, tuple[Integers, Images]], weigh: Weigh
) -> None:
    """So that the twin above may ask the spaces that are there: learned anew beside copies, they say the same."""
    images = np.concatenate([small.synthetic.images, copies["left_half"][1]])
    anew, asked = patient_scores(weigh(small.members, small.non_members, images)), beside(scores, images)
    assert list(anew.spaces) == list(asked.spaces)
    for name, each in anew.spaces.items():
        np.testing.assert_array_equal(each.reference, asked.spaces[name].reference)
        np.testing.assert_array_equal(each.patient, asked.spaces[name].patient)


def test_the_limit_is_the_smallest_count_that_is_always_found(small: Evidence, scores: Scores, pool: Pool) -> None:
    level, rng = 0.003, np.random.default_rng(1)
    planted = spike_in.plant(scores, small.members.images[spike_in.chosen_images(scores, rng)])
    trial = Trial(level=level, pool=pool)
    found = spike_in.limit(spike_in.Front.of(scores, trial), planted, rng)
    assert found is not None
    turns = [rng.permutation(planted.count) for _ in range(spike_in.REPEATS)]
    assert spike_in.always_found(spike_in.Front.of(scores, trial), planted, turns, found + 1)
    assert not spike_in.always_found(spike_in.Front.of(scores, trial), planted, turns, found - 2)


def test_repeats_count_as_the_near_copy_test_does(small: Evidence, scores: Scores, pool: Pool) -> None:
    """Without a copy, what the repeats ask is what T2 asks."""
    planted = spike_in.plant(scores, small.members.images[:1])
    p = p_values(near_copy_statistic(scores), as_labels(scores.non_member), pool)[0]
    for level in (p * 0.999, p * 1.001):
        trial = Trial(level=level, pool=pool)
        assert spike_in.always_found(spike_in.Front.of(scores, trial), planted, [np.array([0])], 0) == (level > p)


def test_a_stricter_level_needs_more_copies(small: Evidence, scores: Scores, pool: Pool) -> None:
    rows = spike_in.chosen_images(scores, np.random.default_rng(0))
    planted = spike_in.plant(scores, small.members.images[rows])
    trials = [Trial(level=level, pool=pool) for level in (0.05, 1e-4)]
    found = [spike_in.limit(spike_in.Front.of(scores, trial), planted, np.random.default_rng(0)) for trial in trials]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0] < found[1]


@pytest.mark.parametrize("level", [0.2, 0.003, 1e-5])
def test_the_front_says_what_all_patients_would(
    scores: Scores,
    pool: Pool,
    copies: dict[str, tuple[Integers, Images]],
    planted: dict[str, spike_in.Planted],
    level: float,
) -> None:
    """The slow twin measures copies for everybody, and sorts everybody again for each repeat."""
    rng, labels = np.random.default_rng(3), as_labels(scores.non_member)
    null = np.random.default_rng(4).random(pool.shape[1])
    trial = Trial(level=level, pool=pool, others=Others(parts=2.0, null=null))
    front = spike_in.Front.of(scores, trial)
    ahead = spike_in.plant_sets(scores, [copied for _, copied in copies.values()], front)
    seen = set()
    for all_changes, changes in zip(planted.values(), ahead, strict=True):
        for count in (0, 2, 4, 6, 8, 10, 14, 20, 30):
            turn = rng.permutation(30)
            slow = near_copy_statistic(scores, with_copies(scores, all_changes, turn < count))
            found = is_significant(slow, labels, trial)
            assert found == spike_in.always_found(front, changes, [turn], count)
            assert found == spike_in.always_found(front, all_changes, [turn], count)
            seen.add(found)
    assert seen == {True, False}


def test_the_front_leaves_out_only_who_is_behind(
    scores: Scores, pool: Pool, copies: dict[str, tuple[Integers, Images]], planted: dict[str, spike_in.Planted]
) -> None:
    front, left_out = spike_in.Front.of(scores, Trial(level=0.003, pool=pool)), 0
    front_alone = spike_in.plant_sets(scores, [copied for _, copied in copies.values()], front)
    for every, ahead in zip(planted.values(), front_alone, strict=True):
        for name, all_changes in every.changes.items():
            near = all_changes.score <= front.farthest[name]
            left_out += int((~near).sum())
            assert _best(ahead.changes[name]) == {
                pair: score for pair, score in _best(all_changes).items() if score <= front.farthest[name]
            }
    assert left_out > 0


def _best(changes: spike_in.Changes) -> dict[tuple[int, int], float]:
    """The best score that each copy gives each patient."""
    best: dict[tuple[int, int], float] = {}
    pairs = zip(changes.patient.tolist(), changes.copy.tolist(), strict=True)
    for pair, score in zip(pairs, changes.score.tolist(), strict=True):
        best[pair] = min(score, best.get(pair, np.inf))
    return best


def test_every_disguise_gets_its_limit(
    small: Evidence, scores: Scores, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of as many copies as are ever planted at once."""
    monkeypatch.setattr(spike_in, "_POOL", 1)
    rng, trial = np.random.default_rng(2), Trial(level=0.003, pool=pool)
    found = spike_in.limits_of_detection(scores, small.members.images, small.synthetic.images, trial, rng)
    assert not found.left_out
    assert list(found.limits) == list(DISGUISES)
    for kind in (*GATING_COPIES, "rotation_90_degrees"):
        assert found.limits[kind] is not None, kind
    assert not held(scores.spaces[PATCHES].space)  # nobody looks through it again


def test_every_family_has_a_kind_that_gates_and_one_that_only_informs() -> None:
    """What gates says that the audit has eyes for a family; what informs says how far they reach."""
    assert set(GATING_COPIES) <= set(DISGUISES)
    assert {DISGUISES[kind].family for kind in PLAIN_COPIES} == {PLAIN}
    assert {DISGUISES[kind].family for kind in CHANGED_COPIES} == set(FAMILIES)
    assert {DISGUISES[kind].family for kind in set(DISGUISES) - set(GATING_COPIES)} == set(FAMILIES)


def test_no_planted_disguise_is_one_that_the_embedding_learns() -> None:
    """What it is taught to forgive is weaker than what is planted: else the audit would grade its own homework."""
    learned = augment.Strength()
    assert learned.degrees < 10
    assert learned.noise < 0.04
    assert learned.shift < 0.06
    assert np.exp(learned.zoom) < 1 / 0.85
    assert np.exp(learned.gamma) < 1.8
    assert learned.other < 0.3


def test_splits_among_members_rarely_alarm_and_always_count(small: Evidence, scores: Scores) -> None:
    found = resplits(
        scores, groups_of(small, scores), attack_scores(small), *splits_of_members(scores, np.random.default_rng(8))
    )
    assert found["resplits"] == 200
    assert 0 <= found["small_p_near_copies"] <= 20
    assert 0 <= found["small_p_membership"] <= 20


def test_too_few_patients_for_controls_are_not_controlled(draw: Draw, weigh: Weigh) -> None:
    rng = np.random.default_rng(9)
    evidence = weigh(draw(rng, 20), draw(rng, 10, first=20), draw(rng, 5).images)
    assert isinstance(controls.QUESTION.measure(evidence, rng), NotRun)


def test_images_of_different_sizes_are_refused(draw: Draw, weigh: Weigh) -> None:
    sample = draw(np.random.default_rng(11), 4)
    for images in (sample.images[:, :16, :16], sample.images[:, :, :16], sample.images[:0]):
        with pytest.raises(UsageError):
            weigh(sample, None, images)


def test_sets_that_are_planted_together_change_what_each_would_alone(small: Evidence, scores: Scores) -> None:
    """One of them a single copy."""
    rng = np.random.default_rng(6)
    rows = spike_in.chosen_images(scores, rng)[:20]
    kinds = [DISGUISES[kind] for kind in ("exact", "noise_10_percent", "quadrant")]
    sets = [disguised(small.members.images[rows], small.synthetic.images, kind, rng) for kind in kinds]
    sets[1] = sets[1][:1]
    for together, copies in zip(spike_in.plant_sets(scores, sets), sets, strict=True):
        alone = spike_in.plant(scores, copies)
        assert together.count == len(copies)
        assert any(len(change.copy) for change in together.changes.values())
        for name, change in together.changes.items():
            np.testing.assert_array_equal(change.patient, alone.changes[name].patient)
            np.testing.assert_array_equal(change.copy, alone.changes[name].copy)
            np.testing.assert_allclose(change.score, alone.changes[name].score, rtol=1e-6)
