"""The one-shot start: what it asks of a patient is bounded, what it learns is right, its noise is not learned."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from privgan.dp.noise import released
from privgan.dp.query import Described, bounded_products, bounded_sums, symmetric
from privgan.errors import UsageError
from privgan.gan.image_model import MixtureSettings
from privgan.gan.randomness import Randomness
from privgan.gan.training.members import Members
from privgan.gan.warm_start import Mixture, MixtureImages, MixtureShape, cosine_basis
from privgan.gan.warm_start.components import Centres
from privgan.gan.warm_start.measure import measure_mixture
from privgan.gan.warm_start.shrinkage import kept
from privgan.images.form import ImageForm
from privgan.images.pixels import from_uint8
from tests.gan.small import members_of

QUIET = 1e-9


def _members(patients: int = 300, size: int = 28, channels: int = 1) -> Members:
    rng = np.random.default_rng(0)
    owners = np.repeat(np.arange(patients), rng.integers(1, 4, patients))
    labels = rng.integers(0, 2, len(owners))
    y, x = np.mgrid[0:size, 0:size] / size
    shapes = np.stack([np.cos(3 * x), np.sin(4 * y)])[labels]
    scale = 60 + 12 * rng.standard_normal(len(owners))
    images = np.clip(128 + scale[:, None, None] * shapes, 0, 255).astype(np.uint8)
    if channels == 3:
        images = np.stack([images, images // 2, 255 - images], axis=3)
    return members_of(images, labels, owners)


def _shape(settings: MixtureSettings, members: Members, latent: int = 40) -> MixtureShape:
    classes = tuple(map(str, range(int(members.labels.max()) + 1)))
    return MixtureShape.of(settings, replace(ImageForm.of(members.images), classes=classes), factors=latent)


def _measured(members: Members, settings: MixtureSettings, noise: float = QUIET) -> Mixture:
    noises = tuple(noise for _ in settings.noise_ratios)
    return measure_mixture(members, settings, noises, _shape(settings, members), Randomness.of(0))


def _batch(seed: int = 0, patients: int = 40) -> Described:
    rng = np.random.default_rng(seed)
    owners = np.repeat(np.arange(patients), rng.integers(1, 5, patients))
    vectors = torch.from_numpy(rng.standard_normal((len(owners), 3)) * rng.uniform(0.1, 2, (len(owners), 1)))
    return Described(
        vectors=vectors, cells=torch.from_numpy(rng.integers(0, 4, len(owners))), owners=torch.from_numpy(owners)
    )


def test_sums_and_products_are_those_of_a_plain_loop() -> None:
    """One vector a patient, the mean over their images; each image's norm at most 1."""
    batch = _batch()
    sums, products = torch.zeros(4, 3).double(), torch.zeros(4, 3, 3).double()
    for vector, cell, owner in zip(batch.vectors, batch.cells, batch.owners, strict=True):
        v = vector / max(float(vector.norm()), 1.0)
        weight = 1 / int((batch.owners == owner).sum())
        sums[cell] += weight * v
        products[cell] += weight * torch.outer(v, v)
    assert torch.allclose(bounded_sums([batch], cells=4, dimensions=3), sums, atol=1e-12)
    found = symmetric(bounded_products([batch], cells=4, dimensions=3), 3)
    assert torch.allclose(found, products, atol=1e-12)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6, 1e30, float("nan"), float("inf")])
def test_no_patient_moves_a_query_by_more_than_one(size: float) -> None:
    """Whatever their vectors are and however many: the release differs by a vector of norm at most 1."""
    batch = _batch()
    others = batch.owners != 7
    grown = Described(
        vectors=torch.where(others[:, None], batch.vectors, batch.vectors * size),
        cells=batch.cells,
        owners=batch.owners,
    )
    renumbered = torch.unique(batch.owners[others], return_inverse=True)[1]
    without = Described(vectors=batch.vectors[others], cells=batch.cells[others], owners=renumbered)
    for query in (bounded_sums, bounded_products):
        moved = query([grown], cells=4, dimensions=3) - query([without], cells=4, dimensions=3)
        assert float(moved.norm()) <= 1 + 1e-6


