"""A study, run by `make studies`: the near-copy test beside the nearest published audit of files alone."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from privgan.arrays import Flags, Floats, Images
from privgan_audits.questions.controls import spike_in
from privgan_audits.questions.controls.disguises import DISGUISES
from privgan_audits.questions.groups import groups_of
from privgan_audits.questions.membership.statistic import EPSILON_ERROR, epsilon_findings, with_ensemble
from privgan_audits.questions.near_copies.measure import near_copy_test
from privgan_audits.questions.scores import Scores, smallest_per_patient
from privgan_audits.stats.relabelling import p_values
from tests.audits.bench import LEVEL, REPEATS, BenchOf, heading
from tests.audits.conftest import Weigh
from tests.audits.phantoms import (
    ORDINARY,
    BestThreshold,
    best_epsilon_lower_bound,
    disclosed,
    epsilon_lower_bound,
    ordinary_threshold,
    zero_learning_p,
)
from tests.audits.pictures import MEMBERS, NON_MEMBERS, Kind, heads, x_rays
from tests.audits.planted import with_copies
from tests.audits.worlds import World, with_images

KINDS = ("exact", "noise_10_percent", "left_half", "negative", "blend_30_percent", "rotation_10_degrees")
COUNTS = (10, 15, 20, 25, 40, 120)
SHARES = (ORDINARY, 0.05)
COPIED = (("exact", 0), ("exact", 40), ("exact", 120), ("exact", 400), ("exact", 1333), ("noise_10_percent", 1333))
DETECTORS = ("pixels", "embedding")  # what a user of that audit would take; distances as they are


def test_a_set_that_learned_nothing_discloses_members_by_their_share() -> None:
    """P is uniform or larger over draws of who was held back; a set of copies refutes every small epsilon."""
    rng = np.random.default_rng(0)
    distance, non_member = rng.normal(size=300), np.arange(300) >= 200
    found = disclosed(distance, ordinary_threshold(distance, 0.1))
    assert found.sum() == 30
    draws = [rng.permutation(non_member) for _ in range(400)]
    p = np.array([zero_learning_p(found, held) for held in draws])
    assert (p <= 0.05).mean() < 0.09
    assert sum(epsilon_lower_bound(found, held, 0.05) > 0 for held in draws) < 36
    leaks = disclosed(np.where(non_member, 1.0, 0.0), 0.0)
    assert zero_learning_p(leaks, non_member) < 1e-30
    assert epsilon_lower_bound(leaks, non_member, 0.05) > 3


def test_the_bound_on_epsilon_is_where_the_binomial_test_turns() -> None:
    """Slow twin: 25 of 30 disclosed are members, two thirds of all patients are."""
    non_member = np.arange(300) >= 200
    found = np.isin(np.arange(300), [*range(25), *range(200, 205)])
    bound = epsilon_lower_bound(found, non_member, 0.05)
    for epsilon, refuted in ((bound - 0.01, True), (bound + 0.01, False)):
        share = 2 * np.exp(epsilon) / (1 + 2 * np.exp(epsilon))
        assert (stats.binom.sf(24, 30, share) < 0.05) == refuted


def test_hindsight_sees_what_some_threshold_sees() -> None:
    rng, non_member = np.random.default_rng(1), np.arange(90) >= 60
    best = BestThreshold(60, 30, 0.01, most=90)
    answers = []
    for _ in range(60):
        distance = rng.normal(non_member * 0.5, 1.0)
        p = [zero_learning_p(disclosed(distance, each), non_member) for each in distance]
        answers.append(best.sees(distance, non_member))
        assert answers[-1] == (min(p) < 0.01)
    assert 0 < sum(answers) < 60


@dataclass(frozen=True, kw_only=True, eq=False)
class Detectors:
    """Distances of patients (P,) to the closest synthetic image, as they are and with copies planted."""

    before: Mapping[str, Floats]
    changes: Mapping[str, spike_in.Changes]

    @classmethod
    def of(cls, scores: Scores, copies: Images) -> "Detectors":
        """Measure copies in the spaces that serve as detectors."""
        before, changes = distances(scores), {}
        for name in DETECTORS:
            each = scores.spaces[name]
            (met,) = each.space.met([copies], each.closest, each.closest.distance)
            patient = scores.owner[met.real]
            closer = (met.distance < before[name][patient]) & ~scores.flat[met.real]
            changes[name] = spike_in.Changes(
                patient=patient[closer], copy=met.copy[closer], score=met.distance[closer]
            )
        return cls(before=before, changes=changes)

    def planted(self, present: Flags) -> dict[str, Floats]:
        """Distances when some of the copies are in the set."""
        return {name: self.changes[name].planted(self.before[name], present) for name in DETECTORS}


def distances(scores: Scores) -> dict[str, Floats]:
    """Patients' distances as they are."""
    found = {}
    for name in DETECTORS:
        images = np.where(scores.flat, np.inf, scores.spaces[name].closest.distance)
        found[name] = smallest_per_patient(images, scores.owner, len(scores.non_member))
    return found


