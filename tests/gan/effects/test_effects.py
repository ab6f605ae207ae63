"""What records do to images: no patient moves the answer far, what there is gets found, and what is not does not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from torch import Tensor

from privgan.arrays import Integers
from privgan.gan.effects import effects as module
from privgan.gan.effects.effects import Directions
from privgan.gan.effects.odds import Odds
from privgan.gan.image_model import MixtureSettings
from privgan.gan.patients import DescribedQuery
from privgan.gan.randomness import Randomness
from privgan.gan.training.members import Members
from privgan.gan.warm_start import Mixture, MixtureImages, MixtureShape
from privgan.gan.warm_start.measure import measure_mixture
from privgan.images.form import ImageForm
from tests.gan.small import members_of

SIZE, LEVELS, KINDS = 16, (3, 5), ("category", "ordinal")
START = MixtureSettings(order=5, align=False, bend=0.0)
QUIET = 1e-6
Y, X = np.mgrid[0:SIZE, 0:SIZE] / SIZE
SHAPES = np.stack([np.cos(3 * X), np.sin(4 * Y)])


def _codes(count: int, rng: np.random.Generator) -> Integers:
    """A column that shows nowhere, and four stages, some of them not known."""
    return np.column_stack([rng.integers(0, 3, count), rng.integers(0, 5, count)])


def _images(labels: Integers, stages: Integers, rng: np.random.Generator, colour: bool = False) -> NDArray[np.uint8]:
    """Shapes of two classes; with each stage the lower right becomes brighter."""
    level = 110 + 40 * SHAPES[labels] * (1 + 0.2 * rng.standard_normal((len(labels), 1, 1)))
    level = level + 9.0 * stages[:, None, None] * (X * Y) + rng.standard_normal((len(labels), SIZE, SIZE))
    images = np.clip(level, 0, 255).astype(np.uint8)
    return np.stack([images, images // 2, 255 - images], axis=3) if colour else images


def _told(count: int = 600, *, shuffled: bool = False, colour: bool = False, seed: int = 0) -> Members:
    rng = np.random.default_rng(seed)
    labels, codes = rng.integers(0, 2, count), _codes(count, rng)
    images = _images(labels, codes[:, 1], rng, colour)
    codes = rng.permutation(codes) if shuffled else codes
    return replace(members_of(images, labels), codes=codes)


def _odds(members: Members) -> Odds:
    joint = np.zeros((2, *LEVELS))
    assert members.codes is not None
    np.add.at(joint, (members.labels, *members.codes.T), 1.0)
    return Odds.of(torch.from_numpy(joint), KINDS)


def _shape(members: Members, start: MixtureSettings = START) -> MixtureShape:
    form = replace(ImageForm.of(members.images), classes=("a", "b"))
    return MixtureShape.of(start, form, factors=12, levels=LEVELS)


def _measured(members: Members, start: MixtureSettings = START, noise: float = QUIET, seed: int = 0) -> Mixture:
    noises = (noise,) * (len(start.noise_ratios) + 1)
    return measure_mixture(members, start, noises, _shape(members, start), Randomness.of(seed), _odds(members))


def _stages(found: Mixture) -> Tensor:
    """(5, m), the effects of the stages."""
    assert found.effects is not None
    return found.effects[3:]


class _Overheard:
    """Members, and the query of records that they were asked."""

    def __init__(self, members: Members) -> None:
        self.members, self.queries = members, list[DescribedQuery]()

    def described_sums(self, query: DescribedQuery) -> Tensor:
        self.queries.append(query)
        return self.members.described_sums(query)

    def clipped_gradients(self, query: Any) -> list[Tensor]:
        return self.members.clipped_gradients(query)


def _asked(members: Members) -> DescribedQuery:
    overheard = _Overheard(members)
    noises = (QUIET,) * (len(START.noise_ratios) + 1)
    measure_mixture(overheard, START, noises, _shape(members), Randomness.of(0), _odds(members))
    (query,) = [query for query in overheard.queries if query.records]
    return query


QUERY = _asked(_told(200))


def test_the_sum_is_that_of_a_loop_over_patients() -> None:
    """Of several images each, a patient weighs one: record times offset, each of length 1 at most."""
    members = _told(90)
    owners = np.sort(np.random.default_rng(1).integers(0, 40, 90))
    several = replace(members_of(members.images, members.labels, owners), codes=members.codes)
    total = torch.zeros(QUERY.dimensions, dtype=torch.float64)
    assert members.codes is not None
    for owner in np.unique(owners):
        rows = np.flatnonzero(owners == owner)
        for row in rows:
            told = torch.tensor([[members.labels[row], *members.codes[row]]])
            image = torch.from_numpy(members.images[row : row + 1]).permute(0, 3, 1, 2).float() / 127.5 - 1
            vector, cell = QUERY.describe(image, told)
            assert cell.item() == 0
            assert float(vector.norm()) <= 1 + 1e-5
            total += vector[0].double() / len(rows)
    torch.testing.assert_close(several.described_sums(QUERY)[0], total, atol=1e-4, rtol=1e-4)


class _Noted:
    """Members whose answers have no noise, and what noise each was said to bear."""

    def __init__(self, members: Members) -> None:
        self.members, self.said = members, list[tuple[float, DescribedQuery]]()

    def noisy_sums(self, query: DescribedQuery, noise: float) -> Tensor:
        self.said.append((noise, query))
        return self.members.described_sums(query)


@pytest.mark.parametrize("components", [1, 2])
def test_every_query_bears_the_noise_that_was_charged_for_it(components: int) -> None:
    """In the order of the settings; what records do has the last, and is asked once, of records."""
    start, members = replace(START, components=components), _told(200)
    noted, noises = _Noted(members), tuple(1.0 + number for number in range(len(start.noise_ratios) + 1))
    measure_mixture(noted, start, noises, _shape(members, start), Randomness.of(0), _odds(members))
    size = _odds(members).values * _shape(members, start).coordinates.count
    (place,) = [number for number, (_, query) in enumerate(noted.said) if query.dimensions == size]
    asked = [noise for noise, _ in noted.said]
    assert asked.pop(place) == noises[-1]
    assert tuple(asked) == noises[:-1]
    assert noted.said[place][1].records
    # All that is asked of coordinates after it is told records, to take out what they do.
    assert all(query.records == (query.dimensions != 64) for _, query in noted.said[place:])


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(0, 39))
def test_one_patient_moves_the_sum_by_at_most_one(seed: int, gone: int) -> None:
    """Whatever their images and codes are."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (40, SIZE, SIZE), dtype=np.uint8)
    images[gone] = rng.choice([0, 255], (SIZE, SIZE))
    labels, codes = rng.integers(0, 2, 40), rng.integers(-1, 7, (40, 2))
    stay = np.arange(40) != gone
    whole, less = (
        replace(members_of(images[rows], labels[rows]), codes=codes[rows]).described_sums(QUERY)
        for rows in (np.full(40, True), stay)
    )
    assert float((whole - less).norm()) <= 1 + 1e-6


