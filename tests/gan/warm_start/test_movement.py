"""Movements of parts: found where they were made, undone, and what they are good for: averages without blur."""

import numpy as np
import pytest
import torch
from torch import Tensor

from privgan.gan.image_model import MixtureSettings
from privgan.gan.randomness import Randomness
from privgan.gan.warm_start import Coordinates, ImageModel, MixtureImages, MixtureShape, movement
from privgan.gan.warm_start.measure import measure_mixture
from privgan.gan.warm_start.movement import BENDS, REACH, bent, movements, unbent, waves
from privgan.images.form import ImageForm
from tests.gan.small import members_of

SIZE = 32
MOVED = 0.8  # in every number


def ring(n: int) -> Tensor:
    """A ring around the middle with a bar in it, the same n times."""
    y, x = torch.meshgrid(*[(torch.arange(SIZE) + 0.5) / SIZE - 0.5] * 2, indexing="ij")
    around = torch.exp(-(((x**2 + y**2).sqrt() - 0.3) ** 2) / 0.005)
    bar = torch.exp(-(x**2) / 0.004) * (y.abs() < 0.2)
    return (2 * (around + bar).clamp(0, 1) - 1).expand(n, 1, SIZE, SIZE)


def moved_rings(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Rings whose parts lie elsewhere, and how they were moved."""
    z = MOVED * torch.randn(n, BENDS, generator=torch.Generator().manual_seed(seed))
    return bent(ring(n), z, waves(SIZE), REACH), z


def test_a_movement_can_be_undone() -> None:
    images, z = moved_rings(20)
    back = unbent(images, z, waves(SIZE), REACH)
    before, after = ((part - ring(20)).square().mean() for part in (images, back))
    assert float(after) < 0.15 * float(before)


def test_movements_are_found_where_they_were_made() -> None:
    """The movement that is found leads onto the image, and is the one that was made as far as edges show it."""
    images, z = moved_rings(40)
    found = movements(images, ring(1)[0])
    onto = bent(ring(40), found, waves(SIZE), REACH)
    assert float((onto - images).square().mean()) < 0.15 * float((ring(40) - images).square().mean())
    assert float(torch.corrcoef(torch.stack([found.flatten(), z.flatten()]))[0, 1]) > 0.6
    other, _ = moved_rings(40, seed=1)
    wrong = movements(other, ring(1)[0])
    assert abs(float(torch.corrcoef(torch.stack([wrong.flatten(), z.flatten()]))[0, 1])) < 0.2


def test_what_is_there_is_not_moved_nor_is_darkness_and_noise_gives_numbers() -> None:
    assert float(movements(ring(3), ring(1)[0]).abs().max()) < 1e-4
    dark = torch.full((2, 1, SIZE, SIZE), -1.0)
    assert float(movements(dark, dark[0]).abs().max()) < 1e-4
    assert bool(torch.isfinite(movements(torch.randn(4, 3, 50, 50), torch.randn(3, 50, 50))).all())


def test_a_step_is_that_of_a_slow_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    """One step of Gauss and Newton with every derivative written out, an image at a time."""
    monkeypatch.setattr(movement, "_ROUNDS", 1)
    images, _ = moved_rings(3)
    quick, field, template = movements(images, ring(1)[0]), waves(SIZE), ring(1)[0, 0]
    wide = torch.nn.functional.pad(template[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    slopes = ((wide[1:-1, 2:] - wide[1:-1, :-2]) / 2, (wide[2:, 1:-1] - wide[:-2, 1:-1]) / 2)
    columns = [slope.flatten() * wave * SIZE / 28 * REACH for slope in slopes for wave in field]
    jacobian = torch.stack(columns, 1).double() / movement._ROUGH
    for image, found in zip(images, quick, strict=True):
        away = (image[0] - template).flatten().double() / movement._ROUGH
        stacked = torch.cat([jacobian, torch.eye(BENDS).double()])
        slow = torch.linalg.lstsq(stacked, torch.cat([away, torch.zeros(BENDS).double()])).solution
        assert torch.allclose(found.double(), slow.clamp(-3, 3), atol=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_bands_and_counts_fit_what_describes_an_image(channels: int) -> None:
    whole = Coordinates(
        image_size=SIZE,
        channels=channels,
        order=4,
        colour_order=3,
        fine=6,
        brightness=True,
        pose=True,
        align=True,
    )
    images = torch.rand(2, channels, SIZE, SIZE) * 2 - 1
    assert whole.of(images, images[0]).shape == (2, len(whole.bands))
    assert whole.still.of(images).shape == (2, len(whole.still.bands))
    assert torch.equal(whole.varying.of(images, images[0]), whole.of(images, images[0])[:, : whole.count])
    assert torch.equal(whole.varying.bands, whole.bands[: whole.count])
    assert torch.equal(whole.bands[: whole.still.count], whole.still.bands)
    assert whole.bands.unique().tolist() == list(range(int(whole.bands.max()) + 1))
    # 10 cosines in 4 bands, 6 in 3 of each difference of colour, brightness, pose, 21 waves each way in 6 bands, and
    # 11 finer cosines in 2.
    assert whole.count == 10 + 6 * (channels - 1) + 1 + 5 + 42
    assert whole.fine_count == 11
    assert int(whole.bands.max()) + 1 == 4 + 3 * (channels - 1) + 1 + 5 + 12 + 2


def test_an_image_is_drawn_from_what_describes_it() -> None:
    images, _ = moved_rings(10)
    model = ImageModel(order=12, fine_order=28, align=True)
    system = MixtureShape.of(model, ImageForm(side=SIZE, classes=("a",)), factors=1).coordinates
    found = system.of(images, ring(1)[0])
    drawn = system.drawn(found, torch.zeros(10, 0), system.basis, waves(SIZE))
    assert float((drawn - images).square().mean()) < 0.05 * float(images.var())


def test_an_average_of_moved_things_is_sharp_and_what_is_drawn_moves() -> None:
    """The edges of the average, and of what is drawn, are those of the things and not those of their blur."""
    n = 400
    images, _ = moved_rings(n)
    grey = ((images[:, 0] + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).numpy()
    members = members_of(grey, np.zeros(n, dtype=np.int64))
    edges, likeness = {}, {}
    for align in (False, True):
        settings = MixtureSettings(order=12, fine_order=28, align=align, bend=0.0, spread_radius=0.8)
        shape = MixtureShape.of(settings, ImageForm(side=SIZE, classes=("a",)), factors=40)
        noise = tuple(1e-9 for _ in settings.noise_ratios)
        mixture = measure_mixture(members, settings, noise, shape, Randomness.of(0))
        part = MixtureImages(shape)
        part.fill(mixture)
        torch.manual_seed(0)
        drawn = part(torch.randn(n, shape.latent), torch.zeros(n, dtype=torch.int64))
        edges[align] = steepness(shape.coordinates.template(torch.cat([mixture.means[0, 0], mixture.fine])))
        likeness[align] = float(torch.cdist(images.flatten(1), drawn.flatten(1)).amin(1).mean())
    assert edges[True] > 1.2 * edges[False]
    assert edges[True] > 0.7 * steepness(images)
    assert likeness[True] < 0.8 * likeness[False]


def steepness(images: Tensor) -> float:
    return float((images[..., 1:] - images[..., :-1]).square().mean())
