"""Parts that went elsewhere: found by the space, as its definition says, whatever lies beside them."""

import tracemalloc
from collections import defaultdict

import numpy as np
import pytest
from scipy import ndimage

from privgan.arrays import Floats, Images
from privgan_audits.spaces.landmarks.keypoints import grey_pictures, landmarks
from privgan_audits.spaces.landmarks.points import Growing, Points, placed
from privgan_audits.spaces.patches import OTHER_SIZES, PatchSpace
from tests.audits.spaces.test_keypoints import textures

REAL, OTHER = textures(60), textures(40, seed=1)
OWNER = np.arange(60) // 2
SPACE = PatchSpace.of(REAL, OWNER)


def quarter_moved(image: Images, onto: Images) -> Images:
    """The upper left quarter of an image in the lower right one of another, a little aside."""
    side = len(image) // 2
    moved = onto.copy()
    moved[side - 3 : 2 * side - 3, side - 1 : 2 * side - 1] = image[:side, :side]
    return moved


def with_change(change: str) -> Images:
    image, onto = REAL[7], OTHER[0].copy()
    if change == "quarter":
        return quarter_moved(image, onto)
    if change == "ninth":
        onto[5:29, 30:54] = image[20:44, 20:44]
    if change == "corner":
        onto[:32, 32:] = image.reshape(32, 2, 32, 2, 1).mean(axis=(1, 3)).round()
    if change == "beside":
        onto[:, :32] = image.reshape(64, 32, 2, 1).mean(axis=2).round()
    if change == "enlarged":
        onto[8:48, 20:60] = ndimage.zoom(image[10:42, 10:42, 0], 1.25, order=1)[..., None]
    return onto


def twin(space: PatchSpace, images: Images) -> Floats:
    """From the definition, pair by pair: distances of all real images to some others."""
    real, others = space.parts.part(0).points, points_of(space, images)
    (reference,) = space.reference
    cell_of = (others.point @ space.parts.cells.T).argmax(axis=1)
    cells_of = np.argsort(-(real.point @ space.parts.cells.T), axis=1)[:, :2]
    votes: dict[tuple[int, ...], dict[int, float]] = defaultdict(dict)
    for mine in range(len(real.image)):
        for theirs in np.flatnonzero((cell_of[:, None] == cells_of[mine]).any(axis=1)):
            distance = max(np.linalg.norm(real.point[mine].astype(float) - others.point[theirs].astype(float)), 0.01)
            ratio = distance / reference[mine]
            if ratio < 1.0:
                step = (others.place[theirs] - real.place[mine]) / 3.0
                for down in (0.0, 0.5):
                    for right in (0.0, 0.5):
                        square = (int(np.floor(step[0] + down)), int(np.floor(step[1] + right)))
                        pair = (int(space.order[real.image[mine]]), int(others.image[theirs]))
                        part = votes[
                            *pair,
                            int(real.size[mine]),
                            int(others.size[theirs]),
                            int(down * 2),
                            int(right * 2),
                            *square,
                        ]
                        part[mine] = min(part.get(mine, 1.0), ratio)
    distances = np.ones((len(space.order), len(images)))
    for (image, other, *_), part in votes.items():
        three = [*sorted(part.values()), 1.0, 1.0][:3]
        distances[image, other] = min(distances[image, other], float(np.prod(three) ** (1 / 3)))
    return distances


def points_of(space: PatchSpace, images: Images) -> Points:
    return placed(images, np.arange(len(images)), OTHER_SIZES, space.floor, space.white)


def test_distances_are_those_of_the_definition() -> None:
    images = np.concatenate([OTHER[:2], with_change("quarter")[None]])
    expected = twin(SPACE, images)
    assert (expected < 1.0).sum() > 10
    np.testing.assert_allclose(SPACE.closest(images).distance, expected.min(axis=1), atol=2e-6)


@pytest.mark.parametrize("change", ["quarter", "ninth", "corner", "beside", "enlarged"])
def test_the_image_of_which_a_part_was_taken_is_the_closest(change: str) -> None:
    images = np.concatenate([OTHER[1:], with_change(change)[None]])
    found = SPACE.closest(images)
    assert found.distance.argmin() == 7
    assert found.row[7] == len(images) - 1


