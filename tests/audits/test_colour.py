"""The audit in colour: what sees red, green and blue, what hides from it, and that grey copies of code agree."""

import base64
import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from privgan.errors import UsageError
from privgan.images.geometry import luminance, orbit, pool
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.evidence.loading import load_file_evidence
from privgan_audits.gate.record_facts import COLOUR
from privgan_audits.questions import exact_copies, near_copies
from privgan_audits.questions.controls.changes import hue
from privgan_audits.questions.controls.disguises import DISGUISES, IN_COLOUR, TONES, Disguise, disguised, disguises_of
from privgan_audits.questions.controls.measure import features
from privgan_audits.questions.utility.classifier import Lessons, train_classifier
from privgan_audits.report.pictures import data_uri
from privgan_audits.spaces.embedding import train_embedding
from privgan_audits.spaces.perceptual import perceptual_bits
from privgan_audits.spaces.pixel_space import PixelSpace, pair_distances
from privgan_audits.spaces.pixels import MAX_SHIFT, normalise, shifted_distances
from privgan_audits.spaces.prints import prints
from privgan_audits.spaces.search.searches import spectra, spectrum_turns, views
from tests.data.phantom_photos import CLASSES, Skin, draw_photos

SIZE = 32
Array = np.ndarray[Any, Any]


def photos(rng: np.random.Generator, patients: int, each: int = 2) -> tuple[Array, Array, Array]:
    """Images uint8, class and patient of each."""
    two, patient = rng.random(patients) < 0.5, np.repeat(np.arange(patients), each)
    return draw_photos(Skin.draw(two, rng).take(patient), rng, SIZE), two[patient].astype(np.int64), patient


def as_npz(path: Path, found: tuple[Array, Array, Array], prefix: str) -> Path:
    images, labels, patient = found
    names = [f"{prefix}{number}" for number in patient]
    np.savez(path, images=images, labels=labels, patient_id=names, classes=CLASSES)
    return path


@pytest.fixture(scope="module")
def cohort() -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array], Array]:
    """Members, non-members, and images of people who are neither."""
    rng = np.random.default_rng(8)
    return photos(rng, 60), photos(rng, 30), photos(rng, 60, 1)[0]


def evidence(cohort: Any, tmp_path: Path, *planted: Array) -> Evidence:
    members, others, fresh = cohort
    images = np.concatenate([fresh, *planted])
    np.savez(tmp_path / "s.npz", images=images)
    real = as_npz(tmp_path / "m.npz", members, "m"), as_npz(tmp_path / "n.npz", others, "n")
    return load_file_evidence(tmp_path / "s.npz", *real, colour=True)


def copied(found: Evidence) -> tuple[int, int]:
    findings = exact_copies.QUESTION.measure(found, np.random.default_rng(0)).findings  # type: ignore[union-attr]
    return findings["copies_of_members"], findings["copies_of_other_patients"]


def near_copy_p(found: Evidence) -> float:
    return float(near_copies.QUESTION.measure(found, np.random.default_rng(0)).findings["p"])  # type: ignore[union-attr]


def test_files_in_colour_are_compared_as_they_are(cohort: Any, tmp_path: Path) -> None:
    found = evidence(cohort, tmp_path)
    np.testing.assert_array_equal(found.members.images, cohort[0][0])
    np.testing.assert_array_equal(found.synthetic.images, cohort[2])


def test_clean_photographs_are_quiet(cohort: Any, tmp_path: Path) -> None:
    found = evidence(cohort, tmp_path)
    assert copied(found) == (0, 0)
    assert near_copy_p(found) > 0.02


