"""The one-shot start: what it asks of a patient is bounded, what it learns is right, its noise is not learned."""

import numpy as np
import pytest
import torch

from privgan.dp.sampling import PatientIndex
from privgan.gan.warm_start import (
    Members,
    MomentSettings,
    _kept,
    _mean_vectors,
    _spread_vectors,
    _symmetric,
    cosine_basis,
    measure_moments,
)

SETTINGS = MomentSettings(order=8)


def _members(patients: int = 300, seed: int = 0, size: int = 28) -> Members:
    rng = np.random.default_rng(seed)
    owners = np.repeat(np.arange(patients), rng.integers(1, 4, patients))
    labels = rng.integers(0, 2, len(owners))
    y, x = np.mgrid[0:size, 0:size] / size
    shapes = np.stack([np.cos(3 * x), np.sin(4 * y)])[labels]
    scale = 60 + 12 * rng.standard_normal(len(owners))
    images = np.clip(128 + scale[:, None, None] * shapes, 0, 255).astype(np.uint8)
    return Members(images=images, labels=labels, index=PatientIndex.of(owners, np.arange(len(owners))), classes=2)


@pytest.mark.parametrize("extreme", [None, 0, 255])
def test_every_patients_vectors_have_norm_at_most_one(extreme: int | None) -> None:
    """Sensitivity of both queries is 1 before any clipping of the sum, also for all-black and all-white images."""
    members = _members(60)
    if extreme is not None:
        members.images[:] = extreme
    basis = cosine_basis(28, SETTINGS.order)
    for vectors in (
        _mean_vectors(members, basis, SETTINGS),
        _spread_vectors(members, basis, torch.zeros(2, len(basis)), 0.3 * 28),
    ):
        rows = torch.cat(list(vectors))
        assert len(rows) == members.index.count
        assert float(rows.norm(dim=1).max()) <= 1 + 1e-5


def test_without_noise_the_moments_are_the_moments() -> None:
    """Means, counts and covariances come out as a plain computation gives them."""
    members = _members()
    settings = MomentSettings(order=8, mean_radius=5.0, spread_radius=5.0)
    found = measure_moments(members, settings, (1e-9, 1e-9), latent=40, rng=np.random.default_rng(0))
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
        assert torch.allclose(found.means[label], mean, atol=1e-3)
        assert torch.allclose(found.loadings[label] @ found.loadings[label].T, covariance, atol=2e-2)


def test_noise_alone_keeps_no_direction() -> None:
    """A covariance that is nothing but the query's noise is thrown away; a strong direction in it is kept."""
    m, noise = 60, 0.5
    upper = torch.from_numpy(np.random.default_rng(1).standard_normal((1, m * (m + 1) // 2))) * noise
    pure = _symmetric(upper, m)[0]
    assert _kept(pure, noise, 40).shape[1] <= 1
    direction = torch.zeros(m, dtype=pure.dtype)
    direction[7] = 1.0
    strong = 40.0
    kept = _kept(pure + strong * torch.outer(direction, direction), noise, 40)
    assert kept.shape[1] in (1, 2)
    assert float(kept[:, 0].square().sum()) == pytest.approx(strong, rel=0.15)
    assert abs(float(kept[7, 0])) / float(kept[:, 0].norm()) > 0.95


def test_the_basis_is_orthonormal() -> None:
    """Coefficients of an image have at most the image's norm, for any size."""
    for size in (28, 37, 64):
        basis = cosine_basis(size, 15)
        assert torch.allclose(basis @ basis.T, torch.eye(len(basis)), atol=1e-4)
