"""Exact duplicates: every copy whose pixels keep their order is found, in all orientations, and nothing else is."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from privgan.arrays import Images
from privgan_audits.evidence.interface import Evidence, Measured, Sample
from privgan_audits.questions import exact_copies
from privgan_audits.questions.exact_copies.words import answer
from privgan_audits.spaces.prints import MIN_TONES, prints, tone_ranks

Draw = Callable[..., Sample]
Weigh = Callable[..., Evidence]
SIZE = 12


def picture(rng: np.random.Generator, tones: int, low: int = 0, high: int = 255) -> Images:
    """Random pixels of exactly so many tones between low and high."""
    values = np.sort(rng.choice(np.arange(low, high + 1), tones, replace=False)).astype(np.uint8)
    order = np.concatenate([np.arange(tones), rng.integers(0, tones, SIZE * SIZE - tones)])
    return values[rng.permutation(order).reshape(SIZE, SIZE)]


def orbit_twin(image: Images) -> list[Images]:
    return [np.rot90(side, turns) for side in (image, image.T) for turns in range(4)]


def same_order(a: Images, b: Images) -> bool:
    """Whether a strictly monotone map makes the one image of the other: pair by pair of pixels."""
    left, right = a.astype(int).ravel(), b.astype(int).ravel()
    return np.array_equal(np.sign(left[:, None] - left), np.sign(right[:, None] - right))


def alike_twin(a: Images, b: Images) -> bool:
    if min(len(np.unique(a)), len(np.unique(b))) < 2:
        return False
    if any(np.array_equal(turned, b) for turned in orbit_twin(a)):
        return True
    if min(len(np.unique(a)), len(np.unique(b))) < MIN_TONES:
        return False
    return any(same_order(turned, b) or same_order(255 - turned, b) for turned in orbit_twin(a))


def alike(a: Images, b: Images) -> bool:
    first, second = prints(np.stack([a, b])[..., None])
    return first is not None and second is not None and first.tones == second.tones


STRICT: dict[str, Callable[[Images], NDArray[np.generic]]] = {
    "the same": lambda x: x,
    "brighter": lambda x: x + 40,
    "stretched": lambda x: 2 * (x.astype(int) - 50),
    "inverted": lambda x: 255 - x,
    "inverted, turned and darker": lambda x: np.rot90(200 - x),
    "mirrored": np.fliplr,
    "equalised": lambda x: np.unique(x, return_inverse=True)[1].reshape(x.shape),
}
OTHERWISE: dict[str, Callable[[Images], NDArray[np.generic]]] = {
    "contrast reduced, greys merged": lambda x: x // 2,
    "clipped": lambda x: np.minimum(x, 120),
    "one pixel": lambda x: np.where(np.arange(x.size).reshape(x.shape) == 7, 255 - x, x),
    "not monotone": lambda x: np.where(x > 90, 200 - x, x),
    "moved by a pixel": lambda x: np.roll(x, 1, axis=0),
}


@pytest.mark.parametrize("name", STRICT)
def test_every_change_that_keeps_the_order_is_seen_through(name: str) -> None:
    rng = np.random.default_rng(1)
    image = picture(rng, 40, low=51, high=170)
    changed = STRICT[name](image).astype(np.uint8)
    assert alike(image, changed)
    assert alike_twin(image, changed)


@pytest.mark.parametrize("name", OTHERWISE)
def test_whatever_changes_the_order_hides_a_copy(name: str) -> None:
    """This is the limit of the test, stated in its module; near copies are another test's."""
    image = picture(np.random.default_rng(2), 60, low=51, high=170)
    changed = OTHERWISE[name](image).astype(np.uint8)
    assert not alike(image, changed)
    assert not alike_twin(image, changed)


def test_the_same_answers_as_comparing_pixel_by_pixel() -> None:
    rng = np.random.default_rng(3)
    images = [picture(rng, tones, low=51, high=170) for tones in (1, 2, MIN_TONES - 1, MIN_TONES, 90)]
    changes = [*STRICT.values(), *OTHERWISE.values()]
    pool = [(image, change(image).astype(np.uint8)) for image in images for change in changes]
    answers = [alike(*pair) for pair in pool]
    assert answers == [alike_twin(*pair) for pair in pool]
    assert 0 < sum(answers) < len(pool)


def test_ranks_are_those_of_each_image_alone() -> None:
    rng = np.random.default_rng(4)
    images = np.stack(
        [picture(rng, tones) for tones in (1, 2, 100)] + [np.arange(144, dtype=np.uint8).reshape(12, 12)]
    )
    ranks, tones = tone_ranks(images[..., None])
    assert tones.tolist() == [[1], [2], [100], [144]]
    for image, got in zip(images, ranks[..., 0], strict=True):
        np.testing.assert_array_equal(got, np.unique(image, return_inverse=True)[1].reshape(image.shape))


def test_all_256_greys_are_told_apart() -> None:
    image = np.random.default_rng(5).permutation(256).reshape(16, 16).astype(np.uint8)
    np.testing.assert_array_equal(tone_ranks(image[None, ..., None])[0][0, ..., 0], image)
    assert alike(image, 255 - image)


