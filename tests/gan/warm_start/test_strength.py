"""How strong detail is: bands that miss and share nothing, and an answer that says no more than noise lets it."""

import numpy as np
import pytest
import torch
from scipy.fft import dctn, idctn

from privgan.gan.warm_start.strength import GRID, DetailBands, measure_powers, split
from tests.gan.small import SIZE, members_of

BANDS = DetailBands(side=SIZE, order=5)


@pytest.mark.parametrize(("side", "order"), [(16, 5), (28, 15), (64, 15), (100, 20)])
def test_every_fine_frequency_is_of_one_band_and_no_coarse_one_of_any(side: int, order: int) -> None:
    along = np.arange(side)
    fine = np.hypot(along[:, None], along) >= 0.8 * order
    masks = DetailBands(side=side, order=order).masks
    np.testing.assert_array_equal(masks.sum(0).numpy(), fine)
    assert (masks.sum((1, 2)) > 0).all()


def test_bands_are_those_of_an_obvious_transform() -> None:
    images = torch.randn(3, 2, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    for part, mask in zip(split(images, BANDS.columns, BANDS.masks), BANDS.masks, strict=True):
        cosines = dctn(images.double().numpy(), axes=(2, 3), norm="ortho") * mask.numpy()
        np.testing.assert_allclose(part.numpy(), idctn(cosines, axes=(2, 3), norm="ortho"), atol=1e-5)


def slow_powers(image: torch.Tensor) -> list[float]:
    """Of one image (channels, side, side), part after part of the frame."""
    light, step = image.double().mean(0).numpy(), SIZE // GRID
    found: list[float] = []
    for mask in BANDS.masks.numpy():
        part = idctn(dctn(light, norm="ortho") * mask, norm="ortho")
        for top in range(0, SIZE, step):
            row = [part[top : top + step, left : left + step] for left in range(0, SIZE, step)]
            found.extend(np.log(np.square(place).mean() + 1e-5) for place in row)
    return found


def test_powers_are_those_of_every_part_of_the_light() -> None:
    images = torch.rand(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    wanted = [slow_powers(image) for image in images]
    np.testing.assert_allclose(BANDS.powers(images).numpy(), wanted, atol=1e-3)


NUMBERS = len(BANDS.numbers)


def asked(noise: float, off: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What forty patients of two classes answer, what they are, and public images that are off by that much."""
    rng, labels = np.random.default_rng(0), np.arange(40) % 2
    images = rng.integers(0, 256, (40, SIZE, SIZE), dtype=np.uint8)
    images[labels == 1] = 128 + (images[labels == 1].astype(float) - 128) * 0.7
    own = BANDS.powers(torch.from_numpy(images)[:, None].float() / 127.5 - 1)
    true = torch.stack([own[labels == label].mean(0) for label in range(2)])
    public, counts = own.mean(0) + off, torch.full((2,), 20.0)
    found = measure_powers(members_of(images, labels), BANDS, public, counts, noise, np.random.default_rng(1))
    return found, true, public


def test_without_noise_the_answer_is_each_class_s_average() -> None:
    found, true, _ = asked(1e-9, 0.1)
    assert (true[0] - true[1]).mean() > 0.5
    np.testing.assert_allclose(found.numpy(), true.numpy(), atol=0.05)


def test_what_noise_hides_stays_as_it_is_in_public() -> None:
    heard, _, public = asked(0.1, 0.5)
    drowned, _, _ = asked(1000.0, 0.5)
    noise_alone = 1000.0 * NUMBERS**0.5 / 20
    assert (heard - public).mean() < -0.3
    assert (drowned - public).abs().mean() < noise_alone / 2


def test_far_from_public_images_a_patient_adds_no_more_than_the_bound() -> None:
    """All are cut off: the answer lies in the right direction, and no further than the radius."""
    found, true, public = asked(1e-9, -30.0)
    away = (found - public).double()
    assert (away.square().mean(1).sqrt() <= 1.0 + 1e-5).all()
    assert torch.cosine_similarity(away, (true - public).double()).min() > 0.99