def test_a_copy_is_found_at_once_turned_of_another_white_balance_or_red_for_blue(cohort: Any, tmp_path: Path) -> None:
    (members, *rest), others, fresh = cohort
    even = np.clip(members, 0, 252) // 2 * 2  # so that halves merge no values
    copies = [
        np.rot90(even[7]),
        np.stack([even[9, ..., 0] + 3, even[9, ..., 1] // 2, even[9, ..., 2] // 2 + 50], axis=-1),
        even[11, ::-1, :, ::-1],
    ]
    found = evidence(((even, *rest), others, fresh), tmp_path, np.stack(copies))
    assert copied(found) == (3, 0)
    outcome = exact_copies.QUESTION.measure(found, np.random.default_rng(0))
    assert outcome.findings["rescaled_copies_of_members"] == 2  # type: ignore[union-attr]


def test_alike_in_two_channels_is_no_copy(cohort: Any) -> None:
    image = cohort[0][0][:1]
    other = image.copy()
    other[0, 3, 4, 2] ^= 1
    (first,), (second,) = prints(image), prints(other)
    assert first is not None
    assert second is not None
    assert first.pixels != second.pixels
    assert prints(np.full((1, SIZE, SIZE, 3), (9, 80, 200), np.uint8)) == [None]


def test_copies_of_another_hue_are_found_by_their_nearness(cohort: Any, tmp_path: Path) -> None:
    """None is identical to a member, in pixels or in ranks."""
    images = cohort[0][0][:48:2]
    copies = disguised(images, images, Disguise(family=TONES, change=hue(45)), np.random.default_rng(0))
    found = evidence(cohort, tmp_path, copies)
    assert copied(found) == (0, 0)
    assert near_copy_p(found) < 0.002


def test_pictures_are_read_in_colour_when_that_is_asked_for_and_else_in_grey(cohort: Any, tmp_path: Path) -> None:
    for side, count in (("s", 3), ("m", 4)):
        (tmp_path / side).mkdir()
        for row, image in enumerate(cohort[0][0][:count]):
            Image.fromarray(image).save(tmp_path / side / f"{row}.png")
    found = load_file_evidence(tmp_path / "s", tmp_path / "m", None, colour=True)
    assert found.members.images.shape == (4, SIZE, SIZE, 3)
    grey = load_file_evidence(tmp_path / "s", tmp_path / "m", None)
    assert grey.members.images.shape == (4, SIZE, SIZE, 1)
    assert "Members: 4 colour files were converted to grey." in grey.notes


def test_a_sample_is_grey_or_in_colour_and_all_are_of_one_kind(cohort: Any, tmp_path: Path) -> None:
    def sample(*shape: int) -> Sample:
        return Sample(images=np.zeros((2, *shape), np.uint8), labels=np.zeros(2, int), patients=np.arange(2))

    for shape in ((32,), (32, 32), (32, 32, 2), (32, 32, 4), (32, 32, 3, 1)):
        with pytest.raises(UsageError, match="images"):
            sample(*shape)
    with pytest.raises(UsageError, match="all grey or all in colour"):
        Evidence(
            members=sample(32, 32, 1),
            non_members=None,
            synthetic=sample(32, 32, 3),
            synthetic_folder=tmp_path,
            synthetic_sha256="0",
            classes=("a",),
        )


def distance_by_hand(query: Array, target: Array) -> float:
    """The smallest over shifts of the target, each channel without its mean, all of one norm."""
    size = query.shape[0] - 2 * MAX_SHIFT

    def unit(window: Array) -> Array:
        centred = np.stack([window[..., c] - window[..., c].mean() for c in range(3)], axis=-1).astype(np.float64)
        return np.asarray(centred / np.sqrt((centred**2).sum()))

    middle = unit(query[MAX_SHIFT : MAX_SHIFT + size, MAX_SHIFT : MAX_SHIFT + size].astype(np.float64))
    steps = range(2 * MAX_SHIFT + 1)
    windows = [target[y : y + size, x : x + size].astype(np.float64) for y, x in itertools.product(steps, steps)]
    return float(min(np.sqrt(((middle - unit(window)) ** 2).sum()) for window in windows))


def test_pixel_distances_of_all_channels_equal_their_slow_twin(cohort: Any) -> None:
    fine = views(cohort[0][0][:6], searching=False).fine
    spread = np.geomspace(1, 60, 16)[:, None] * np.array([1, 0.2, 1])  # another one in every window
    rough = np.random.default_rng(2).normal(100, spread, (40, 16, 16, 3)).astype(np.float32)
    rough[..., 2] = rough[:, :, ::-1, 2]
    for some in (fine, rough):
        half = len(some) // 2
        slow = [distance_by_hand(query, target) for query, target in zip(some[:half], some[half:], strict=True)]
        np.testing.assert_allclose(shifted_distances(some[:half], some[half:]), slow, rtol=1e-5)
    assert shifted_distances(fine[:1], fine[:1])[0] < 1e-6
    other_balance = fine[:1] * np.float32(0.5) + np.array([9, 0, 40], np.float32)
    assert shifted_distances(fine[:1], other_balance)[0] < 1e-4
    assert shifted_distances(fine[:1], fine[:1, ..., ::-1])[0] > 0.05


def test_the_space_of_pixels_sees_what_luminance_does_not(cohort: Any) -> None:
    """Noise that is invisible in grey."""
    image = cohort[0][0][:1].astype(np.float64) / 2 + 60
    noise = np.random.default_rng(1).normal(0, 30, (1, SIZE, SIZE, 1)) * np.array([0.114, 0.0, -0.299])
    other = np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)
    image = np.rint(image).astype(np.uint8)
    np.testing.assert_array_equal(perceptual_bits(image), perceptual_bits(other))
    first, second = (views(each, searching=False) for each in (image, other))
    rows = np.zeros(1, np.int64)
    assert pair_distances(first, rows, second, rows, (rows,))[0] > 0.05


def test_grey_in_three_channels_is_as_far_as_grey(cohort: Any) -> None:
    grey = np.ascontiguousarray(cohort[0][0][..., 1:2])
    three = np.repeat(grey, 3, axis=-1)
    owner = np.repeat(np.arange(30), 2)
    one, other = PixelSpace.of(grey[:60]), PixelSpace.of(three[:60])
    np.testing.assert_allclose(one.among_real(owner), other.among_real(owner), atol=2e-4)
    np.testing.assert_allclose(pool(three, 16)[..., 2:], pool(grey, 16))
    np.testing.assert_allclose(luminance(pool(three, 16)), pool(grey, 16), rtol=1e-5)
    np.testing.assert_array_equal(perceptual_bits(three), perceptual_bits(grey))
    assert [print_ and print_.pixels != print_.tones for print_ in prints(three[:4])] == [True] * 4


def test_forms_of_each_channel_are_those_of_grey_images_but_for_the_common_norm(cohort: Any) -> None:
    fine = pool(cohort[0][0][:4], SIZE)
    seen, corners = spectra(fine, [(2, 2), (0, 4)]), [(2, 2), (0, 4)]
    np.testing.assert_allclose((seen**2).sum(axis=(2, 3, 4)), 1, rtol=1e-5)
    for channel in range(3):
        grey = spectra(fine[..., [channel]], corners)[..., 0]
        share = np.sqrt((seen[..., channel] ** 2).sum(axis=(2, 3), keepdims=True))
        np.testing.assert_allclose(seen[..., channel], grey * share, atol=1e-5)
        for turn, one in zip(spectrum_turns(seen), spectrum_turns(seen[..., [channel]]), strict=True):
            np.testing.assert_array_equal(turn.reshape(4, -1, 3)[..., channel], one)
    np.testing.assert_allclose((normalise(fine) ** 2).sum(axis=(1, 2, 3)), 1, rtol=1e-5)
    np.testing.assert_allclose(normalise(fine).mean(axis=(1, 2)), 0, atol=1e-6)
    assert [view.shape for view in orbit(fine)] == [fine.shape] * 8


def test_a_turned_copy_is_nearest_in_the_space_of_pixels(cohort: Any) -> None:
    real = cohort[0][0][:40]
    moved = np.roll(np.rot90(real, axes=(1, 2)), 1, axis=1)
    found = PixelSpace.of(real).closest(moved)
    np.testing.assert_array_equal(found.row, np.arange(40))
    assert found.distance.max() < 0.5


def test_split_features_are_those_of_each_channel(cohort: Any) -> None:
    images = cohort[0][0][:5]
    by_hand = np.concatenate([features(np.ascontiguousarray(images[..., [c]])) for c in range(3)], axis=1)
    np.testing.assert_allclose(features(images), by_hand)


def test_the_embedding_does_not_see_hue(cohort: Any) -> None:
    images = cohort[0][0]
    learned = train_embedding(images)
    plain = np.clip(images, 60, 200).astype(np.float64)
    noise = np.random.default_rng(1).normal(0, 40, (len(images), 8, 8, 1)).repeat(4, axis=1).repeat(4, axis=2)
    unseen, seen = noise * np.array([0.114, 0.0, -0.299]), noise * np.array([0.114, 0.0, 0.299])
    first, hue_alone, another = (
        learned.embed(np.rint(each).astype(np.uint8)) for each in (plain, plain + unseen, plain + seen)
    )
    assert (first * hue_alone).sum(axis=1).mean() > 0.99
    assert (first * another).sum(axis=1).mean() < 0.97


def test_the_classifier_learns_a_class_that_is_a_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """And that luminance does not show: 0.299 * 40 is nearly 0.114 * 105."""
    monkeypatch.setattr("privgan_audits.questions.utility.classifier.STEPS", 60)
    rng = np.random.default_rng(3)
    labels = np.arange(120) % 2
    grey = rng.integers(105, 200, (120, 16, 16))
    one = labels[:, None, None]
    images = np.stack([grey + 40 * one, grey, grey - 105 * one], axis=-1).astype(np.uint8)
    lessons = Lessons(images=images[:80], labels=labels[:80], weights=np.full(80, 1 / 80))
    found = train_classifier(lessons, 2, rng, "colours").probabilities(images[80:])
    assert (found.argmax(axis=1) == labels[80:]).mean() > 0.9


@pytest.mark.parametrize("name", [*DISGUISES, *IN_COLOUR])
def test_every_disguise_changes_colour_images_as_it_changes_grey_ones(cohort: Any, name: str) -> None:
    images = cohort[0][0][:6]
    changed = disguised(images, images[::-1], disguises_of(images)[name], np.random.default_rng(0))
    assert changed.shape == images.shape
    assert (changed != images).any() == (name != "exact")
    if name in DISGUISES and not name.startswith(("noise", "jpeg", "negative")):
        green = disguised(images[..., 1:2], images[::-1, ..., 1:2], DISGUISES[name], np.random.default_rng(0))
        np.testing.assert_array_equal(changed[..., 1:2], green)
    assert name in disguises_of(images[..., :1]) or name in IN_COLOUR


def test_another_hue_keeps_the_sum_of_the_colours_and_comes_round() -> None:
    images = np.random.default_rng(0).integers(100, 150, (2, 4, 4, 3)).astype(np.uint8)

    def turned(degrees: float) -> np.ndarray:
        return hue(degrees)(images, images, np.random.default_rng(0))

    np.testing.assert_allclose(turned(77).sum(axis=-1), images.sum(axis=-1))
    np.testing.assert_allclose(turned(360), images)
    np.testing.assert_allclose(turned(120), np.roll(images, 1, axis=-1))


def test_a_picture_in_a_report_keeps_its_colours(cohort: Any) -> None:
    image = cohort[0][0][0]
    content = base64.b64decode(data_uri(image).removeprefix("data:image/png;base64,"))
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(picture)[::4, ::4], image)


def test_the_note_names_what_sees_colour() -> None:
    assert all(word in COLOUR for word in ("T1", "pixels", "classifier", "luminance"))
