"""The study behind the thresholds of collapse: chest X-rays, some of them over and over, in the audit's embedding."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from privgan_audits.questions.utility.diversity import NONE, PARTIAL, SEVERE, measure_diversity
from privgan_audits.questions.utility.fidelity import nearest_other
from privgan_audits.questions.utility.points import Points
from privgan_audits.spaces.embedding import train_embedding
from tests.audits.xrays import XRays

SETS = {
    "fresh": NONE,
    "every image twice": PARTIAL,
    "a quarter as many": PARTIAL,
    "half are ten": PARTIAL,
    "a tenth as many": SEVERE,
}
_JITTER = 0.1  # of the median distance between neighbouring patients


def shown(name: str, images: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A set of as many points, in which the named share is repeated with a little noise."""
    count = len(images)
    repeated = {
        "fresh": np.arange(count),
        "every image twice": np.repeat(np.arange(count // 2), 2),
        "a quarter as many": rng.integers(0, count // 4, count),
        "half are ten": np.where(np.arange(count) % 2 == 0, rng.integers(0, 10, count), np.arange(count)),
        "a tenth as many": rng.integers(0, count // 10, count),
    }[name]
    noise = _JITTER * np.median(nearest_other(images)) / images.shape[1] ** 0.5
    jitter = 0 if name == "fresh" else noise * rng.normal(size=images.shape)
    return np.asarray(rng.permutation(images[repeated] + jitter), np.float32)


@pytest.fixture(scope="module")
def population(shared_data: Path) -> NDArray[np.float32]:
    """One X-ray of each patient, as points; the embedding learned from two thirds of them."""
    rays = XRays.read(shared_data)
    images = rays.images[np.unique(rays.patients, return_index=True)[1]]
    points = train_embedding(images[np.random.default_rng(0).permutation(len(images))[:2_700]]).describe(images)
    centred = points - points.mean(axis=0)
    return np.asarray(centred / np.sqrt(np.square(centred).sum(axis=1).mean()), np.float32)


def judged(
    population: NDArray[np.float32], name: str, count: int, repeats: int
) -> Iterator[tuple[str, float, float]]:
    rng = np.random.default_rng([count, len(name)])
    for _ in range(repeats):
        rows = rng.permutation(len(population))
        X, reference, rest = (population[rows[part * count : (part + 1) * count]] for part in range(3))
        made = shown(name, rest, rng)
        labels = dict.fromkeys(("X", "reference", "synthetic"), np.zeros(count, np.int64))
        found = measure_diversity(Points(space="embedding", X=X, reference=reference, synthetic=made, labels=labels))
        number, close = found["effective_number"], found["near_duplicates"]
        yield (
            found["collapse"],
            number["synthetic"] / number["reference"],
            close["synthetic"] - close["reference"],
        )


@pytest.mark.study
@pytest.mark.parametrize(("count", "repeats"), [(50, 100), (200, 50), (1_000, 5)])
def test_sets_are_judged_by_how_much_they_repeat(
    population: NDArray[np.float32], count: int, repeats: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, expected in SETS.items():
        verdicts, shares, excesses = zip(*judged(population, name, count, repeats), strict=True)
        with capsys.disabled():
            print(
                f"\n{count:5d} {name:18s} effective {np.mean(shares):.2f} [{min(shares):.2f}, {max(shares):.2f}]"
                f" near duplicates {np.mean(excesses):+.2f} [{min(excesses):+.2f}, {max(excesses):+.2f}]"
                f" {dict(Counter(verdicts))}"
            )
        assert Counter(verdicts)[expected] >= 0.95 * repeats
