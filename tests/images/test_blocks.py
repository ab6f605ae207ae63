"""Large images go through a few at a time: what comes out does not depend on how many."""

import numpy as np
import pytest

from privgan.arrays import Images
from privgan.images.blocks import WHOLE
from privgan.images.stored import joined
from privgan_audits.questions.controls.disguises import DISGUISES, disguised
from privgan_audits.questions.utility.details import all_detail
from privgan_audits.questions.utility.spectrum import radial_spectra

SIDE = 2 * WHOLE
WITHOUT_CHANCE = ("exact", "blur", "equalised", "left_half", "coarse_shapes", "crop_85_percent", "shift_6_percent")


@pytest.fixture(scope="module")
def images() -> Images:
    """Eight of noise on slopes: at once go two of them, and alone each of them."""
    rng = np.random.default_rng(0)
    slopes = np.linspace(0, 200, SIDE)[None, :, None, None] + rng.normal(0, 20, (8, SIDE, SIDE, 1))
    return np.clip(slopes, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", WITHOUT_CHANCE)
def test_a_disguise_of_many_is_that_of_each(name: str, images: Images) -> None:
    other = images[:1]  # the only one that there is to be put on
    one_by_one = [disguised(each[None], other, DISGUISES[name], np.random.default_rng(0)) for each in images]
    every = disguised(images, other, DISGUISES[name], np.random.default_rng(0))
    assert np.array_equal(every, np.concatenate(one_by_one))


def test_noise_is_another_on_every_image(images: Images) -> None:
    same = np.repeat(images[:1], 8, axis=0)
    made = disguised(same, images, DISGUISES["noise_10_percent"], np.random.default_rng(0))
    assert len(np.unique(made, axis=0)) == 8


def test_what_is_seen_of_many_is_seen_of_each(images: Images) -> None:
    many = np.concatenate([images] * 20)  # more than go through at once
    assert np.allclose(radial_spectra(many)[-1], radial_spectra(images[-1:])[0])
    assert np.allclose(all_detail(many)[-1], all_detail(images[-1:])[0], atol=1e-5)


def test_what_lies_apart_is_joined_all_the_same(images: Images) -> None:
    some, rest = images[:3], images[3:]
    others = [[some, rest[1:]], [rest, some], [images[::2], images], [images[:0], some], [images[:0], images[:0]]]
    for parts in ([some, rest], *others):
        assert np.array_equal(joined(*parts), np.concatenate(parts))
    assert np.shares_memory(joined(images[:3], images[3:]), images)
    assert not np.shares_memory(joined(images[:3], images[4:]), images)
