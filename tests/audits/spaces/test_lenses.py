"""Lenses: what a copy may have kept. Beside a slow twin, blind to labels and to the order of rows."""

from collections.abc import Callable

import numpy as np
import pytest

from privgan.arrays import Floats, Images
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.controls.disguises import DISGUISES, disguised
from privgan_audits.spaces.lenses import ratios as lens_ratios
from privgan_audits.spaces.lenses import references as lens_references
from privgan_audits.spaces.lenses import space as lens_space
from privgan_audits.spaces.lenses import views as lens_views
from privgan_audits.spaces.lenses.lenses import LENSES, MOVES, Lens, Whitening, _middle
from privgan_audits.spaces.lenses.space import LensSpace
from privgan_audits.spaces.search.screening import BRIEF, SINGLE, Precision

Draw = Callable[..., Sample]
NAMES = [lens.name for lens in LENSES]


@pytest.fixture(scope="module")
def people(draw: Draw) -> Sample:
    return draw(np.random.default_rng(3), 150, most=2)


@pytest.fixture(scope="module")
def others(draw: Draw) -> Images:
    return draw(np.random.default_rng(4), 60, most=1).images


def _twin(lens: Lens, people: Sample, others: Images) -> Floats:
    """Every distance (n, m) by itself, pair after pair."""
    owner, real, seen = people.patients, [*lens.windows(people.images, True)], [*lens.windows(others, False)]
    ratios = []
    for vectors, their in zip(real, seen, strict=True):
        white = Whitening.of(vectors[:, 0], lens.kept, lens.quiet)
        mine, theirs = white(vectors).astype(np.float64), white(their[:, 0]).astype(np.float64)
        one = np.zeros((len(owner), len(others)))
        for i in range(len(owner)):
            near = [_far(mine[i], mine[j, 0]) for j in range(len(owner)) if owner[j] != owner[i]]
            one[i] = [_far(mine[i], point) / max(min(near), 1e-6) for point in theirs]
        ratios.append(np.minimum(one, 1.2))
    best = np.sort(np.stack([*ratios, *[np.full_like(ratios[0], 1.2)] * (lens.agreeing - 1)]), axis=0)[
        : lens.agreeing
    ]
    together = np.exp(np.log(np.maximum(best, 1e-6)).mean(axis=0))
    found = together.copy()
    for j in range(len(others)):
        first = int(together[:, j].argmin())
        for i in range(len(owner)):
            rest = owner != owner[first] if owner[i] == owner[first] else owner != owner[i]
            found[i, j] /= np.sqrt(together[rest, j].min())
    return found


def _far(views: Floats, point: Floats) -> float:
    lengths = np.linalg.norm(views, axis=1) * np.linalg.norm(point)
    cosines = [
        abs(float(view @ point)) / length if length > 0.5 else 0.0
        for view, length in zip(views, lengths, strict=True)
    ]
    return float(np.sqrt(max(0.0, 2.0 - 2.0 * max(cosines))))


def _in_small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that every edge of a block is met, and most views are made again."""
    for module, name, value in (
        (lens_ratios, "_AT_ONCE", 7),
        (lens_ratios, "_TILE", 14),
        (lens_references, "_PAIRS", 900),
        (lens_ratios, "_PAIRS", 900),
        (lens_references, "_COLUMNS", 11),
        (lens_references, "_TILE", 25),
        (lens_space, "_BOUNDS", 4 * 40 // 2),
        (lens_views, "_AT_ONCE", 9),
        (lens_views, "KEPT", 200_000),
    ):
        monkeypatch.setattr(module, name, value)


@pytest.mark.parametrize("precision", [BRIEF, SINGLE], ids=["brief", "single"])
@pytest.mark.parametrize("lens", LENSES, ids=NAMES)
def test_distances_are_those_of_the_slow_twin(
    lens: Lens, precision: Precision, people: Sample, others: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the precision in which most pairs are ruled out."""
    for module in (lens_ratios, lens_references):
        monkeypatch.setattr(module, "fastest", lambda: precision)
    few = Sample(images=people.images[:40], labels=people.labels[:40], patients=people.patients[:40])
    slow = _twin(lens, few, others[:9])
    _in_small_blocks(monkeypatch)
    found = LensSpace.of(lens, few.images, few.patients).closest(others[:9])
    np.testing.assert_allclose(found.distance, slow.min(axis=1), atol=2e-6)
    np.testing.assert_allclose(slow[np.arange(40), found.row], slow.min(axis=1), atol=2e-6)


