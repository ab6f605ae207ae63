"""Numbers over patients beside their slow twins, and where a classifier looks."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from privgan.arrays import Floats, Images
from privgan.dp.spend import PrivacySpend
from privgan.images.form import ImageForm
from privgan_uses.released import Origin
from privgan_uses.teaching.classifier import Classifier
from privgan_uses.teaching.examining.measures import adjusted, measured
from privgan_uses.teaching.examining.occlusion import occlusion, places
from privgan_uses.teaching.examining.patients import Examined
from privgan_uses.teaching.examining.pictures import chosen, overlaid, pictures_of
from privgan_uses.teaching.lesson import Lesson
from privgan_uses.teaching.network import untrained
from privgan_uses.teaching.settings import TeachSettings
from privgan_uses.teaching.teach import taught
from tests.audits.releasing import TODAY
from tests.uses.teaching.test_learning import pictures

NAMES = ("left", "right")
ORIGIN = Origin(
    set_sha256="0" * 64,
    cohort_id="c",
    run_id="r",
    spend=PrivacySpend(epsilon=3.0, delta=1e-5, unit="patient", adjacency="zero-out"),
    images=280,
    title="",
    licence="",
    purpose="",
    recipient="",
    until="",
    key_fingerprint="f",
)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    """Of squares on the left and on the right."""
    parts = {"train": pictures(120, 0), "validation": pictures(40, 1), "test": pictures(40, 2)}
    lesson = Lesson(parts=parts, classes=NAMES, form=ImageForm(side=28, classes=NAMES), origins=(ORIGIN,))
    return taught(lesson, TeachSettings(steps=30), TODAY)


def people(count: int, seed: int) -> Examined:
    """Two images of each patient, both of one class; women first."""
    shown = pictures(count, seed)
    order = np.argsort(shown.labels, kind="stable")
    owner = np.arange(count) // 2
    return Examined(
        images=shown.images[order],
        labels=shown.labels[order],
        patients=owner,
        columns={"sex": np.array(["F", "M"])[owner % 2], "ward": np.where(owner < 3, "small", "")},
        whom="held-back",
        own=True,
        unknown=0,
        notes=(),
    )


def test_every_number_of_a_good_classifier(classifier: Classifier) -> None:
    patients = people(80, 5)
    chances = classifier.chances(patients.images)
    found = measured(classifier, chances, patients, np.random.default_rng(0))
    assert (found["patients"], found["images"]) == (40, 80)
    assert found["auc"]["value"] > 0.95
    called = classifier.called(chances)
    for label, each in enumerate(found["classes"]):
        here = patients.labels == label
        assert each["patients"] == 20
        assert each["sensitivity"]["value"] == pytest.approx(called[here, label].mean())
        assert each["specificity"]["value"] == pytest.approx(1 - called[~here, label].mean())
        assert each["sensitivity"]["low"] <= each["sensitivity"]["value"] <= each["sensitivity"]["high"]
    assert np.trace(np.array(found["confusion"])) == (chances.argmax(axis=1) == patients.labels).sum()
    assert sum(map(sum, found["confusion"])) == 80
    assert [(each["name"], each["patients"]) for each in found["groups"]["sex"]["groups"]] == [("F", 20), ("M", 20)]
    assert found["groups"]["ward"]["too_few"] == 3
    assert [each["name"] for each in found["groups"]["ward"]["groups"]] == [""]


def test_classes_that_nobody_has_are_not_known(classifier: Classifier) -> None:
    three = replace(classifier.facts, classes=("left", "right", "none"), thresholds=(0.5, 0.5, 0.5))
    patients = people(40, 6)
    chances = np.concatenate([classifier.chances(patients.images), np.zeros((40, 1))], axis=1)
    found = measured(replace(classifier, facts=three), chances, patients, np.random.default_rng(0))
    nobody = found["classes"][2]
    assert (nobody["patients"], nobody["sensitivity"], nobody["auc"]) == (0, None, None)
    assert nobody["specificity"]["value"] == 1
    assert found["auc"]["value"] > 0.9


def test_chances_of_equal_shares_are_brought_to_a_house_with_others() -> None:
    """Bayes: outcomes that are as likely under either class have the house's own shares."""
    shares = np.array([0.9, 0.1])
    assert adjusted(np.array([[0.5, 0.5], [0.1, 0.9]]), shares).tolist() == [
        pytest.approx([0.9, 0.1]),
        pytest.approx([0.5, 0.5]),
    ]


