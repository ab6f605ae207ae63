"""Studies, run by `make studies`: what T4's search for latents sees and how often it cries wolf, beside a longer one.

Networks that learned few patients by heart are asked about those and others, and about strangers alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from privgan.gan.networks import LoadedGenerator
from privgan.progress import silent
from privgan.run import ModelDigests
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.questions.networks import inversion
from privgan_audits.questions.networks.measure import Real, inversion_order
from privgan_audits.questions.networks.tried import attack_findings
from privgan_audits.questions.scores import patient_scores
from privgan_audits.stats.pools import relabellings
from tests.audits.bench import heading
from tests.audits.conftest import Weigh
from tests.audits.questions.networks.hospital import SIZE, patients, trained_networks
from tests.audits.runs import interval
from tests.audits.xrays import XRays

MANNERS: Mapping[str, Mapping[str, float]] = {
    "20 steps": {"STEPS": 20, "RATE": 0.3, "MOMENTUM": 0.6},
    "30 steps": {"STEPS": 30, "RATE": 0.2, "MOMENTUM": 0.9},
}
NETWORKS, STEPS = 8, 1300  # of each kind; of training, until few patients are known by heart
COHORTS, STRANGERS = 4, (32, 64)  # that each network is asked about, and how many are called members and others
FEW, SET = 16, 40  # patients who are known well; synthetic images, which this attack does not look at
LEVELS = (0.05, 0.01)

Drawn = Callable[[np.random.Generator, int], Sample]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What one manner said: p and AUC, and the median distance of all who were tried."""

    p: float
    auc: float
    distance: float


def asked(generator: LoadedGenerator, evidence: Evidence, seed: int) -> dict[str, Asked]:
    """The attack in each manner, on the same patients, from the same starting points, by the same relabellings."""
    assert evidence.non_members is not None
    scores, real = patient_scores(evidence), Real.of(evidence.members, evidence.non_members)
    pool, found = relabellings(len(scores.non_member), scores.non_members, np.random.default_rng(seed)), {}
    for name, manner in MANNERS.items():
        with pytest.MonkeyPatch.context() as patch:
            for number, value in manner.items():
                patch.setattr(inversion, number, value)
            steered = inversion_order(generator, real, scores, np.random.default_rng([seed, 1]), silent)
        told = attack_findings(steered.order, scores.non_member, pool)
        found[name] = Asked(p=told["p"], auc=told["auc"], distance=steered.distances["distance"])
    return found


def table(what: str, every: Sequence[Mapping[str, Asked]]) -> None:
    """Print what each manner said of so many."""
    for name in MANNERS:
        p, auc, distance = (np.array([getattr(each[name], of) for each in every]) for of in ("p", "auc", "distance"))
        below = " | ".join(f"{(p < level).sum()}, {interval(int((p < level).sum()), len(p))}" for level in LEVELS)
        error = auc.std(ddof=1) / len(auc) ** 0.5
        uniform = stats.kstest(p, "uniform").pvalue
        print(
            f"| {what} | {name} | {len(p)} | {below} | {auc.mean():.3f} ± {error:.3f} | {np.median(p):.2g} | "
            f"{uniform:.2f} | {distance.mean():.4f} |",
            flush=True,
        )
    auc = np.array([each["20 steps"].auc - each["30 steps"].auc for each in every])
    print(f"{what}: AUC by {auc.mean():.4f} ± {auc.std(ddof=1) / len(auc) ** 0.5:.4f}; higher in {(auc > 0).sum()}")


def begin() -> None:
    """The table's first lines."""
    print()
    print(heading(("networks", "search", "of", "p < .05", "p < .01", "AUC", "median p", "uniform", "distance")))


def x_rays(shared_data: Path) -> Drawn:
    """Children's chest X-rays at SIZE pixels, an image a patient, in two classes; patients not yet drawn."""
    xrays = XRays.read(shared_data, SIZE)
    first = np.unique(xrays.patients, return_index=True)[1]
    images, labels = xrays.images[first], (xrays.labels[first] > 0).astype(np.int64)

    def drawn(rng: np.random.Generator, count: int) -> Sample:
        rows = rng.permutation(len(images))[:count]
        return Sample(images=images[rows], labels=labels[rows], patients=rows)

    return drawn


def blobs(rng: np.random.Generator, count: int) -> Sample:
    """Blobs that have nothing in common."""
    return patients(count, int(rng.integers(2**31)))


def parted(sample: Sample, *counts: int) -> list[Sample]:
    """The first so many patients of an image each, then the next."""
    edges = np.cumsum([0, *counts])
    return [
        Sample(images=sample.images[low:high], labels=sample.labels[low:high], patients=sample.patients[low:high])
        for low, high in pairwise(edges)
    ]


@pytest.mark.study
@pytest.mark.parametrize(("invented", "known", "others"), [(False, 16, 48), (False, 48, 96), (True, 16, 48)])
def test_networks_that_know_patients_by_heart(
    shared_data: Path, weigh: Weigh, invented: bool, known: int, others: int
) -> None:
    """Trained without noise on few; asked about them and others (power), and about strangers alone (false alarms)."""
    draw, by_heart, strangers = blobs if invented else x_rays(shared_data), [], []
    for seed in range(NETWORKS):
        sample = draw(np.random.default_rng([seed, known, 1066]), known + others + COHORTS * sum(STRANGERS))
        members, beside, rest = parted(sample, known, others, COHORTS * sum(STRANGERS))
        network, _ = trained_networks(members, STEPS, seed=1000 + seed)
        generator = LoadedGenerator(network=network, model=ModelDigests(generator_sha256="", config_sha256=""))
        by_heart.append(asked(generator, weigh(members, beside, beside.images[:SET]), seed))
        sides = parted(rest, *(COHORTS * STRANGERS))
        for turn, (one, other) in enumerate(zip(sides[::2], sides[1::2], strict=True)):
            strangers.append(asked(generator, weigh(one, other, beside.images[:SET]), COHORTS * seed + turn))
        print(seed, {name: (round(said.auc, 3), said.p) for name, said in by_heart[-1].items()}, flush=True)
    begin()
    table(f"{known} known by heart", by_heart)
    table("asked about strangers", strangers)
    assert known > FEW or all(_told([each[name].auc for each in by_heart]) for name in MANNERS)
    assert _calm([each["20 steps"].p for each in strangers])


def _told(aucs: Sequence[float]) -> bool:
    """Whether members stand out by more than two standard errors."""
    return bool(np.mean(aucs) - 2 * np.std(aucs, ddof=1) / len(aucs) ** 0.5 > 0.5)


def _calm(ps: Sequence[float]) -> bool:
    """Whether no more p-values are below 0.05 than one time in a thousand."""
    return int((np.array(ps) < 0.05).sum()) <= stats.binom(len(ps), 0.05).ppf(0.999)