def _products_of_nothing(dimensions: int, *, noise: float, seed: int) -> torch.Tensor:
    nothing = Described(vectors=torch.zeros(1, dimensions), cells=torch.zeros(1).long(), owners=torch.zeros(1).long())
    sums = bounded_products([nothing], cells=1, dimensions=dimensions)
    (noisy,) = released([sums], bound=1.0, noise=noise, rng=np.random.default_rng(seed))
    return symmetric(noisy, dimensions)[0]


def test_the_noise_of_products_is_that_of_a_symmetric_release() -> None:
    """Variance noise^2 on the diagonal and half of it elsewhere, the same above and below."""
    found = _products_of_nothing(60, noise=2.0, seed=0)
    assert torch.equal(found, found.T)
    assert float(found.diagonal().std()) == pytest.approx(2.0, rel=0.3)
    assert float(found[np.triu_indices(60, 1)].std()) == pytest.approx(2.0**0.5, rel=0.1)


def test_without_noise_the_moments_are_the_moments() -> None:
    """Means, counts and covariances come out as a plain computation gives them."""
    members = _members()
    settings = MixtureSettings(order=8, align=False, bend=0.0, mean_radius=5.0, spread_radius=5.0)
    found = _measured(members, settings)
    basis = cosine_basis(28, 8)
    rows, index = members.index.rows, members.index
    coefficients = (torch.from_numpy(members.images[rows]).float() / 127.5 - 1).flatten(1) @ basis.T
    weight = torch.from_numpy(np.repeat(1 / np.diff(index.starts), np.diff(index.starts))).float()
    for label in range(2):
        mine = torch.from_numpy(members.labels[rows] == label)
        shares = weight[mine] / weight[mine].sum()
        mean = (shares[:, None] * coefficients[mine]).sum(0)
        centred = coefficients[mine] - mean
        covariance = (shares[:, None] * centred).T @ centred
        assert float(found.counts[label]) == pytest.approx(float(weight[mine].sum()), rel=1e-4)
        assert torch.allclose(found.means[label, 0], mean, atol=1e-3)
        loadings = found.loadings[label, 0]
        assert torch.allclose(loadings @ loadings.T, covariance, atol=2e-2)


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_levels_of_the_start_are_those_of_the_patients(channels: int) -> None:
    """Drawn images have the measured histogram, in colour of their light; without the query they would not."""
    members = _members(channels=channels)
    settings = MixtureSettings(order=3, align=False, bend=0.0)
    shape, found = _shape(settings, members), _measured(members, settings)
    images = MixtureImages(shape)
    images.fill(found)
    labels = torch.zeros(200).long()
    drawn = images(torch.randn(200, shape.latent), labels)
    real = from_uint8(members.images[members.labels == 0])
    ranks = torch.linspace(0.05, 0.95, 10)
    ours, theirs = (torch.quantile(x[:200].mean(1).flatten(), ranks) for x in (drawn, real))
    assert float((ours - theirs).abs().max()) < 0.12


def test_components_find_the_two_kinds_that_a_class_has() -> None:
    """Black and white pictures of one class: one Gaussian draws grey ones, two do not."""
    rng = np.random.default_rng(0)
    levels = np.where(rng.random(800) < 0.5, 40, 215)
    images = np.clip(levels[:, None, None] + rng.normal(0, 4, (800, 16, 16)), 0, 255).astype(np.uint8)
    members = members_of(images, np.zeros(800, np.int64))
    middle = {}
    for components in (1, 4):
        settings = MixtureSettings(
            order=3, align=False, bend=0.0, components=components, mean_radius=2.0, spread_radius=2.0
        )
        part = MixtureImages(_shape(settings, members, latent=8))
        part.fill(_measured_with(members, settings))
        brightness = part.gaussian(torch.randn(400, part.shape.latent), torch.zeros(400).long()).mean((1, 2, 3))
        middle[components] = float((brightness.abs() < 0.4).float().mean())
    assert middle[1] > 0.3
    assert middle[4] < 0.1


