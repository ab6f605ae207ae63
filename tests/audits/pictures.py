"""Real pictures for studies of what the audit sees: members, non-members, and images of others as the safe set."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import ndimage

from privgan.arrays import Images
from privgan.images.stored import with_channels
from privgan_audits.evidence.interface import Sample
from tests.audits.xrays import XRays

MEMBERS, NON_MEMBERS = 1333, 667
Pictures = tuple[Sample, Sample, Images]
Kind = Callable[[Path, np.random.Generator], Pictures]


def x_rays(shared_data: Path, rng: np.random.Generator) -> Pictures:
    """Chest X-rays of children; other patients' images are the safe set."""
    members, others, rest = XRays.read(shared_data).split(rng, MEMBERS, NON_MEMBERS, 1600)
    return members, others, rest.images


def blurred_x_rays(shared_data: Path, rng: np.random.Generator) -> Pictures:
    """The safe set blurred by a pixel, as private generators are."""
    members, others, images = x_rays(shared_data, rng)
    return members, others, ndimage.gaussian_filter(images.astype(float), (0, 1, 1, 0)).astype(np.uint8)


def clothes(shared_data: Path, rng: np.random.Generator) -> Pictures:
    """Fashion-MNIST, an image a person: pictures that have little in common."""
    with np.load(shared_data / "images" / "fashion_mnist_28.npz") as stored:
        return _an_image_a_person(stored["train_images"][:8000], rng)


def heads(shared_data: Path, rng: np.random.Generator) -> Pictures:
    """CT slices of heads at many levels, an image a person, because nobody knows whose they are."""
    with np.load(shared_data / "images" / "head_ct_64.npz") as stored:
        return _an_image_a_person(stored["images"], rng)


def _an_image_a_person(images: Images, rng: np.random.Generator) -> Pictures:
    """Of stored images (n, h, w), those that are there twice once; 2,000 are the safe set."""
    images = np.unique(with_channels(images), axis=0)
    images = images[rng.permutation(len(images))[: MEMBERS + NON_MEMBERS + 2000]]
    numbers = np.arange(len(images))

    def some(first: int, count: int) -> Sample:
        rows = slice(first, first + count)
        return Sample(images=images[rows], labels=np.zeros(count, np.int64), patients=numbers[rows])

    return some(0, MEMBERS), some(MEMBERS, NON_MEMBERS), images[MEMBERS + NON_MEMBERS :]
