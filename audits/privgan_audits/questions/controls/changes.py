"""How an image is changed into a disguise; lengths are shares of the side, so that they suit every size of image."""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from privgan.arrays import Floats, Images
from privgan.images.geometry import by_channel, pool
from privgan.images.stored import as_stored, with_channels

Change = Callable[[Images, Images, np.random.Generator], NDArray[np.generic]]
_WAVE = 0.15  # of the side: over which a warp is smooth


def noise(deviation: float) -> Change:
    """White noise of a deviation, as a share of the range of grey."""
    return lambda images, _, rng: images + rng.normal(0.0, 255.0 * deviation, images.shape)


def blur(sigma: float) -> Change:
    """A Gaussian of that width."""
    return lambda images, _, __: _smooth(images, sigma)


def jpeg(quality: int) -> Change:
    """Compressed and decoded again."""

    def compressed(images: Images, others: Images, rng: np.random.Generator) -> Images:
        from PIL import Image

        del others, rng
        decoded = []
        for image in as_stored(images):
            buffer = io.BytesIO()
            Image.fromarray(image).save(buffer, "JPEG", quality=quality)
            decoded.append(np.asarray(Image.open(buffer)))
        return with_channels(np.stack(decoded))

    return compressed


def negative(images: Images, others: Images, rng: np.random.Generator) -> Floats:
    """Black becomes white; with a little noise, so that no look-up table undoes it."""
    del others
    return np.asarray(255.0 - images + rng.normal(0.0, 0.02 * 255, images.shape))


def equalised(images: Images, others: Images, rng: np.random.Generator) -> Floats:
    """Every grey level as frequent as any other, image by image and channel by channel."""
    del others, rng

    def level(plane: NDArray[np.generic]) -> Floats:
        _, place, counts = np.unique(plane, return_inverse=True, return_counts=True)
        middle = np.cumsum(counts) - counts / 2
        return np.asarray(255.0 * (middle / plane.size)[place].reshape(plane.shape))

    return by_channel(lambda planes: np.stack([level(plane) for plane in planes]), images)


def gamma(exponent: float) -> Change:
    """Grey values to a power."""
    return lambda images, _, __: 255.0 * (images / 255.0) ** exponent


def hue(degrees: float) -> Change:
    """Colours turned about the axis from black to white; their sum stays."""
    angle = np.deg2rad(degrees)
    across = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    turn = np.cos(angle) * np.eye(3) + (1 - np.cos(angle)) / 3 + np.sin(angle) * across
    return lambda images, _, __: images @ turn.T


def part(top: float, left: float, height: float, width: float) -> Change:
    """A window of the image, in its place on another."""

    def pasted(images: Images, others: Images, rng: np.random.Generator) -> Images:
        del rng
        result, side = others.copy(), images.shape[1]
        rows = slice(round(top * side), round((top + height) * side))
        columns = slice(round(left * side), round((left + width) * side))
        result[:, rows, columns] = images[:, rows, columns]
        return result

    return pasted


def moved_part(share: float) -> Change:
    """A square window of the image from anywhere, anywhere on another."""

    def pasted(images: Images, others: Images, rng: np.random.Generator) -> Images:
        result, side = others.copy(), images.shape[1]
        length = round(share * side)
        corners = rng.integers(0, side - length + 1, (len(images), 4))
        for image, target, (y, x, down, right) in zip(images, result, corners, strict=True):
            target[down : down + length, right : right + length] = image[y : y + length, x : x + length]
        return result

    return pasted


def half_size(images: Images, others: Images, rng: np.random.Generator) -> Floats:
    """The whole image at half its size in a corner of another."""
    del rng
    result, half = others.astype(np.float64), images.shape[1] // 2
    result[:, :half, -half:] = pool(images, half)
    return result


def fine_detail(sigma: float) -> Change:
    """What is finer than a Gaussian of that width, on another's shapes."""
    return lambda images, others, _: images - _smooth(images, sigma) + _smooth(others, sigma)


def coarse_shapes(sigma: float) -> Change:
    """What is coarser, under another's detail."""
    return lambda images, others, _: _smooth(images, sigma) + others - _smooth(others, sigma)


def blend(share: float) -> Change:
    """With a share of another image mixed in."""
    return lambda images, others, _: (1 - share) * images + share * others.astype(np.float64)


def rotation(degrees: float) -> Change:
    """Turned about the middle, either way; what comes in from outside repeats the border."""

    def turned(images: Images, others: Images, rng: np.random.Generator) -> Floats:
        del others
        angles = degrees * rng.choice([-1.0, 1.0], len(images))
        return np.stack([_turned(image, angle) for image, angle in zip(images, angles, strict=True)])

    return turned


def _turned(image: Images, degrees: float) -> Floats:
    grey = image.astype(np.float64)
    return np.asarray(ndimage.rotate(grey, degrees, axes=(1, 0), reshape=False, order=1, mode="nearest"))


def crop(share: float) -> Change:
    """The middle `share` of either side, stretched to the full size."""

    def cropped(images: Images, others: Images, rng: np.random.Generator) -> Floats:
        del others, rng
        at = (images.shape[1] - 1) / 2 + share * (np.arange(images.shape[1]) - (images.shape[1] - 1) / 2)
        return _resampled(
            images, np.broadcast_to(np.meshgrid(at, at, indexing="ij"), (len(images), 2, len(at), len(at)))
        )

    return cropped


def shift(share: float) -> Change:
    """Moved by whole pixels along both axes; what comes in repeats the border."""

    def moved(images: Images, others: Images, rng: np.random.Generator) -> Images:
        del others, rng
        by = max(1, round(share * images.shape[1]))
        return np.pad(images, ((0, 0), (by, 0), (by, 0), (0, 0)), mode="edge")[:, :-by, :-by]

    return moved


def warp(size: float) -> Change:
    """Smoothly distorted, every pixel by about this share of the side."""

    def warped(images: Images, others: Images, rng: np.random.Generator) -> Floats:
        del others
        side = images.shape[1]
        moves = ndimage.gaussian_filter(
            rng.normal(size=(len(images), 2, side, side)), (0, 0, _WAVE * side, _WAVE * side)
        )
        moves *= size * side / np.sqrt(np.square(moves).mean(axis=(1, 2, 3), keepdims=True))
        return _resampled(images, np.indices((side, side)) + moves)

    return warped


def _resampled(images: Images, places: Floats) -> Floats:
    """Images (n, h, h, c) at fractional places (n, 2, h, h), bilinear; beyond the border, the border."""

    def plane(grey: NDArray[np.generic]) -> Floats:
        pairs = zip(grey.astype(np.float64), places, strict=True)
        return np.stack([ndimage.map_coordinates(image, at, order=1, mode="nearest") for image, at in pairs])

    return by_channel(plane, images)


def _smooth(images: Images, sigma: float) -> Floats:
    width = sigma * images.shape[1]
    return np.asarray(ndimage.gaussian_filter(images.astype(np.float64), (0, width, width, 0)))