@pytest.mark.parametrize("size", [28, 96])
def test_parts_of_small_and_of_large_images_are_seen(size: int) -> None:
    real, other = textures(30, size), textures(20, size, seed=1)
    other[4] = quarter_moved(real[3], other[4])
    found = PatchSpace.of(real, np.arange(30)).closest(other)
    assert found.distance.argmin() == 3
    assert found.row[3] == 4


def test_planted_copies_are_met_as_they_would_have_been_seen() -> None:
    known = SPACE.closest(OTHER[1:])
    copies = np.stack([with_change(change) for change in ("quarter", "ninth", "corner")])
    (met,) = SPACE.met([copies], known, known.distance)
    distance = known.distance.copy()
    np.minimum.at(distance, met.real, met.distance)
    together = SPACE.closest(np.concatenate([OTHER[1:], copies]))
    np.testing.assert_array_equal(distance, together.distance)
    assert (met.distance < known.distance[met.real]).all()
    assert {0, 1, 2} == set(met.copy[met.real == 7])


def test_scores_do_not_know_the_order_of_the_rows() -> None:
    rows = np.random.default_rng(0).permutation(len(REAL))
    names = np.random.default_rng(1).permutation(30)
    turned = PatchSpace.of(REAL[rows], names[OWNER[rows]]).closest(OTHER)
    np.testing.assert_array_equal(turned.distance, SPACE.closest(OTHER).distance[rows])


def test_distances_do_not_depend_on_the_order_of_the_other_images() -> None:
    turned = SPACE.closest(OTHER[::-1])
    np.testing.assert_array_equal(turned.distance, SPACE.closest(OTHER).distance)


def test_images_of_one_patient_are_no_reference_for_each_other() -> None:
    real = REAL.copy()
    real[1] = real[0]
    changed = PatchSpace.of(real, OWNER)
    images = changed.parts.part(0).points.image
    assert (changed.reference[0][np.isin(changed.order[images], (0, 1))] > 0.05).all()
    assert (PatchSpace.of(real, np.arange(60)).reference[0] == 0.01).any()


def test_colour_is_seen_as_luminance() -> None:
    colours = np.repeat(REAL, 3, axis=3)
    copied = np.repeat(with_change("quarter")[None], 3, axis=3)
    found = PatchSpace.of(colours, OWNER).closest(np.concatenate([np.repeat(OTHER[1:], 3, axis=3), copied]))
    assert found.distance.argmin() == 7


def test_blank_images_are_close_to_nothing() -> None:
    blank = np.full((5, 64, 64, 1), 7, np.uint8)
    space = PatchSpace.of(blank, np.arange(5))
    for images in (blank, OTHER, OTHER[:0]):
        known = space.closest(images)
        assert (known.distance == 1.0).all()
        assert len(space.met([images], known, known.distance)[0].real) == 0
    assert (SPACE.closest(blank).distance == 1.0).all()
    assert (SPACE.among_real(OWNER) == 1.0).all()


def test_points_of_many_images_are_those_of_some_at_a_time_one_after_the_other() -> None:
    images = np.concatenate([np.full((70, 64, 64, 1), 90, np.uint8), textures(90, seed=3)])
    seen = list(landmarks(grey_pictures(images), OTHER_SIZES, SPACE.floor))
    found = placed(images, np.arange(len(images)), OTHER_SIZES, SPACE.floor, SPACE.white)
    assert np.array_equal(found.image, np.concatenate([some.image for some in seen]))
    assert np.array_equal(found.point, np.concatenate([SPACE.white(some.window.astype(float)) for some in seen]))
    assert points_of(SPACE, images[:70]).point.shape == (0, found.point.shape[1])


def test_points_are_not_held_twice_while_they_are_put_together() -> None:
    some = np.ones((500, 48), np.float32)
    tracemalloc.start()
    growing = Growing()
    for _ in range(100):
        growing.add(some)
    whole, held = growing.all(), tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert whole.shape == (50_000, 48)
    assert whole.all()
    assert held < 1.3 * whole.nbytes