def test_it_looks_where_the_square_is(classifier: Classifier) -> None:
    shown = pictures(6, 8)
    inside = [(slice(6, 20), slice(1, 14)), (slice(6, 20), slice(14, 27))]
    for image, label in zip(shown.images, shown.labels.tolist(), strict=True):
        held = occlusion(classifier, image, label)
        assert held[inside[label]].sum() > 0.6 * np.maximum(held, 0).sum()


def test_random_weights_look_elsewhere(classifier: Classifier) -> None:
    """Adebayo et al. 2018: a map that stays when the weights are drawn anew shows the image, not the network."""
    drawn = [
        replace(
            classifier,
            network=untrained(
                side=28, look=16, channels=1, classes=2, rng=torch.Generator().manual_seed(seed)
            ).eval(),
        )
        for seed in (1, 2)
    ]
    alike = {"itself": list[float](), "random": list[float]()}
    for image, label in zip(pictures(4, 9).images, (0, 1) * 2, strict=True):
        own = occlusion(classifier, image, label).ravel()
        nudged = np.clip(image.astype(int) + 2, 0, 255).astype(np.uint8)
        alike["itself"].append(spearmanr(own, occlusion(classifier, nudged, label).ravel()).statistic)
        alike["random"] += [spearmanr(own, occlusion(each, image, label).ravel()).statistic for each in drawn]
    assert np.mean(alike["itself"]) > 0.8
    assert np.abs(np.mean(alike["random"])) < 0.4


def slow_occlusion(classifier: Classifier, image: Images, label: int) -> Floats:
    """One pixel after another: over the patches that cover it, how far the log-odds fall."""
    starts, size = places(image.shape[0])
    whole = classifier.chances(image[None])[0, label]
    answers = {}
    for top in starts:
        for left in starts:
            covered = image.copy()
            covered[top : top + size, left : left + size] = np.round(image.mean())
            answers[top, left] = classifier.chances(covered[None])[0, label]
    found = np.zeros(image.shape[:2])
    for row, column in np.ndindex(*found.shape):
        over = [
            answer for (top, left), answer in answers.items() if 0 <= row - top < size and 0 <= column - left < size
        ]
        found[row, column] = np.mean([np.log(whole / (1 - whole)) - np.log(each / (1 - each)) for each in over])
    return found


def test_a_map_is_what_a_slow_one_is(classifier: Classifier) -> None:
    image = pictures(1, 10).images[0]
    assert np.allclose(occlusion(classifier, image, 0), slow_occlusion(classifier, image, 0), atol=1e-4)


@pytest.mark.parametrize("side", [28, 33, 64, 256])
def test_patches_cover_every_pixel(side: int) -> None:
    starts, size = places(side)
    covered = np.zeros(side, dtype=bool)
    for start in starts:
        covered[start : start + size] = True
    assert covered.all()
    assert starts[-1] + size == side


def test_the_surest_patients_are_shown_once_right_and_wrong(classifier: Classifier) -> None:
    patients = people(40, 11)
    chances = np.tile([0.8, 0.2], (40, 1))
    chances[:4] = [[0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]]
    rows = chosen(chances, patients)
    assert rows[2:4] == [0, 2]  # of the first class two patients who are called the second
    assert len(set(patients.patients[rows])) == len(rows)
    shown = pictures_of(classifier, chances, patients)
    assert [each.right for each in shown] == [True, True, False, False, False, False]
    assert [each.truth for each in shown] == ["left"] * 4 + ["right"] * 2


def test_orange_speaks_for_it_and_blue_against() -> None:
    image = np.full((2, 2, 1), 100, np.uint8)
    shown = overlaid(image, np.array([[1.0, -1.0], [0.0, 0.5]])).astype(int)
    assert shown[0, 0, 0] > 200 > shown[0, 0, 2]
    assert shown[0, 1, 2] > 200 > shown[0, 1, 0]
    assert shown[1, 0].tolist() == [100, 100, 100]
