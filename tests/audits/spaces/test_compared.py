"""A very large cohort is measured by a sample of fixed size, which knows neither sides nor orders."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest

from privgan.arrays import Images, Integers, Singles
from privgan_audits.spaces import patches, pixel_space
from privgan_audits.spaces.landmarks import parts
from privgan_audits.spaces.lenses import likely, references
from privgan_audits.spaces.lenses import space as lenses
from privgan_audits.spaces.lenses import views as lens_views
from privgan_audits.spaces.lenses.lenses import LENSES
from privgan_audits.spaces.lenses.ratios import LensRatios
from privgan_audits.spaces.lenses.views import LensViews
from privgan_audits.spaces.search import compared
from privgan_audits.spaces.search.compared import compared_with
from privgan_audits.spaces.space import VectorSpace
from tests.audits.spaces.test_shared_out import COPIES, OTHER, OWNER, POINTS, REAL, few_at_once

DIGESTS = np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in REAL])
ALL, SOME = np.argsort(DIGESTS), np.argsort(DIGESTS)[:12]


def _shown(images: Images, rows: Integers | None) -> list[str]:
    assert rows is not None
    return [hashlib.sha256(images[row].tobytes()).hexdigest() for row in rows]


def test_nobody_is_left_out_of_as_many_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compared, "MOST", 30)
    assert compared_with(REAL) is None
    assert compared_with(np.concatenate([REAL, REAL[:9]])) is None  # no more that are different
    monkeypatch.setattr(compared, "MOST", 29)
    rows = compared_with(REAL)
    assert rows is not None
    assert len(rows) == 29


def test_who_is_in_the_sample_is_said_by_the_images_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """In any order of the rows, and with an image all that are equal to it, whosever they are."""
    monkeypatch.setattr(compared, "MOST", 12)
    assert _shown(REAL, compared_with(REAL)) == sorted(DIGESTS)[:12]
    turn = np.random.default_rng(0).permutation(30)
    assert _shown(REAL[turn], compared_with(REAL[turn])) == sorted(DIGESTS)[:12]
    last, beyond = ALL[11], ALL[12]
    twins = np.concatenate([REAL, REAL[[last, last, beyond]]])
    rows = compared_with(twins)
    assert rows is not None
    assert set(rows) == {*SOME, 30, 31}


def _vectors() -> VectorSpace:
    queries = np.stack([POINTS, POINTS * 2], axis=1)
    return VectorSpace(name="embedding", queries=queries, points=POINTS, place=lambda images: images)


def test_a_sample_of_all_says_what_all_say() -> None:
    """To the last bit, in every space."""
    pixels = pixel_space.PixelSpace.of(REAL)
    for space in (pixels, _vectors()):
        np.testing.assert_array_equal(space.among_real(OWNER, compared=ALL), space.among_real(OWNER))
    for lens in LENSES:
        views = LensViews.of(lens, REAL)
        found = references.reference_distances(views, OWNER, compared=ALL)
        np.testing.assert_array_equal(found, references.reference_distances(views, OWNER))
    of_all = patches.PatchSpace.of(REAL, OWNER, compared=ALL)
    np.testing.assert_array_equal(of_all.reference[0], patches.PatchSpace.of(REAL, OWNER).reference[0])


def test_vectors_are_measured_by_the_sample() -> None:
    far = np.linalg.norm(_vectors().queries[:, :, None].astype(np.float64) - POINTS[SOME], axis=3).min(axis=1)
    far[OWNER[:, None] == OWNER[SOME]] = np.inf
    np.testing.assert_allclose(_vectors().among_real(OWNER, compared=SOME), far.min(axis=1), rtol=1e-9)


def test_pixels_are_measured_by_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow twin asks for each image by itself; also where not all forms are kept."""
    expected = [
        pixel_space.closest(
            pixel_space.views(REAL[[row]], searching=True),
            pixel_space.views(REAL[SOME[OWNER[SOME] != OWNER[row]]], searching=False),
            None,
            "",
        ).distance[0]
        for row in range(30)
    ]
    np.testing.assert_array_equal(pixel_space.PixelSpace.of(REAL).among_real(OWNER, compared=SOME), expected)
    monkeypatch.setattr(pixel_space, "KEPT", 7)
    np.testing.assert_array_equal(pixel_space.PixelSpace.of(REAL).among_real(OWNER, compared=SOME), expected)


class Bounded(LensRatios):
    """Who is asked again for bounds that were not kept, and for no more of them than may be held at once."""

    def least_squares(self, others: Sequence[Singles]) -> Singles:
        """As ever."""
        found = super().least_squares(others)
        assert found.size * 16 <= likely._BOUNDS
        return found