@pytest.mark.parametrize("components", [1, 3])
def test_what_a_stage_does_is_found_and_in_shuffled_records_it_is_not(components: int) -> None:
    """Under noise; the stages lie on a line, evenly, and a column that shows nowhere has no effect."""
    start = replace(START, components=components)
    found, none = (_measured(_told(shuffled=lie), start, noise=1.0) for lie in (False, True))
    stages = _stages(found)[1:]
    steps = stages.diff(dim=0)
    straight = stages[-1] - stages[0]
    along = steps @ straight / straight.norm() ** 2
    assert bool((along > 0.15).all())
    assert float(_stages(none).norm()) < 0.25 * float(_stages(found).norm())
    assert found.effects is not None
    assert float(found.effects[:3].norm()) < 0.25 * float(_stages(found).norm())


def test_without_noise_effects_are_those_of_a_regression() -> None:
    """By dummy variables, within classes; and what images vary by is without them."""
    members = _told(1500)
    found, blind = _measured(members), _measured(replace(members, codes=np.zeros_like(members.codes)))
    coordinates = _shape(members).coordinates.varying.of(
        torch.from_numpy(members.images).permute(0, 3, 1, 2).float() / 127.5 - 1
    )
    labels, codes = members.labels, members.codes
    assert codes is not None
    design = np.column_stack([np.eye(2)[labels], np.eye(3)[codes[:, 0]][:, 1:], np.eye(5)[codes[:, 1]][:, 1:]])
    wanted = np.linalg.lstsq(design, coordinates.double().numpy(), rcond=None)[0][4:]
    stages = _stages(found).double().numpy()
    np.testing.assert_allclose(stages[1:] - stages[0], wanted, atol=0.05 * np.abs(wanted).max())
    spread = [float(each.loadings.square().sum() + each.grain.square().sum()) for each in (found, blind)]
    assert spread[0] < 0.8 * spread[1]


