"""What describes an image: frequencies, brightness and pose, each of which can be undone."""

import numpy as np
import torch

from privgan.gan.warm_start import Coordinates, cosine_basis
from privgan.gan.warm_start.cosines import analysed, synthesised
from privgan.gan.warm_start.movement import waves
from privgan.gan.warm_start.pose import pose_of, posed, unposed


def test_an_image_is_described_as_its_darker_self_but_for_the_brightness() -> None:
    """Half the light: the same cosines and pose, another brightness; and what is drawn from it is as dark."""
    rng = np.random.default_rng(0)
    light = torch.from_numpy(rng.random((5, 1, 28, 28))).float().cumsum(2).cumsum(3)
    light = light / light.amax((1, 2, 3), keepdim=True)
    system = Coordinates(
        image_size=28,
        channels=1,
        order=60,
        colour_order=60,
        fine=60,
        brightness=True,
        pose=False,
        align=False,
    )
    bright, dark = (system.of(2 * light * factor - 1) for factor in (1.0, 0.5))
    assert torch.allclose(bright[:, :-1], dark[:, :-1], atol=1e-3)
    assert bool((bright[:, -1] - dark[:, -1] > 1).all())
    assert torch.allclose(system.drawn(dark, torch.zeros(5, 0), system.basis, waves(28)), light - 1, atol=1e-4)
    assert bool(torch.isfinite(system.of(torch.full((1, 1, 28, 28), -1.0))).all())


def test_a_pose_can_be_undone() -> None:
    """A slanted, shifted bar comes out upright, and goes back to where it was."""
    image = torch.full((1, 1, 28, 28), -1.0)
    for row in range(6, 24):
        image[0, 0, row, 8 + row // 3 : 11 + row // 3] = 1.0
    pose = pose_of(image)
    upright = posed(image, pose)
    assert abs(float(pose_of(upright)[0, 3])) < abs(float(pose[0, 3])) / 3  # slant
    assert float(pose_of(upright)[0, :2].abs().max()) < 0.5  # of a 28th of the frame
    assert float((unposed(upright, pose) - image).square().mean()) < 0.1 * float(image.var())


def test_the_basis_is_orthonormal() -> None:
    """Coefficients of an image have at most the image's norm, for any size."""
    for size in (28, 37, 64):
        basis = cosine_basis(size, 15)
        assert torch.allclose(basis @ basis.T, torch.eye(len(basis)), atol=1e-4)
    colours = torch.randn(2, 3, 28, 28)
    full = cosine_basis(28, 60)
    assert torch.allclose(synthesised(analysed(colours, full), full, 3), colours, atol=1e-3)


def test_fine_colour_follows_the_light_and_coarse_colour_is_its_own() -> None:
    """Colours that are a part of their light come back by the tint; without it fine detail is grey."""
    system = Coordinates(
        image_size=16,
        channels=3,
        order=6,
        colour_order=3,
        fine=6,
        brightness=False,
        pose=False,
        align=False,
    )
    light, tint = torch.randn(4, 21), torch.tensor([0.3, -0.2]).expand(4, -1)
    colour = tint[:, :, None] * light[:, None]
    colour[:, :, :6] = torch.randn(4, 2, 6)
    images = synthesised(torch.cat([light, colour.flatten(1)], dim=1), system.basis, 3)
    found = system.of(images)
    assert found.shape == (4, 21 + 2 * 6)
    assert torch.allclose(system.drawn(found, tint, system.basis, waves(16)), images, atol=1e-4)
    grey = analysed(system.drawn(found, 0 * tint, system.basis, waves(16)), system.basis).reshape(4, 3, 21)
    assert torch.allclose(grey[:, 1:, :6], colour[:, :, :6], atol=1e-4)
    assert float(grey[:, 1:, 6:].abs().max()) < 1e-4
