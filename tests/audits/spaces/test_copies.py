"""Copies told one by one: exact and near ones are found, alike strangers are not, and blocks change nothing."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from privgan.arrays import Images
from privgan.images.stored import with_channels
from privgan_audits.spaces import copies as module
from privgan_audits.spaces.copies import copies
from privgan_audits.spaces.pixel_space import pair_distances
from privgan_audits.spaces.search.searches import views
from tests.takes import takes


def jpeg(images: Images, quality: int) -> Images:
    found = []
    for image in images[..., 0]:
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, "JPEG", quality=quality)
        found.append(np.asarray(Image.open(stream)))
    return with_channels(np.stack(found))


def noisy(images: Images) -> Images:
    noise = np.random.default_rng(1).normal(0, 0.04 * 255, images.shape)
    return np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)


def moved(images: Images) -> Images:
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(padded[:, 4:, :-4])


CHANGES: dict[str, tuple[str, Callable[[Images], Images]]] = {
    "the same": ("exact", lambda images: images),
    "mirrored": ("exact", lambda images: images[:, :, ::-1].copy()),
    "a negative": ("exact", lambda images: 255 - images),
    "JPEG 60": ("near", lambda images: jpeg(images, 60)),
    "noise of 4 %": ("near", noisy),
    "mirrored, with noise": ("near", lambda images: noisy(images[:, :, ::-1])),
    "moved by two pixels": ("near", moved),
}


@pytest.fixture(scope="module")
def originals() -> Images:
    return takes(120, seed=0)


@pytest.mark.parametrize("name", CHANGES)
def test_every_copy_is_found_and_its_original_named(originals: Images, name: str) -> None:
    kind, change = CHANGES[name]
    rows = np.arange(3, 120, 6)
    found = copies(change(originals[rows]), originals, np.arange(120))
    assert getattr(found, kind).all()
    assert (found.original == rows).all()
    assert found.count == len(rows) == int(found.exact.sum() + found.near.sum())


def test_strangers_are_no_copies_and_blank_images_are_nobodys(originals: Images) -> None:
    strangers = takes(120, seed=1)
    strangers[:2] = 0
    found = copies(strangers, np.concatenate([originals, strangers[:2]]), np.arange(122))
    assert found.count == 0
    assert (found.original == -1).all()


def test_images_of_the_same_person_make_no_copy_ordinary(originals: Images) -> None:
    """Else whoever has two takes alike could be copied nearly at will."""
    twice = np.concatenate([originals, jpeg(originals, 90)])
    people = np.tile(np.arange(120), 2)
    assert copies(noisy(originals[:20]), twice, people).near.all()
    assert not copies(noisy(originals[:20]), twice, np.arange(240)).near.any()


def twin(images: Images, originals: Images, owner: np.ndarray) -> np.ndarray:
    """Every pair in every orientation."""

    def distances(a: Images, b: Images) -> np.ndarray:
        rows, others = (grid.ravel() for grid in np.indices((len(a), len(b))))
        turns = tuple(np.full(len(rows), turn) for turn in range(8))
        found = pair_distances(views(a, searching=False), rows, views(b, searching=False), others, turns)
        return found.reshape(len(a), len(b))

    among = distances(originals, originals)
    among[owner[:, None] == owner] = np.inf
    apart = distances(images, originals)
    nearest = apart.argmin(axis=1)
    least = apart.min(axis=1)
    return (least <= module.NEAR) & (least <= module.RATIO * among[nearest].min(axis=1))


def test_fast_and_slow_call_the_same_images_near(originals: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    some, owner = originals[:24], np.arange(24) // 2
    images = np.concatenate([noisy(some[:6]), moved(noisy(some[6:9])), takes(8, seed=2)])
    expected = twin(images, some, owner)
    assert 0 < expected.sum() < len(images)
    assert (copies(images, some, owner).near == expected).all()
    monkeypatch.setattr(module, "_BLOCK", 5)
    assert (copies(images, some, owner).near == expected).all()
