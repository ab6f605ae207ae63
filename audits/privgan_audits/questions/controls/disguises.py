"""What a copied image may look like when it leaks: the disguises in which copies are planted to test the audit."""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from privgan.arrays import Floats, Images
from privgan.images.form import ImageForm
from privgan.images.geometry import by_channel
from privgan.images.stored import as_stored, with_channels

Disguise = Callable[[Images, np.random.Generator], NDArray[np.generic]]

JPEG_QUALITY = 75


def disguised(images: Images, disguise: Disguise, rng: np.random.Generator) -> Images:
    """Images uint8 (n, h, h, c) in a disguise, rounded to whole values."""
    return np.clip(np.rint(disguise(images, rng)), 0, 255).astype(np.uint8)


def _gamma(exponent: float) -> Disguise:
    return lambda images, _: 255.0 * (images / 255.0) ** exponent


def _blend(images: Images, rng: np.random.Generator) -> Floats:
    return np.asarray(0.8 * images + 0.2 * images[rng.permutation(len(images))])


def crop(share: float) -> Disguise:
    """The middle `share` of either side, stretched to the full size."""

    def cropped(images: Images, rng: np.random.Generator) -> Floats:
        del rng
        size = images.shape[1]
        at = (size - 1) / 2 + share * (np.arange(size) - (size - 1) / 2)
        places = np.meshgrid(at, at, indexing="ij")

        def stretched(image: NDArray[np.generic]) -> Floats:
            return np.asarray(ndimage.map_coordinates(image.astype(float), places, order=1))

        return by_channel(lambda plane: np.stack([stretched(image) for image in plane]), images)

    return cropped


def _jpeg(images: Images, rng: np.random.Generator) -> Images:
    from PIL import Image

    del rng
    decoded = []
    for image in as_stored(images):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY)
        decoded.append(np.asarray(Image.open(buffer)))
    return with_channels(np.stack(decoded))


def _noise(images: Images, rng: np.random.Generator) -> Floats:
    return images + rng.normal(0.0, 0.02 * 255, images.shape)


def rotation(degrees: float) -> Disguise:
    """Turned about the middle; what comes in from outside repeats the border."""

    def turned(images: Images, rng: np.random.Generator) -> Floats:
        del rng
        grey = images.astype(np.float64)
        return np.asarray(ndimage.rotate(grey, degrees, axes=(2, 1), reshape=False, order=1, mode="nearest"))

    return turned


def hue(degrees: float) -> Disguise:
    """Colours turned about the axis from black to white; their sum stays."""
    angle = np.deg2rad(degrees)
    across = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    turn = np.cos(angle) * np.eye(3) + (1 - np.cos(angle)) / 3 + np.sin(angle) * across
    return lambda images, _: images @ turn.T


def _shift(images: Images, rng: np.random.Generator) -> Images:
    del rng
    moved = np.pad(images, ((0, 0), (2, 0), (2, 0), (0, 0)), mode="edge")
    return moved[:, :-2, :-2]


DISGUISES: dict[str, Disguise] = {
    "exact": lambda images, _: images,
    "flip": lambda images, _: images[:, :, ::-1],
    "rotation_90_degrees": lambda images, _: np.rot90(images, axes=(1, 2)),
    "shift_2_px": _shift,
    "noise_2_percent": _noise,
    "rotation_5_degrees": rotation(5),
    "gamma_0_9": _gamma(0.9),
    "gamma_1_1": _gamma(1.1),
    "jpeg_75": _jpeg,
    "crop_95_percent": crop(0.95),
    "blend_20_percent": _blend,
}
IN_COLOUR: dict[str, Disguise] = {"hue_30_degrees": hue(30)}


def disguises_of(images: Images) -> dict[str, Disguise]:
    """Those that change images (n, h, h, c)."""
    return DISGUISES | IN_COLOUR if ImageForm.of(images).colour else DISGUISES
