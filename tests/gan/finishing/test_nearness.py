"""How far public images lie: beside the plain formula, what must not move it, what a lazier measure would miss."""

from functools import cache

import numpy as np
import pytest
import torch
from scipy import linalg
from torch import Tensor

from privgan.arrays import Images
from privgan.dp.plan import calibrate_queries
from privgan.gan.finishing.nearness import FARTHEST, Noise, distance, judged, multiple
from privgan.gan.image_model import MixtureSettings
from privgan.gan.randomness import Randomness
from privgan.gan.ranks.ranks import ALONE, Ranks
from privgan.gan.warm_start import Mixture, MixtureShape
from privgan.gan.warm_start.measure import measure_mixture, noise_of_products
from privgan.images.form import ImageForm
from tests.gan.small import members_of
from tests.priors import make_prior
from tests.takes import takes

SIDE = 28
START = MixtureSettings()
SHAPE = MixtureShape.of(START, ImageForm(side=SIDE, classes=("a", "b"), channels=1), factors=20)
BANDS = torch.tensor([0, 1, 1, 2, 2, 2])


def spread(seed: int, size: int = len(BANDS)) -> Tensor:
    values = torch.randn(3 * size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return torch.cov(values.T)


def gelbrich(first: Tensor, second: Tensor) -> float:
    """As the paper has it, of matrices of any spread, by another library's roots."""
    root = linalg.sqrtm(first.numpy())
    common = linalg.sqrtm(root @ second.numpy() @ root)
    return float(np.sqrt(np.trace(first.numpy() + second.numpy() - 2 * common.real)))


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_distance_of_two_gaussians_beside_that_of_no_kind(seed: int) -> None:
    """Both of a spread of 1, all directions known."""
    patients, public = spread(seed), spread(seed + 10)
    of_one = [each / each.trace() for each in (patients, public, public.diagonal().diag())]
    wanted = gelbrich(of_one[0], of_one[1]) / gelbrich(of_one[0], of_one[2])
    assert multiple(patients, public, torch.eye(6, dtype=torch.float64), BANDS) == pytest.approx(wanted, rel=1e-6)


def test_the_marks_of_the_scale() -> None:
    """Their own kind lies at 0, no kind at 1, and what is stronger or weaker as a whole where it lay."""
    patients, whole = spread(0), torch.eye(6, dtype=torch.float64)
    assert multiple(patients, patients, whole, BANDS) < 1e-3
    assert multiple(patients, spread(1).diagonal().diag(), whole, BANDS) == pytest.approx(1)
    assert multiple(patients, 7 * spread(1), whole, BANDS) == pytest.approx(
        multiple(patients, spread(1), whole, BANDS)
    )


def test_what_noise_hid_of_the_patients_is_no_distance() -> None:
    """Of 40 coordinates the sums heard 3 directions; whole, patients lie apart from their very own images."""
    size = 40
    public, bands = spread(0, size) ** 3, torch.arange(size) // 8
    variances, directions = torch.linalg.eigh(public @ public.T)
    own = directions * variances.clamp_min(1.0).sqrt() @ directions.T
    kept = torch.linalg.eigh(own)[1][:, -3:]
    heard = kept @ (kept.T @ own @ kept) @ kept.T
    left = (own - heard).diagonal()
    released = heard + torch.stack([left[band == bands].mean() for band in bands]).diag()
    assert multiple(released, own, kept, bands) < 1e-3
    assert multiple(released, own, torch.eye(size, dtype=torch.float64), bands) > 0.1


@cache
def released(patients: int, epsilon: float, seed: int) -> tuple[Mixture, Noise]:
    """What the sums say of phantoms, and their noise."""
    noise = calibrate_queries(epsilon, 1e-3, START.noise_ratios)
    members = members_of(takes(patients, seed=9, side=SIDE), np.arange(patients) % 2)
    found = measure_mixture(members, START, noise, SHAPE, Randomness.of(seed))
    return found, noise_of_products(START, SHAPE, noise)


def far(images: Images, patients: int = 800, epsilon: float = 10.0, seed: int = 1) -> float | None:
    mixture, noise = released(patients, epsilon, seed)
    return distance(images, mixture, SHAPE, noise)


def strewn(images: Images) -> Images:
    """Every pixel elsewhere, in all images the same: as bright, as varied, of no anatomy."""
    order = np.random.default_rng(0).permutation(SIDE**2)
    return images.reshape(len(images), -1)[:, order].reshape(images.shape)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_others_of_the_kind_are_near_and_pictures_of_no_kind_far(seed: int) -> None:
    """Of phantoms that the sums never saw; the limit lies between them at any noise that lets a kind be heard."""
    others = takes(300, seed=5, side=SIDE)
    noise = np.random.default_rng(0).integers(0, 256, others.shape, dtype=np.uint8)
    near, bad = far(others, seed=seed), [far(each, seed=seed) for each in (strewn(others), noise)]
    assert near is not None
    assert near < 0.85
    assert all(each is not None and each >= FARTHEST for each in bad)


def test_light_and_contrast_are_no_distance() -> None:
    """They are brought; the distance of averages, or of covariances that nobody scaled, would be large."""
    dark = far((0.5 * takes(300, seed=5, side=SIDE)).astype(np.uint8))
    assert dark is not None
    assert dark < 0.85


def test_averages_alone_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images of another kind around the patients' own average: whoever looks at averages calls them near."""
    others = takes(300, seed=5, side=SIDE).astype(float)
    away = strewn(others - others.mean(0))  # type: ignore[arg-type]
    hidden = np.clip(np.rint(others.mean(0) + away), 0, 255).astype(np.uint8)
    assert np.abs(hidden.mean(0) - others.mean(0)).mean() < 8
    found = far(hidden)
    assert found is not None
    assert found >= FARTHEST


@pytest.mark.parametrize("patients", [40, 60, 120])
def test_where_noise_hides_the_kind_nothing_is_said(patients: int) -> None:
    assert far(takes(300, seed=5, side=SIDE), patients, 4.0) is None


def test_the_ranks_decide_as_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One that is told by the others that it is too far leaves it out, too."""

    class Told(Ranks):
        def highest(self, number: int) -> int:
            return max(number, 1)

    mixture, noise = released(800, 10.0, 1)
    prior = make_prior(tmp_path_factory.mktemp("near") / "prior", takes(300, seed=5, side=SIDE))
    alone, told = (judged(prior, mixture, SHAPE, noise, ranks) for ranks in (ALONE, Told()))
    assert alone.used
    assert alone.distance == told.distance == round(far(prior.images) or 0, 2)
    assert not told.used
    assert told.as_learned == alone.as_learned == prior.named