@pytest.mark.study
@pytest.mark.parametrize("kind", [x_rays, heads])
def test_what_either_audit_sees(bench_of: BenchOf, kind: Kind) -> None:
    """The same copies, the same patients held back, the same level."""
    bench, rng = bench_of(kind), np.random.default_rng(103)
    scores, best = bench.scores, BestThreshold(MEMBERS, NON_MEMBERS, LEVEL)
    every = (f"our spaces, {share:.0%}" for share in SHARES)
    columns = ("copies", "T2", *DETECTORS, *(f"{name}, hindsight" for name in DETECTORS), *every)
    print(f"\n{kind.__doc__} {REPEATS} repeats, level {LEVEL:.2g}\n{heading(columns)}")
    raw, ranked = distances(bench.scores), {name: each.patient for name, each in scores.spaces.items()}
    pool, test = bench.trial.pool, near_copy_test(scores, groups_of(bench.evidence, scores))
    drawn = pool[:, :1000]
    own = np.mean(p_values(test, drawn, pool) < LEVEL)
    alarms = np.mean([theirs(best, raw, ranked, scores, held.astype(bool)) for held in drawn.T], axis=0)
    print(row("none, 1,000 draws", [own, *alarms]), flush=True)
    for name in KINDS:
        rows = bench.some(3 * COUNTS[-1], rng)
        copies = bench.copies(rows, DISGUISES[name], rng)
        planted, detectors, turns = (
            spike_in.plant(scores, copies),
            Detectors.of(scores, copies),
            bench.turns(rows, rng),
        )
        for count in COUNTS:
            seen = []
            for turn in turns:
                after = with_copies(scores, planted, turn.first(count))
                answers = theirs(best, detectors.planted(turn.first(count)), after, scores, turn.non_member)
                seen.append([bench.sees(after, turn.non_member), *answers])
            print(row(f"{count}, {name}", np.mean(seen, axis=0).tolist()), flush=True)


def theirs(
    best: BestThreshold, raw: Mapping[str, Floats], ranked: Mapping[str, Floats], scores: Scores, held: Flags
) -> list[bool]:
    """What the other audit says: an ordinary threshold, the best in hindsight, and ordinary ones in our spaces."""
    own = [_p(raw[name], ORDINARY, held) < LEVEL for name in DETECTORS]
    hindsight = [best.sees(raw[name], held) for name in DETECTORS]
    level = LEVEL / len(scores.ranked)
    every = [min(_p(ranked[name], share, held) for name in scores.ranked) < level for share in SHARES]
    return [*own, *hindsight, *every]


def _p(distance: Floats, share: float, held: Flags) -> float:
    return zero_learning_p(disclosed(distance, ordinary_threshold(distance, share)), held)


def row(name: str, shares: Sequence[float]) -> str:
    """One line of a table."""
    return f"| {name} | {' | '.join(f'{share:.1%}' if 0 < share < 0.02 else f'{share:.0%}' for share in shares)} |"


@pytest.mark.study
def test_which_epsilon_either_audit_proves_of_x_rays(bench_of: BenchOf, weigh: Weigh) -> None:
    """Sets in which some or all members are copied; both bounds are wrong once in a hundred audits."""
    bench, rng = bench_of(x_rays), np.random.default_rng(104)
    rows = bench.some(MEMBERS + NON_MEMBERS, rng)
    order = rows[~bench.scores.non_member[bench.scores.owner[rows]]]
    theirs = [f"{name}, {threshold}" for name in DETECTORS for threshold in ("1 %", "hindsight")]
    print(f"\n{heading(('copied', 'ours', 'most that ours could prove', *theirs))}", flush=True)
    whole = dataclasses.replace(bench.scores, spaces=bench.scores.whole)
    world = World(evidence=bench.evidence, scores=whole, attacks={}, pool=bench.trial.pool[:, :1])
    for name, count in COPIED:
        copies = bench.copies(order[:count], DISGUISES[name], rng) if count else bench.real[:0]
        leaking = with_images(world, np.concatenate([bench.evidence.synthetic.images, copies]))
        held = leaking.scores.non_member
        ours = epsilon_findings(with_ensemble(leaking.attacks, leaking.scores.closest_first), held, 0.0)
        found = [ours["epsilon_lower_bound"], ours["largest_provable_epsilon"]]
        for distance in distances(leaking.scores).values():
            seen = disclosed(distance, ordinary_threshold(distance))
            found.append(epsilon_lower_bound(seen, held, EPSILON_ERROR))
            found.append(best_epsilon_lower_bound(distance, held, EPSILON_ERROR))
        print(f"| {count} {name} | {' | '.join(f'{each:.2f}' for each in found)} |", flush=True)
