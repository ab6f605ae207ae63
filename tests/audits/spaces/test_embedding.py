"""An embedding that the audit trains for itself."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from scipy import ndimage

from privgan.arrays import Images
from privgan.images.geometry import orbit
from privgan_audits.evidence.interface import Sample
from privgan_audits.spaces import embedding
from privgan_audits.spaces.augment import Move
from privgan_audits.spaces.embedding import Embedding, nt_xent, train_embedding
from privgan_audits.spaces.features import Sight

Draw = Callable[..., Sample]


@pytest.fixture(scope="module")
def images(draw: Draw) -> Images:
    return draw(np.random.default_rng(1), 60, most=1).images


@pytest.fixture(scope="module")
def trained(images: Images) -> Embedding:
    return train_embedding(images)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Nothing is cached, and training takes a moment."""
    embedding._TRAINED.clear()
    monkeypatch.setattr(embedding, "LEAST_STEPS", 3)
    monkeypatch.setattr(embedding, "EPOCHS", 0)
    monkeypatch.setattr(embedding, "COMPARED", 100)
    yield monkeypatch
    embedding._TRAINED.clear()


def test_rows_are_points_of_a_sphere(trained: Embedding, images: Images) -> None:
    points = trained.embed(images)
    assert points.dtype == np.float32
    assert points.shape == (60, 59)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, rtol=1e-5)


def test_it_sees_what_the_layers_saw_that_learned() -> None:
    """Beside these, turn by turn and flip by flip."""
    chance = torch.Generator().manual_seed(5)
    layers = embedding._features(chance)
    images = torch.rand(70, 1, 32, 32, generator=chance)
    for _ in range(3):
        layers(images)  # its batch norms have learned something
    layers.eval().requires_grad_(False)
    turned = [torch.rot90(images, turns, (2, 3)) for turns in range(4)]
    wanted = torch.stack([layers(view) for each in turned for view in (each, each.flip(3))]).mean(0)
    assert float(wanted.std()) > 0.1
    assert torch.allclose(Sight.of(layers).turned(images), wanted, atol=1e-5)


def test_the_order_of_the_rows_changes_no_bit(forgetful: pytest.MonkeyPatch, images: Images) -> None:
    first = train_embedding(images).embed(images)
    embedding._TRAINED.clear()
    order = np.random.default_rng(2).permutation(len(images))
    again = train_embedding(images[order]).embed(images[order])
    assert (again == first[order]).all()
    embedding._TRAINED.clear()
    others = train_embedding(images[:-1])
    assert not np.allclose(others.embed(images)[:, 0], first[:, 0])


def test_no_chance_comes_from_outside(forgetful: pytest.MonkeyPatch, images: Images) -> None:
    before = torch.get_rng_state()
    first = train_embedding(images).embed(images)
    assert torch.equal(torch.get_rng_state(), before)
    embedding._TRAINED.clear()
    torch.rand(1)
    assert (train_embedding(images).embed(images) == first).all()


def test_flips_and_right_angle_turns_are_one_point(trained: Embedding, images: Images) -> None:
    points = trained.embed(images)
    for view in orbit(images):
        np.testing.assert_allclose(trained.embed(view.astype(np.uint8)), points, atol=1e-4)
    assert np.linalg.norm(points[:-1] - points[1:], axis=1).min() > 0.1


@pytest.mark.parametrize("disguise", ["rotation", "crop", "gamma", "noise", "blend"])
def test_a_disguised_copy_is_nearer_than_any_other_image(trained: Embedding, images: Images, disguise: str) -> None:
    points = trained.embed(images)
    copies = trained.embed(_disguised(images, disguise))
    apart = np.linalg.norm(copies[:, None] - points, axis=2)
    own = np.diag(apart).copy()
    np.fill_diagonal(apart, np.inf)
    assert (own < apart.min(axis=1)).all()