def _measured_with(members: Members, settings: MixtureSettings) -> Mixture:
    shape = _shape(settings, members, latent=8)
    noises = tuple(0.5 for _ in settings.noise_ratios)
    return measure_mixture(members, settings, noises, shape, Randomness.of(1))


@pytest.mark.parametrize("components", [1, 3])
def test_a_calm_class_is_not_drawn_as_a_busy_one(components: int) -> None:
    """Each class varies as much as its own patients do, even where noise hides in which directions."""
    rng = np.random.default_rng(0)
    labels = np.arange(3000) % 2
    basis = cosine_basis(16, 6)
    busy = torch.from_numpy(rng.standard_normal((3000, len(basis))) * 0.5 * (1 + 5 * labels[:, None])).float()
    images = ((busy @ basis).clamp(-1, 1) * 127.5 + 127.5).round().byte().reshape(-1, 16, 16).numpy()
    members = members_of(images, labels)
    settings = MixtureSettings(order=6, align=False, bend=0.0, components=components, spread_radius=1.5)
    part = MixtureImages(_shape(settings, members))
    part.fill(_measured(members, settings, noise=0.3))
    for label in range(2):
        drawn = part.gaussian(torch.randn(2000, part.shape.latent), torch.full((2000,), label)).flatten(1) @ basis.T
        true = from_uint8(members.images[labels == label]).flatten(1) @ basis.T
        assert float(drawn.var(0).sum()) == pytest.approx(float(true.var(0).sum()), rel=0.25)


def test_the_grain_of_components_is_that_of_a_plain_loop() -> None:
    """Without noise, what the kept directions leave of every component's variance, averaged by band."""
    generator = torch.Generator().manual_seed(0)
    coordinates = torch.randn(400, 6, generator=generator) * torch.tensor([3.0, 2.0, 1.0, 1.0, 0.5, 0.5])
    bands = torch.tensor([0, 0, 1, 1, 2, 2])
    labels = torch.zeros(400).long()
    axes = torch.eye(6)[None, :, :2]
    centres = Centres(
        means=torch.zeros(1, 6),
        axes=axes,
        radius=torch.tensor([20.0]),
        places=torch.tensor([[[2.0, 0.0], [-2.0, 0.0]]]),
        counts=torch.zeros(1, 2),
    )
    vectors, cells = centres.offsets_and_norms(coordinates, labels, bands)
    counts, vectors = torch.bincount(cells).float()[None], vectors.double()
    products = torch.stack([vectors[cells == cell].T @ vectors[cells == cell] for cell in range(2)])[None]
    spreads, grains = replace(centres, counts=counts).spreads(products, 1e-9, bands)
    for cell in range(2):
        mine = coordinates[cells == cell].clone()
        mine[:, :2] -= centres.places[0, cell]
        left = mine.square().mean(0)
        left[:2] -= spreads[0, cell].square().sum(1)
        for band in range(3):
            wanted = left[bands == band].mean().clamp_min(0.0).sqrt()
            assert torch.allclose(grains[0, cell, bands == band], wanted, atol=1e-2)


def test_grain_is_stronger_in_one_image_than_in_another_and_right_on_average() -> None:
    """One image's grain is one Gaussian's times its own strength."""
    shape = _shape(MixtureSettings(order=8, align=False, bend=0.0), _members())
    part = MixtureImages(shape)
    part.fill(replace(Mixture.grey(shape), grain=torch.full((2, 1, shape.coordinates.count), 0.7)))
    drawn = part.gaussian(torch.randn(4000, shape.latent), torch.zeros(4000).long()).flatten(1) @ part.basis.T
    assert float(drawn.square().mean().sqrt()) == pytest.approx(0.7, rel=0.05)
    strength = drawn.square().mean(1).sqrt().log()
    # Without a strength of their own, images of 36 coordinates would differ by 0.12.
    assert 0.25 < float(strength.std()) < 0.4


