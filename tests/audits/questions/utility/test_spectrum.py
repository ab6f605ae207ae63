"""The spectrum beside its slow twin; real pictures against real ones, and against blurred and noisy ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from privgan.arrays import Images
from privgan.images.stored import with_channels
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.utility.spectrum import ROUNDING, radial_spectra, spectrum_distance

Spoil = Callable[[Images, np.random.Generator], NDArray[np.float64]]


def pictures(count: int, size: int, seed: int = 0) -> Images:
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 1)).astype(np.uint8)


def slow_spectrum(image: Images) -> list[float]:
    size = len(image)
    hann = [0.5 - 0.5 * np.cos(2 * np.pi * (x + 0.5) / size) for x in range(size)]
    window = np.array([[a * b for a in hann] for b in hann])
    shown = (image - image.mean()) * window / np.linalg.norm(window)
    rings: dict[int, list[float]] = {}
    for v in range(size):
        for u in range(size):
            waves = np.exp(-2j * np.pi * (v * np.arange(size)[:, None] + u * np.arange(size)) / size)
            down, right = (min(f, size - f) for f in (v, u))
            rings.setdefault(round(float(np.hypot(down, right))), []).append(abs((shown * waves).sum()) ** 2)
    return [float(np.log(np.mean(rings[k]) + ROUNDING)) for k in range(1, size // 2 + 1)]


@pytest.mark.parametrize("size", [8, 11])
def test_a_spectrum_is_the_average_over_rings_of_the_transform(size: int) -> None:
    images = pictures(3, size)
    np.testing.assert_allclose(radial_spectra(images), [slow_spectrum(image[..., 0]) for image in images], rtol=1e-9)


def test_a_wave_has_its_power_at_its_frequency() -> None:
    wave = np.rint(127 + 100 * np.cos(2 * np.pi * 5 * np.arange(32) / 32)).astype(np.uint8)
    spectrum = radial_spectra(np.tile(wave, (1, 32, 1))[..., None])[0]
    assert spectrum.argmax() + 1 == 5
    assert spectrum[4] - np.delete(spectrum, [3, 4, 5]).max() > 5


def test_white_noise_has_its_variance_at_every_frequency() -> None:
    noise = np.rint(np.random.default_rng(1).normal(128, 10, (2_000, 16, 16, 1))).astype(np.uint8)
    np.testing.assert_allclose(np.exp(radial_spectra(noise)).mean(axis=0)[1:], 100 + 2 / 12, rtol=0.05)


def test_an_even_picture_has_the_power_of_rounding_and_no_more() -> None:
    np.testing.assert_allclose(radial_spectra(np.full((1, 16, 16, 1), 77, np.uint8)), np.log(ROUNDING))


def test_colours_are_averaged() -> None:
    grey = pictures(2, 16)
    alike = np.repeat(grey, 3, axis=3)
    np.testing.assert_allclose(radial_spectra(alike), radial_spectra(grey))


def test_half_the_contrast_is_a_quarter_of_the_power() -> None:
    grey = 2 * (pictures(4, 32) // 4)
    found = spectrum_distance(radial_spectra(2 * grey), radial_spectra(grey))
    assert found == pytest.approx(np.log(4), abs=0.01)


def blurred(images: Images, _: np.random.Generator) -> NDArray[np.float64]:
    return ndimage.gaussian_filter(images.astype(float), (0, 0.5, 0.5, 0))


def noisy(images: Images, rng: np.random.Generator) -> NDArray[np.float64]:
    return images + rng.normal(0, 3, images.shape)


def halves(images: Images, spoil: Spoil | None, seed: int) -> float:
    """The distance of half of some images, perhaps spoiled, to the other half."""
    rng = np.random.default_rng(seed)
    one, other = np.array_split(images[rng.permutation(len(images))], 2)
    changed = other if spoil is None else np.clip(np.rint(spoil(other, rng)), 0, 255).astype(np.uint8)
    return spectrum_distance(radial_spectra(one), radial_spectra(changed))


def test_halves_of_real_images_are_alike_and_blurred_and_noisy_ones_are_not(draw: Callable[..., Sample]) -> None:
    images = draw(np.random.default_rng(30), 600, most=1).images
    assert max(halves(images, None, seed) for seed in range(20)) < 0.1
    for spoil in (blurred, noisy):
        assert min(halves(images, spoil, seed) for seed in range(5)) > 0.15


def test_halves_of_chest_x_rays_are_alike_and_blurred_and_noisy_ones_are_not(shared_data: Path) -> None:
    with np.load(shared_data / "images/kermany_cxr_64.npz", allow_pickle=False) as archive:
        owner, images = archive["patient_id"], with_channels(archive["images"])
    one_each = images[np.unique(owner, return_index=True)[1]][::4]
    assert max(halves(one_each, None, seed) for seed in range(5)) < 0.1
    for spoil in (blurred, noisy):
        assert halves(one_each, spoil, 0) > 0.15