@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: lens.name)
def test_lenses_are_measured_by_the_sample(lens: lenses.Lens) -> None:
    views = LensViews.of(lens, REAL, learning=SOME)
    for seen, found in zip(
        views.some(0, 30), references.reference_distances(views, OWNER, compared=SOME), strict=True
    ):
        cosines = np.abs(np.einsum("nvd,md->nmv", seen.astype(np.float64), seen[SOME, 0])).max(axis=2)
        cosines[OWNER[:, None] == OWNER[SOME]] = 0.0
        cosines = np.minimum(cosines, 1.0)
        np.testing.assert_allclose(found, np.sqrt(2 - 2 * cosines.max(axis=1)), atol=1e-3)
    few, whole = views.whites[0], LensViews.of(lens, REAL).whites[0]
    alone = LensViews.of(lens, REAL[SOME]).whites[0]
    np.testing.assert_array_equal(few.directions, alone.directions)
    assert not np.array_equal(few.mean, whole.mean)


def test_landmarks_are_measured_by_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same whether all landmarks are held at once or made again; another patient's that looked alike is gone."""
    few_at_once(monkeypatch)
    some = patches.PatchSpace.of(REAL, OWNER, compared=SOME)
    alone = parts.Parts.of(REAL, SOME, patches.REAL_SIZES, some.floor, some.white, None)
    np.testing.assert_array_equal(some.parts.cells, alone.cells)
    monkeypatch.setattr(parts, "KEPT", 8)
    again = patches.PatchSpace.of(REAL, OWNER, compared=SOME)
    np.testing.assert_array_equal(np.concatenate(again.reference), some.reference[0])
    images = np.concatenate([REAL, REAL[ALL[20:21]]])  # a twin of one who is not in the sample, whom nobody sees
    twins = patches.PatchSpace.of(images, np.append(OWNER, 99), compared=SOME)
    assert (np.concatenate(twins.reference) > 0.01).mean() > 0.99
    assert (np.concatenate(patches.PatchSpace.of(images, np.append(OWNER, 99)).reference) <= 0.01).mean() > 0.03


def test_a_sample_without_landmarks_blinds_nobody() -> None:
    """Cells are then chosen among all images, so that copies are met as ever."""
    images, owner = np.concatenate([np.full((12, 64, 64, 1), 90, np.uint8), REAL]), np.arange(42) // 2
    some = patches.PatchSpace.of(images, owner, compared=np.arange(12))
    np.testing.assert_array_equal(some.parts.cells, patches.PatchSpace.of(images, owner).parts.cells)
    assert (some.closest(REAL[:5]).distance[12:17] < 0.1).all()


@pytest.mark.parametrize("count", [2, 16], ids=["few bounds", "all bounds"])
@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: lens.name)
def test_what_is_measured_at_the_end_is_what_is_measured_at_once(
    lens: lenses.Lens, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit, with images that show nothing and equal ones among them, also where few bounds are kept."""
    real, other = REAL.copy(), np.concatenate([OTHER, COPIES[0], COPIES[0], OTHER[:3]])
    real[7], other[4] = 0, 90
    at_once = lenses.LensSpace.of(lens, real, OWNER)
    expected, sets = at_once.closest(other), [np.concatenate(COPIES)]
    monkeypatch.setattr(likely, "COUNT", count)
    monkeypatch.setattr(likely, "_AT_ONCE", 7)
    monkeypatch.setattr(likely, "_BOUNDS", 16 * 3 * 30)
    monkeypatch.setattr(likely, "LensRatios", Bounded)
    monkeypatch.setattr(likely, "_COLUMNS", 11)
    monkeypatch.setattr(lens_views, "KEPT", 1)
    monkeypatch.setattr(lenses, "_BOUNDS", 4 * 30 * 5 // 16 * 1)
    later = lenses.LensSpace.of(lens, real, OWNER)
    found = later.closest(other)
    np.testing.assert_array_equal(found.distance, expected.distance)
    np.testing.assert_array_equal(found.row, expected.row)
    known = expected.distance
    for mine, theirs in zip(later.met(sets, found, known), at_once.met(sets, expected, known), strict=True):
        order = [np.lexsort((met.copy, met.real)) for met in (mine, theirs)]
        np.testing.assert_array_equal(mine.distance[order[0]], theirs.distance[order[1]])


def test_a_copy_near_everybody_blinds_a_lens_for_its_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a very large cohort: whoever is planted, strangers come ahead; nothing of the set then helps the lens."""
    monkeypatch.setattr(lenses, "_CROWD", 1)
    space = lenses.LensSpace.of(LENSES[3], REAL, OWNER, compared=ALL)
    known, limits = space.closest(OTHER), np.full(30, 1.1)
    sets = [REAL[4:7], np.concatenate([REAL[8:9], OTHER[:1]]), REAL[9:12]]  # what is nobody's is as near to all
    every = space.met(sets, known, limits)
    assert np.bincount(every[1].copy).tolist()[1] > 7
    assert np.bincount(np.concatenate([every[0].copy, every[2].copy])).max() <= 7
    monkeypatch.setattr(lenses, "_CROWD", 4)
    whole = lenses.LensSpace.of(LENSES[3], REAL, OWNER)  # however many rows it has: nobody is left out of it
    for mine, theirs in zip(whole.met(sets, known, limits), every, strict=True):
        np.testing.assert_array_equal(mine.distance, theirs.distance)
    some = space.met(sets, known, limits)
    for number in (0, 2):
        np.testing.assert_array_equal(some[number].distance, every[number].distance)
        assert len(some[number].real) >= 3
    assert len(some[1].real) == 0