def _disguised(images: Images, disguise: str) -> Images:
    grey = images.astype(np.float64)
    match disguise:
        case "rotation":
            grey = ndimage.rotate(grey, 5, axes=(2, 1), reshape=False, order=1, mode="nearest")
        case "crop":
            grey = ndimage.zoom(grey, (1, 32 / 30, 32 / 30, 1), order=1)[:, 1:33, 1:33]
        case "gamma":
            grey = 255 * (grey / 255) ** 0.9
        case "noise":
            grey += np.random.default_rng(3).normal(0, 5, grey.shape)
        case "blend":
            grey = 0.8 * grey + 0.2 * np.roll(grey, 1, axis=0)
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def test_constant_and_lone_images_give_finite_rows(forgetful: pytest.MonkeyPatch, images: Images) -> None:
    constant = np.stack([np.full((32, 32, 1), grey, np.uint8) for grey in (0, 7, 255)])
    for pool in (images[:1], constant[:1], constant, np.concatenate([images[:2], images[:2]])):
        assert np.isfinite(train_embedding(pool).embed(np.concatenate([images, constant]))).all()


@pytest.mark.parametrize("side", [16, 28, 40, 64])
def test_any_side_is_taken(forgetful: pytest.MonkeyPatch, side: int) -> None:
    images = np.random.default_rng(4).integers(0, 256, (5, side, side, 1)).astype(np.uint8)
    assert np.isfinite(train_embedding(images).embed(images)).all()


def test_the_same_images_are_learned_from_once(forgetful: pytest.MonkeyPatch, images: Images) -> None:
    told: list[tuple[str, int, int]] = []

    def listen(task: str, done: int, total: int, note: str = "") -> None:
        del note
        told.append((task, done, total))

    first = train_embedding(images, listen)
    assert told[-1] == ("learning an embedding", 3, 3)
    assert train_embedding(images[::-1], listen) is first
    assert len(told) == 3
    train_embedding(images[1:], listen)
    train_embedding(images[2:], listen)
    assert train_embedding(images, listen) is not first


def test_nt_xent_is_the_paper_s_sum() -> None:
    """Twin: equation 1 of Chen et al. 2020, term by term."""
    views = torch.randn(6, 4, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    views = torch.nn.functional.normalize(views)
    terms = []
    for i in range(6):
        j = (i + 3) % 6
        below = sum(torch.exp(views[i] @ views[k] / 0.3) for k in range(6) if k != i)
        terms.append(-torch.log(torch.exp(views[i] @ views[j] / 0.3) / below))
    assert nt_xent(views, 0.3).item() == pytest.approx(torch.stack(terms).mean().item())


def test_moves_are_what_they_say() -> None:
    """A shift by whole pixels is exact; a section of the whole is a crop; a quarter turn turns."""
    images = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    moved = Move(down=1 / 32, right=-2 / 32).of(images)
    torch.testing.assert_close(moved[:, :, :-1, 2:], images[:, :, 1:, :-2], atol=1e-5, rtol=0)
    torch.testing.assert_close(Move(degrees=90).of(images), torch.rot90(images, 1, (2, 3)), atol=1e-4, rtol=0)
    half = Move(scale=0.5).of(images)
    torch.testing.assert_close(half.mean(), images[:, :, 8:24, 8:24].mean(), atol=0.02, rtol=0)


def test_views_come_as_still_images_first(draw: Draw) -> None:
    """And a shifted copy is as near to one of them as a still copy is to the first."""
    images = draw(np.random.default_rng(4), 60, most=1).images
    learned = train_embedding(images)
    moved, still = learned.embed_moved(images), learned.embed(images)
    np.testing.assert_array_equal(moved[:, 0], still)
    shifted = learned.embed(np.roll(images, (1, 1), axis=(1, 2)))
    near = np.linalg.norm(moved - shifted[:, None], axis=2)
    assert (near.min(axis=1) < near[:, 0]).mean() > 0.9
