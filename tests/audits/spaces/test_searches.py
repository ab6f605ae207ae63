"""The exhaustive searches must put every near copy among the candidates, each in its own way."""

from collections.abc import Callable

import numpy as np
import pytest

from privgan.images.geometry import orbit
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.controls import changes
from privgan_audits.questions.controls.disguises import DISGUISES, PLAIN, Disguise, disguised
from privgan_audits.spaces.pixel_space import closest
from privgan_audits.spaces.search.searches import SEARCHES, spectra, views

Draw = Callable[..., Sample]

KINDS = {
    "exact": DISGUISES["exact"].change,
    "flip": DISGUISES["flip"].change,
    "shift": changes.shift(0.06),
    "noise": changes.noise(0.02),
    "gamma": changes.gamma(0.9),
    "blend": changes.blend(0.2),
}


def test_a_spectrum_view_names_the_turns_that_it_stands_for() -> None:
    fine = np.random.default_rng(1).uniform(0, 255, (1, 32, 32, 1)).astype(np.float32)
    search = SEARCHES[0]
    seen = views(fine.astype(np.uint8), searching=True)
    of_turned = [search.base(views(turned.astype(np.uint8), searching=False)) for turned in orbit(fine)]
    for number, vector in enumerate(search.turns(seen.spectra)):
        if number % 9 == 4:  # the centre window
            for turn in search.image_views(np.array([number])):
                np.testing.assert_allclose(of_turned[int(turn[0])], vector, atol=1e-6)


def test_spectrum_vectors_keep_the_distances_of_whole_spectra() -> None:
    fine = np.random.default_rng(2).uniform(0, 255, (5, 32, 32, 1)).astype(np.float32)
    whole = spectra(fine, [(2, 2)]).reshape(5, -1)
    vectors = SEARCHES[0].base(views(fine.astype(np.uint8), searching=False))
    exact = spectra(fine.astype(np.uint8).astype(np.float32), [(2, 2)]).reshape(5, -1)
    np.testing.assert_allclose(
        2 * np.square(vectors[:1] - vectors).sum(axis=1), np.square(exact[:1] - exact).sum(axis=1), atol=1e-6
    )
    assert np.linalg.norm(whole, axis=1) == pytest.approx(1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("turn", [0, 3])
def test_every_disguised_copy_is_found_among_many_others(draw: Draw, kind: str, turn: int) -> None:
    rng = np.random.default_rng(3)
    images = draw(rng, 60, most=1).images
    disguise = Disguise(family=PLAIN, change=KINDS[kind])
    copies = np.rot90(disguised(images, images[::-1], disguise, rng), turn, axes=(1, 2))
    planted = np.concatenate([draw(rng, 600, most=1).images, copies])
    found = closest(views(images, searching=True), views(planted, searching=False), None, "a test")
    assert (found.row == 600 + np.arange(60)).all()


def test_constant_windows_have_no_spectrum() -> None:
    black = views(np.zeros((2, 32, 32, 1), np.uint8), searching=True)
    assert black.flat.all()
    assert not black.spectra.any()
    assert not black.coarse.any()