@pytest.mark.parametrize(
    "start",
    [
        replace(START, brightness=True),
        replace(START, pose=True),
        replace(START, align=True, fine_order=8),
        replace(START, components=2, bend=0.3),
    ],
)
@pytest.mark.parametrize("colour", [False, True])
def test_an_image_shows_its_stage_after_its_grey_levels_are_set(start: MixtureSettings, colour: bool) -> None:
    """However images are described: of the same latents, the lower right is brighter in every later stage."""
    members = _told(400, colour=colour)
    found, shape = _measured(members, start), _shape(members, start)
    images = MixtureImages(shape)
    images.fill(found)
    z = torch.randn(40, shape.latent, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(40) % 2
    drawn = [images(z, torch.column_stack([labels, labels, torch.full((40,), stage)])) for stage in range(1, 5)]
    corner = torch.stack([each.mean(1)[:, SIZE // 2 :, SIZE // 2 :].mean((1, 2)) for each in drawn], 1)
    grey = 3.0 if not colour else 9.0  # of three channels one is darker where the light is
    assert bool((corner.diff(dim=1).mean(0) > 1 / (127.5 * grey)).all())


def test_of_labels_alone_the_average_record_is_drawn() -> None:
    members = _told(300)
    found, shape = _measured(members), _shape(members)
    images, plain = MixtureImages(shape), MixtureImages(replace(shape, levels=()))
    images.fill(found)
    plain.fill(replace(found, effects=None, expected=None))
    z, labels = torch.randn(6, shape.latent), torch.arange(6) % 2
    assert torch.equal(images(z, labels), plain(z, labels))
    odds = _odds(members)
    records = odds.drawn(labels, torch.Generator().manual_seed(0))
    assert found.effects is not None
    moved = found.means[labels] + (odds.centred(records) @ found.effects)[:, None]
    for row in range(6):
        plain.fill(replace(found, means=moved[row].expand_as(found.means), effects=None, expected=None))
        torch.testing.assert_close(images(z[row : row + 1], records[row : row + 1])[0], plain(z, labels)[row])


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(0.01, 9)), min_size=1, max_size=9))
def test_values_in_order_are_those_that_the_field_finds(given_: list[tuple[float, float]]) -> None:
    values, weights = (torch.tensor(each, dtype=torch.float64) for each in zip(*given_, strict=True))
    twin = IsotonicRegression().fit_transform(range(len(values)), values.numpy(), sample_weight=weights.numpy())
    np.testing.assert_allclose(module._isotonic(values, weights).numpy(), twin, atol=1e-9)


def test_directions_ask_all_alike_and_give_back_what_they_were_asked_of() -> None:
    rng = np.random.default_rng(0)
    root = torch.from_numpy(rng.standard_normal((6, 6)))
    directions = Directions.of(root @ root.T)
    effects = torch.from_numpy(rng.standard_normal((3, 6)))
    offsets = directions.offsets(effects) * 1e-3
    asked = directions.bounded(offsets.float()).double()
    torch.testing.assert_close(asked * directions.units, effects * 1e-3, atol=1e-5, rtol=1e-4)
    covered = [row for group in directions.groups for row in range(6)[group]]
    assert covered == list(range(6))
