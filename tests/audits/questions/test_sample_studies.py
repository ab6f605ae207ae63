"""Studies, run by `make studies`: what power an audit keeps that measures a large cohort by a sample of itself.

A cohort of more than `MOST` different images is too large for a study. So the limit is lowered to a part of a
small one's: the share that is left out is that of a large cohort, and what remains is fewer than it ever is there.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from privgan.arrays import Images
from privgan.images.stored import joined
from privgan_audits.questions.controls import spike_in
from privgan_audits.questions.controls.disguises import DISGUISES
from privgan_audits.questions.controls.rule import PLAIN_COPIES
from privgan_audits.questions.groups import groups_of
from privgan_audits.questions.near_copies.measure import near_copy_test
from privgan_audits.questions.scores import patient_scores
from privgan_audits.spaces import embedding
from privgan_audits.spaces.lenses import space
from privgan_audits.spaces.lenses.views import LensViews
from privgan_audits.spaces.search import compared
from privgan_audits.stats.pools import as_labels, relabellings
from privgan_audits.stats.relabelling import p_values
from tests.audits.bench import COUNTS, LEVEL, REPEATS, Bench, heading
from tests.audits.conftest import Weigh
from tests.audits.pictures import x_rays
from tests.audits.questions.test_resplit_studies import statistics_of, uniform_p
from tests.audits.runs import interval
from tests.audits.xrays import XRays

PARTS = (1, 2, 4, 8)  # all images, a half of them, a quarter, an eighth
SPLITS, COHORTS = 10_000, 60
LEVELS = (0.05, 0.01, LEVEL)


@contextmanager
def measured_by(part: int, real: Images, learning: bool = True) -> Iterator[int]:
    """Audits of these images measure by one in `part` of those that differ: how many that is.

    learning: whether the embedding and lenses learn from these, too, or from all of them.
    """
    most = len(np.unique(compared.image_digests(real))) // part
    with pytest.MonkeyPatch.context() as patch:
        for module in (compared, embedding) if learning else (compared,):
            patch.setattr(module, "MOST", most)
        if not learning:
            of = LensViews.of
            patch.setattr(LensViews, "of", lambda *lens_real_ranks_some: of(*lens_real_ranks_some[:-1]))
        assert (compared.compared_with(real) is None) == (part == 1)
        yield most


@pytest.fixture(
    scope="module",
    params=[*((part, True) for part in PARTS), (PARTS[-1], False)],
    ids=lambda param: f"one_in_{param[0]}" if param[1] else f"{param[0]}th_of_all",
)
def bench(request: pytest.FixtureRequest, shared_data: Path, weigh: Weigh) -> Bench:
    """The patients, split and set of the tables of all disguises, scored by a part of the images."""
    part, learning = request.param
    rng = np.random.default_rng(101)
    pictures = x_rays(shared_data, rng)
    with measured_by(part, joined(pictures[0].images, pictures[1].images), learning) as most:
        print(
            f"\nmeasured by {most} images, one in {part}; learned from {'these' if learning else 'all'}", flush=True
        )
        return Bench.of(lambda *_: pictures, shared_data, weigh, rng)


@pytest.mark.study
def test_detection_by_a_sample(bench: Bench) -> None:
    """1,333 members, 667 non-members; every part has the same copies, in the same splits.

    Shares are those of copies in the set that is audited, which every lens looks at. The limit is what that audit
    prints, for which a lens says nothing of planted copies that are near everybody.
    """
    rngs = [np.random.default_rng([112, number]) for number in range(len(DISGUISES))]
    rows = [bench.some(3 * COUNTS[-1], rng) for rng in rngs]
    copies = [bench.copies(*each) for each in zip(rows, DISGUISES.values(), rngs, strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(space, "_CROWD", 1)
        planted = spike_in.plant_sets(bench.scores, copies)
    turns = [bench.turns(*each) for each in zip(rows, rngs, strict=True)]
    chosen = [spike_in.chosen_images(bench.scores, rng) for rng in rngs]
    copies = [bench.copies(*each) for each in zip(chosen, DISGUISES.values(), rngs, strict=True)]
    front = spike_in.Front.of(bench.scores, bench.trial)
    few = spike_in.plant_sets(bench.scores, copies, front)
    print(f"{REPEATS} repeats, level {LEVEL:.2g}")
    print(heading(("disguise", "limit", *map(str, COUNTS), "silent")))
    for number, name in enumerate(DISGUISES):
        limit = spike_in.limit(front, few[number], rngs[number])
        shares = " | ".join(bench.shares(planted[number], turns[number]))
        print(f"| {name} | {limit} | {shares} | {', '.join(few[number].left_out)} |", flush=True)
        assert name not in PLAIN_COPIES or limit is not None


@pytest.mark.study
def test_false_alarms_by_a_sample(bench: Bench) -> None:
    """Nobody is copied; who was held back is drawn anew, and the near-copy test is asked each time."""
    scores, rng = bench.scores, np.random.default_rng(113)
    pool = relabellings(len(scores.non_member), scores.non_members, rng)
    drawn = np.concatenate([as_labels(rng.permutation(scores.non_member)) for _ in range(SPLITS)], axis=1)
    p = p_values(near_copy_test(scores, groups_of(bench.evidence, scores)), drawn, pool)
    for level in LEVELS:
        count = int((p < level).sum())
        print(f"p < {level:.2g}: {count}, {interval(count, SPLITS)}", flush=True)
        # A pool of relabellings misses a level by chance, too: by 1 in 20 at 0.05, by 1 in 5 at 0.003.
        assert count <= stats.binom(SPLITS, level).ppf(0.999) * 1.2


@pytest.mark.study
def test_p_of_fresh_cohorts_by_a_sample(shared_data: Path, weigh: Weigh) -> None:
    """Everything is drawn and learned anew, by a quarter of the images; a sample that knew sides would show."""
    xrays, found = XRays.read(shared_data), defaultdict[str, list[float]](list)
    for seed in range(COHORTS):
        rng = np.random.default_rng([seed, 640])
        members, others, rest = xrays.split(rng, 400, 200, 500)
        evidence = weigh(members, others, rest.images)
        with measured_by(4, evidence.real):
            scores = patient_scores(evidence)
        pool = relabellings(len(scores.non_member), scores.non_members, rng, 2000)
        for name, statistic in statistics_of(evidence, scores).items():
            found[name].append(uniform_p(statistic, scores, pool, rng))
        print(f"{seed}: {', '.join(f'{name} {ps[-1]:.2f}' for name, ps in found.items())}", flush=True)
    print(heading((f"of {COHORTS} cohorts", "smallest p", "share below 0.05", "Kolmogorov and Smirnov's p")))
    for name, ps in found.items():
        uniform = stats.kstest(ps, "uniform").pvalue
        print(f"| {name} | {min(ps):.3f} | {np.mean(np.array(ps) < 0.05):.1%} | {uniform:.2f} |", flush=True)
        assert uniform > 1e-3
