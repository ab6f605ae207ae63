"""Spaces whose searches several ranks share, or that hold some images at a time, answer to the last bit as before."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from privgan.arrays import Images, Integers
from privgan.gan.ranks.ranks import Ranks
from privgan_audits.spaces import embedding, patches, pixel_space
from privgan_audits.spaces.embedding import train_embedding
from privgan_audits.spaces.landmarks import keypoints, parts, points
from privgan_audits.spaces.lenses import references
from privgan_audits.spaces.lenses import space as lenses
from privgan_audits.spaces.lenses import views as lens_views
from privgan_audits.spaces.lenses.lenses import LENSES
from privgan_audits.spaces.search import searches
from privgan_audits.spaces.space import Space, VectorSpace
from tests.gan.ranks.test_rows import on_ranks

Make = Callable[[Ranks | None], Space]


def pictures(count: int, seed: int) -> Images:
    noise = np.random.default_rng(seed).normal(size=(count, 64, 64))
    smooth = ndimage.gaussian_filter(noise, (0, 3, 3)) * 300
    return np.clip(128 + smooth + 6 * noise, 0, 255).astype(np.uint8)[..., None]


REAL, OTHER = pictures(30, 0), pictures(17, 1)
COPIES = [np.roll(REAL[:5], 1, axis=2), REAL[5:8, :, ::-1]]
OWNER = np.arange(30) // 2
POINTS = np.random.default_rng(2).normal(size=(30, 6)).astype(np.float32)


def vectors(ranks: Ranks | None) -> Space:
    def place(images: Images) -> NDArray[np.float32]:
        return (images[:, :2, :3, 0].reshape(len(images), 6).astype(np.float32) - 128) / 40

    return VectorSpace(
        name="embedding", queries=np.stack([POINTS, POINTS * 2], axis=1), points=POINTS, place=place, ranks=ranks
    )


SPACES: dict[str, Make] = {
    "vectors": vectors,
    "pixels": lambda ranks: pixel_space.PixelSpace.of(REAL, ranks),
    "parts": lambda ranks: lenses.LensSpace.of(LENSES[2], REAL, OWNER, ranks=ranks),
    "moved parts": lambda ranks: patches.PatchSpace.of(REAL, OWNER, ranks=ranks),
}


def answers(space: Space, owner: Integers = OWNER) -> NDArray[np.float64]:
    """All that a space answers, in one row."""
    among, known = space.among_real(owner), space.closest(OTHER)
    every = [among, known.distance, known.row, known.horizon.ravel()]
    for met in space.met(COPIES, known, known.distance):
        order = np.lexsort((met.copy, met.real))
        every += [met.real[order], met.copy[order], met.distance[order]]
    return np.concatenate(every)


def held(space: Space) -> bool:
    """Whether it holds what could be made again from the images."""
    match space:
        case pixel_space.PixelSpace():
            return bool(space.kept)
        case patches.PatchSpace():
            return bool(space.parts.kept)
        case lenses.LensSpace():
            return bool(space.ratios.views.kept or space.ratios.ready)
    return False


def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that so few images are several blocks."""
    for module, name in ((patches, "_AT_ONCE"), (keypoints, "_AT_ONCE"), (points, "_IMAGES")):
        monkeypatch.setattr(module, name, 4)
    monkeypatch.setattr(lens_views, "_AT_ONCE", 4)
    monkeypatch.setattr(searches, "_BLOCK", 4)
    monkeypatch.setattr(lenses, "_BOUNDS", 4 * 30 * 5)
    monkeypatch.setattr(references, "_TILE", 30 * 4)


@pytest.mark.parametrize("name", SPACES)
def test_what_was_let_go_is_made_again(name: str) -> None:
    space = SPACES[name](None)
    expected = answers(space)
    space.forget()
    assert not held(space)
    np.testing.assert_array_equal(answers(space), expected)


@pytest.mark.parametrize("name", SPACES)
def test_two_ranks_answer_as_one_process(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few_at_once(monkeypatch)
    expected = answers(SPACES[name](None))
    for found in on_ranks(2, tmp_path, lambda ranks: answers(SPACES[name](ranks))):
        np.testing.assert_array_equal(found, expected)
    assert len(expected) > 4 * 30  # some copies were met


@pytest.mark.parametrize("name", ["parts", "moved parts"])
def test_a_rank_without_a_block_waits_for_the_other(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So few images are one block: one rank has nothing to compare, and both make what is compared with."""
    monkeypatch.setattr(lens_views, "_AT_ONCE", 4)
    expected = answers(SPACES[name](None))
    for found in on_ranks(2, tmp_path, lambda ranks: answers(SPACES[name](ranks))):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["pixels", "moved parts"])
def test_some_images_at_a_time_answer_as_all(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a hundred thousand patients need: nothing of all real images is held at once."""
    few_at_once(monkeypatch)
    monkeypatch.setattr(parts, "_PER_CELL", 7)
    monkeypatch.setattr(parts, "_MOST_CELLS", 10)  # so that not all are taken that could be cells
    expected = answers(SPACES[name](None))
    monkeypatch.setattr(pixel_space, "KEPT", 12)
    monkeypatch.setattr(parts, "KEPT", 12)
    np.testing.assert_array_equal(answers(SPACES[name](None)), expected)
    for found in on_ranks(2, tmp_path, lambda ranks: answers(SPACES[name](ranks))):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("count", [1, 9, 10, 11, 19, 21, 1001])
def test_there_are_as_many_cells_as_there_may_be(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All landmarks where they are few, else the most, from the first to the last, all different and evenly apart."""
    monkeypatch.setattr(parts, "_MOST_CELLS", 10)
    chosen = parts._evenly(np.arange(count, dtype=np.float32)[:, None]).ravel()
    assert len(np.unique(chosen)) == len(chosen) == min(count, 10)
    assert (chosen[0], chosen[-1]) == (0, count - 1)
    apart = np.diff(chosen)
    assert not len(apart) or apart.max() - apart.min() <= 1


def test_ranks_embed_the_images_as_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "LEAST_STEPS", 2)
    monkeypatch.setattr(embedding, "COMPARED", 30)
    monkeypatch.setattr(embedding, "_BLOCK", 8)
    learned = train_embedding(REAL)
    expected = learned.embed_moved(REAL)
    for found in on_ranks(2, tmp_path, lambda ranks: learned.embed_moved(REAL, ranks)):  # type: ignore[arg-type, return-value]
        np.testing.assert_array_equal(found, expected)