def test_masks_do_not_collide_but_equal_masks_do() -> None:
    """A mask drawn with 0 and 255 and one drawn with 0 and 1 are two files, perhaps of one outline by chance."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[3:8, 2:6] = 255
    assert alike(mask, mask.T)
    assert not alike(mask, mask // 255)
    assert not alike(mask, 255 - mask)
    few, enough = (picture(np.random.default_rng(6), tones, high=120) for tones in (MIN_TONES - 1, MIN_TONES))
    assert (alike(few, few + 9), alike(enough, enough + 9)) == (False, True)


def test_findings_count_synthetic_images_and_say_how_they_match(draw: Draw, weigh: Weigh) -> None:
    rng = np.random.default_rng(7)
    members, others = draw(rng, 30, most=1), draw(rng, 20, first=30, most=1)
    members.images[:] = np.clip(members.images, 40, 215)
    images = draw(rng, 50, most=1).images.copy()
    images[3] = np.rot90(members.images[4])
    images[8] = 255 - members.images[4]
    images[9] = members.images[6] - 40
    images[10] = 255 - others.images[2]
    images[11] = 7
    outcome = exact_copies.QUESTION.measure(weigh(members, others, images), rng)
    assert isinstance(outcome, Measured)
    assert outcome.findings == {
        "copies_of_members": 3,
        "rescaled_copies_of_members": 2,
        "copies_of_other_patients": 1,
        "rescaled_copies_of_other_patients": 1,
        "copies_of_both": 0,
        "most_patients_of_a_copy": 1,
        "constant_images": 1,
        "compared_real_images": 50,
    }
    assert outcome.internal["pairs"] == [
        {"real_row": 4, "synthetic_row": 3},
        {"real_row": 4, "synthetic_row": 8, "rescaled": True},
        {"real_row": 6, "synthetic_row": 9, "rescaled": True},
    ]


def test_an_exact_copy_is_not_called_rescaled_because_a_second_member_is(draw: Draw, weigh: Weigh) -> None:
    rng = np.random.default_rng(8)
    members = draw(rng, 5, most=1)
    members.images[1] = 255 - members.images[0]
    outcome = exact_copies.QUESTION.measure(weigh(members, None, members.images[:1].copy()), rng)
    assert isinstance(outcome, Measured)
    assert outcome.findings["copies_of_members"] == 1
    assert outcome.findings["rescaled_copies_of_members"] == 0
    assert len(outcome.internal["pairs"]) == 2


def small(sample: Sample) -> Sample:
    return replace(sample, images=sample.images[:, :SIZE, :SIZE].copy())


def shared_twin(synthetic: Images, members: Sample, others: Sample) -> tuple[int, int, int, int]:
    """Copies of members alone, of others alone, of both, and the most patients who hold one: pair by pair."""
    held = [
        [{int(side.patients[row]) for row in range(len(side.images)) if alike_twin(side.images[row, ..., 0], image)}
         for side in (members, others)]
        for image in synthetic[..., 0]
    ]  # fmt: skip
    counts = [(bool(ours), bool(theirs)) for ours, theirs in held]
    alone = (counts.count((True, False)), counts.count((False, True)), counts.count((True, True)))
    return (*alone, max(len(ours) + len(theirs) for ours, theirs in held))


@pytest.mark.parametrize("seed", range(4))
def test_a_picture_of_both_sides_is_counted_by_itself_and_so_are_its_patients(
    seed: int, draw: Draw, weigh: Weigh
) -> None:
    rng = np.random.default_rng(seed)
    members, others = small(draw(rng, 20, most=2)), small(draw(rng, 12, first=20, most=2))
    pool = np.stack([picture(rng, 40, low=51, high=170) for _ in range(3)])
    for side in (members, others):
        for row in rng.choice(len(side.images), 5, replace=False):
            image = pool[rng.integers(3)]
            side.images[row, ..., 0] = image if rng.integers(2) else 255 - np.rot90(image)
    chosen = [members.images[0], others.images[0], *pool[..., None], *members.images[:2]]
    images = np.concatenate([np.stack(chosen), small(draw(rng, 8, most=1)).images])
    outcome = exact_copies.QUESTION.measure(weigh(members, others, images), rng)
    assert isinstance(outcome, Measured)
    keys = ("copies_of_members", "copies_of_other_patients", "copies_of_both", "most_patients_of_a_copy")
    assert tuple(outcome.findings[key] for key in keys) == shared_twin(images, members, others)


def test_a_placeholder_that_both_sides_hold_is_no_copied_member(draw: Draw, weigh: Weigh) -> None:
    rng = np.random.default_rng(9)
    members, others = small(draw(rng, 10, most=1)), small(draw(rng, 10, first=10, most=1))
    placeholder = picture(rng, 60)
    for side, rows in ((members, [0, 3, 4]), (others, [1, 2])):
        side.images[rows, ..., 0] = placeholder
    outcome = exact_copies.QUESTION.measure(weigh(members, others, placeholder[None, ..., None]), rng)
    assert isinstance(outcome, Measured)
    assert outcome.findings["copies_of_members"] == outcome.findings["rescaled_copies_of_members"] == 0
    assert outcome.findings["copies_of_other_patients"] == 0
    assert (outcome.findings["copies_of_both"], outcome.findings["most_patients_of_a_copy"]) == (1, 5)
    told = " ".join(answer(dict(outcome.findings)).sentences)
    assert "1 are of members and of held-back patients alike: no proof that a member was copied." in told
    assert "held by up to 5 patients" in told


def test_records_of_earlier_versions_are_told_as_they_were() -> None:
    earlier = {"copies_of_members": 2, "copies_of_other_patients": 0, "compared_real_images": 9}
    assert answer(earlier).answer == "2 real images in the set"
    assert len(answer(earlier).sentences) == 2