@pytest.mark.parametrize("uneven", [False, True])
def test_uneven_factors_are_as_strong_as_the_grain_of_their_image(*, uneven: bool) -> None:
    """The slow twin: an image's numbers are its class's, its factors and its grain, added up one image at a time."""
    torch_rng = torch.Generator().manual_seed(0)
    settings = MixtureSettings(order=6, align=False, bend=0.0)
    shape = replace(_shape(settings, _members(patients=10), latent=3), uneven=uneven)
    grey, m = Mixture.grey(shape), shape.coordinates.count
    means, grain = torch.randn(2, 1, m, generator=torch_rng), 0.1 * torch.rand(2, 1, m, generator=torch_rng)
    mixture = replace(grey, means=means, loadings=torch.randn(2, 1, m, 3, generator=torch_rng), grain=grain)
    part = MixtureImages(shape)
    part.fill(mixture)
    z, labels = torch.randn(6, shape.latent, generator=torch_rng), torch.arange(6) % 2
    drawn = part.gaussian(z, labels).flatten(1) @ part.basis.T
    for numbers, row, label in zip(drawn, z, labels.tolist(), strict=True):
        strength = math.exp(0.3 * float(row[4]) - 0.09)
        factors = mixture.loadings[label, 0] @ row[:3] * (strength if uneven else 1.0)
        wanted = means[label, 0] + factors + grain[label, 0] * row[5:] * strength
        assert torch.allclose(numbers, wanted, atol=1e-4)


def test_uneven_factors_keep_the_variance_that_was_released() -> None:
    settings = MixtureSettings(order=4, align=False, bend=0.0)
    shape = replace(_shape(settings, _members(patients=10), latent=2), uneven=True)
    m = shape.coordinates.count
    part = MixtureImages(shape)
    part.fill(replace(Mixture.grey(shape), loadings=torch.full((2, 1, m, 2), 0.5)))
    z = torch.randn(20_000, shape.latent, generator=torch.Generator().manual_seed(0))
    drawn = part.gaussian(z, torch.zeros(20_000, dtype=torch.int64)).flatten(1) @ part.basis.T
    assert torch.allclose(drawn.var(0), torch.full((m,), 0.5), rtol=0.05)


def test_a_component_that_nobody_is_in_is_not_drawn() -> None:
    """Its centre would be noise."""
    found = _measured(_members(60), MixtureSettings(order=4, align=False, bend=0.0, components=20), noise=1.0)
    assert torch.allclose(found.shares.sum(1), torch.ones(2))
    assert bool((found.shares == 0).any())


def test_noise_alone_keeps_no_direction() -> None:
    """A covariance that is nothing but the query's noise is thrown away; a strong direction in it is kept."""
    m, noise = 60, 0.5
    pure = _products_of_nothing(m, noise=noise, seed=1)
    assert kept(pure, noise, 40).shape[1] <= 1
    direction = torch.zeros(m, dtype=pure.dtype)
    direction[7] = 1.0
    strong = 40.0
    found = kept(pure + strong * torch.outer(direction, direction), noise, 40)
    assert found.shape[1] in (1, 2)
    assert float(found[:, 0].square().sum()) == pytest.approx(strong, rel=0.15)
    assert abs(float(found[7, 0])) / float(found[:, 0].norm()) > 0.95


@pytest.mark.parametrize(
    "wrong",
    [
        {"order": 0},
        {"fine_order": 0},
        {"components": 0},
        {"components": 201},
        {"bend": -0.1},
        {"bend": 4.1},
        {"rounds": 0},
        {"share": 1.0},
        {"spread_radius": 0.0},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    """Those of what an image is described by, too, which a generator's configuration shares."""
    with pytest.raises(UsageError, match=next(iter(wrong))):
        MixtureSettings(**wrong)