@pytest.mark.parametrize("lens", LENSES, ids=NAMES)
def test_nothing_knows_the_order_of_the_rows(lens: Lens, people: Sample, others: Images) -> None:
    """Members come first in an audit; were a row's place to matter, a score could know who is one."""
    turn = np.random.default_rng(0).permutation(len(people.images))
    straight = LensSpace.of(lens, people.images, people.patients).closest(others)
    turned = LensSpace.of(lens, people.images[turn], people.patients[turn]).closest(others)
    np.testing.assert_allclose(turned.distance, straight.distance[turn], atol=2e-6)


@pytest.mark.parametrize("lens", LENSES, ids=NAMES)
def test_planted_copies_are_met_as_if_they_had_been_there(lens: Lens, people: Sample, others: Images) -> None:
    space = LensSpace.of(lens, people.images, people.patients)
    copies = disguised(people.images[:12], others, DISGUISES["noise_4_percent"], np.random.default_rng(1))
    known = space.closest(others)
    (met,), after = space.met([copies], known, known.distance), known.distance.copy()
    np.minimum.at(after, met.real, met.distance)
    np.testing.assert_array_equal(after, space.closest(np.concatenate([others, copies])).distance)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("negative", "fine detail"),
        ("fine_detail", "fine detail"),
        ("blend_30_percent", "fine detail"),
        ("left_half", "parts"),
        ("quadrant", "small parts"),
        ("rotation_10_degrees", "moved images"),
        ("crop_85_percent", "moved images"),
        ("shift_10_percent", "moved images"),
    ],
)
def test_a_changed_copy_is_closest_to_its_own_patient(people: Sample, others: Images, kind: str, name: str) -> None:
    """Of nearly all copies, far closer than anything in a safe set is to anybody."""
    space = LensSpace.of(LENSES[NAMES.index(name)], people.images, people.patients)
    copied = np.unique(people.patients, return_index=True)[1][:40]
    copies = disguised(people.images[copied], others, DISGUISES[kind], np.random.default_rng(2))
    known = space.closest(others)
    (met,) = space.met([copies], known, known.distance)
    score = np.full((len(people.images), len(copies)), np.inf)
    score[met.real, met.copy] = met.distance
    own = people.patients[score.argmin(axis=0)] == people.patients[copied]
    assert own.mean() > 0.8
    assert np.median(score.min(axis=0)) < np.median(known.distance)


@pytest.mark.parametrize("lens", LENSES, ids=NAMES)
def test_images_that_show_nothing_are_close_to_nobody(lens: Lens, people: Sample) -> None:
    """Black images on either side, and one that several patients share."""
    images = people.images.copy()
    images[:3], images[3:6] = 0, images[6]
    space = LensSpace.of(lens, images, people.patients)
    found = space.closest(np.concatenate([np.zeros_like(images[:2]), images[6:7]]))
    assert np.isfinite(found.distance).all()
    assert (found.distance[:3] > 0.5).all()
    assert found.distance[6] < 0.5


def test_colour_is_seen_as_luminance(people: Sample, others: Images) -> None:
    grey, colour = (LensSpace.of(LENSES[0], np.repeat(people.images, times, 3), people.patients) for times in (1, 3))
    pair = grey.closest(others).distance, colour.closest(np.repeat(others, 3, 3)).distance
    np.testing.assert_allclose(*pair, rtol=0.02)


def test_still_images_do_not_move() -> None:
    pictures = np.random.default_rng(0).normal(size=(2, 32, 32))
    np.testing.assert_array_equal(_middle(pictures, MOVES[0]), pictures[:, 5:27, 5:27])
    np.testing.assert_allclose(_middle(pictures, (0.0, 1.0, 1 / 32, 2 / 32)), pictures[:, 4:26, 3:25])
