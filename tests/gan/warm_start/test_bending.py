"""Smooth distortions: as large as asked, smooth, without a preferred direction, and nothing where none is asked."""

import torch

from privgan.gan.warm_start import ImageModel, MixtureImages, MixtureShape
from privgan.gan.warm_start.movement import BENDS, bent, waves
from privgan.images.form import ImageForm

SIZE = 28


def displacement(n: int) -> torch.Tensor:
    """(n, size, size) of unit size."""
    z = torch.randn(n, BENDS // 2, generator=torch.Generator().manual_seed(1))
    return (z @ waves(SIZE)).reshape(n, SIZE, SIZE)


def test_a_displacement_has_the_size_that_is_asked_and_long_waves() -> None:
    field = displacement(4000)
    assert abs(float(field.square().mean()) - 1) < 0.05
    assert abs(float(field.mean())) < 0.05
    step = (field[:, 1:] - field[:, :-1]).square().mean()
    assert float(step) < 0.1  # neighbours move together
    half = (field[:, SIZE // 2 :] - field[:, : SIZE // 2]).square().mean()
    assert float(half) > 1.0  # far apart they do not


def test_a_white_bar_at_the_edge_moves_as_a_slow_twin_moves_it() -> None:
    image = torch.full((1, 1, SIZE, SIZE), -1.0)
    image[0, 0, 10:18, 18:] = 1.0
    z = torch.randn(1, BENDS, generator=torch.Generator().manual_seed(2))
    down, right = (z.reshape(1, 2, -1) @ waves(SIZE)).reshape(2, SIZE, SIZE)[[1, 0]]
    slow = torch.full((SIZE, SIZE), -1.0)
    for i in range(SIZE):
        for j in range(SIZE):
            y, x = i + 1.5 * float(down[i, j]), j + 1.5 * float(right[i, j])
            top, left = int(y // 1), int(x // 1)
            total = 0.0
            for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
                weight = (1 - abs(y - top - a)) * (1 - abs(x - left - b))
                row, column = min(max(top + a, 0), SIZE - 1), min(max(left + b, 0), SIZE - 1)
                total += weight * float(image[0, 0, row, column])
            slow[i, j] = total
    assert torch.allclose(bent(image, z, waves(SIZE), 1.5)[0, 0], slow, atol=1e-4)


def test_without_a_bend_there_are_no_numbers_for_it_and_with_one_images_of_one_latent_differ() -> None:
    straight, bending = (
        MixtureShape.of(
            ImageModel(order=6, align=False, bend=bend), ImageForm(side=SIZE, classes=("a", "b")), factors=4
        )
        for bend in (0.0, 1.0)
    )
    assert bending.latent - straight.latent == BENDS
    images = MixtureImages(bending)
    images.means[:] = torch.randn(bending.coordinates.count, generator=torch.Generator().manual_seed(3))
    z = torch.zeros(2, bending.latent)
    labels = torch.zeros(2, dtype=torch.int64)
    assert torch.equal(*images(z, labels))
    z[1, -BENDS:] = torch.randn(BENDS, generator=torch.Generator().manual_seed(4))
    one, other = images(z, labels)
    assert float((one - other).square().mean()) > 1e-3
