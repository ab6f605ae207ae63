"""A second hospital with its own cohort: who may ask, of whom, and the page that answers."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privgan.data.cohort.cohort import Cohort, CohortFacts
from privgan.dp.spend import PrivacySpend
from privgan.errors import UsageError
from privgan.images.form import ImageForm
from privgan.language import speaking
from privgan_uses.augmenting import hospital
from privgan_uses.augmenting.arms import MIXED, MIXED_ALL, REAL
from privgan_uses.augmenting.augment import augment
from privgan_uses.augmenting.design import AugmentDesign
from privgan_uses.augmenting.hospital import sides_of, sizes_of
from privgan_uses.augmenting.page import page
from privgan_uses.released import Origin, Released

FORM = ImageForm(side=8, classes=("normal", "effusion"), modality="CR", body_part="CHEST")
TINY = AugmentDesign(repeats=2, steps=11, arms=(REAL, MIXED[0], MIXED_ALL))
FACTS: dict[str, Any] = {
    "cohort_id": "b" * 16,
    "privgan_version": "0.1.0",
    "created": "2026-01-31",
    "preset": "custom",
    "window_low": 0.0,
    "window_high": 255.0,
    "non_member_fraction": 0.5,
    "merged_patients": 0,
    "excluded_patients": 0,
    "refused": {},
    "overrides": (),
    "digests": {},
}


def cohort(members: int = 6, others: int = 10, form: ImageForm = FORM, **facts: object) -> Cohort:
    """So many patients of each class on each side, with an image each."""
    count = 2 * (members + others)
    rng = np.random.default_rng(0)
    known = {"patients": count, "members": 2 * members, "non_members": 2 * others, "images": count, "form": form}
    return Cohort(
        folder=Path("nowhere"),
        facts=CohortFacts(**{**FACTS, **known, **facts}),
        images=rng.integers(0, 256, (count, 8, 8, 1), dtype=np.uint8),
        patients=np.arange(count),
        labels=np.arange(count) % 2,
        split=(np.arange(count) >= 2 * members).astype(np.uint8),
    )


def given(count: int = 40, form: ImageForm = FORM) -> Released:
    origin = Origin(
        set_sha256="c" * 64,
        cohort_id="a" * 16,
        run_id="d" * 16,
        spend=PrivacySpend(epsilon=3.0, delta=1e-5),
        images=count,
        title="",
        licence="",
        purpose="",
        recipient="",
        until="",
        key_fingerprint="e" * 64,
    )
    images = np.random.default_rng(1).integers(0, 256, (count, 8, 8, 1), dtype=np.uint8)
    labels, splits = np.arange(count) % len(form.classes), np.full(count, "train")
    return Released(images=images, labels=labels, splits=splits, form=form, origins=(origin,))


def test_members_are_learned_from_and_the_held_back_are_examined_on() -> None:
    own = cohort()
    sides = sides_of(given(), own, np.random.default_rng(0))
    assert set(sides.own.patients) == set(range(12))
    assert set(sides.test.patients) == set(range(12, 32))
    assert (sides.test.images == own.images[12:]).all()
    assert sides.names == FORM.classes


def test_of_a_large_cohort_some_are_examined_and_of_a_rare_class_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hospital, "EXAMINED", 60)
    monkeypatch.setattr(hospital, "LEARNED", 20)
    monkeypatch.setattr(hospital, "_AT_ONCE", 7)
    own = cohort(others=50)
    own.labels[12:][own.labels[12:] == 1] *= np.arange(50) < 12
    sides = sides_of(given(), own, np.random.default_rng(0))
    assert np.bincount(sides.test.labels).tolist() == [30, 12]
    assert np.bincount(sides.given.labels).tolist() == [10, 10]
    assert (sides.own.images == own.images[:12]).all()


@pytest.mark.parametrize(
    ("members", "sizes"), [(5, (5,)), (12, (5,)), (20, (5, 20)), (35, (5, 20)), (140, (5, 20, 100))]
)
def test_as_many_patients_as_there_are(members: int, sizes: tuple[int, ...]) -> None:
    assert sizes_of(sides_of(given(), cohort(members), np.random.default_rng(0)), ()) == sizes


def test_as_many_patients_as_are_asked_for() -> None:
    sides = sides_of(given(), cohort(members=12), np.random.default_rng(0))
    assert sizes_of(sides, (12, 3)) == (12, 3)
    with pytest.raises(UsageError, match="at least 13 patients of every class to learn from, one has 12"):
        sizes_of(sides, (3, 13))


def test_whoever_made_the_set_is_no_second_hospital() -> None:
    with pytest.raises(UsageError, match="this one made the set"):
        sides_of(given(), cohort(cohort_id="a" * 16), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"side": 16}, "16 x 16 pixels"),
        ({"classes": ("effusion", "normal")}, "in their order, normal, effusion"),
        ({"modality": "CT"}, "called 'CR CHEST'"),
        ({"body_part": "HEAD"}, "are called 'CR HEAD'"),
        ({"window": (-100.0, 300.0)}, "window"),
    ],
)
def test_images_that_mean_something_else_are_refused(change: Mapping[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        sides_of(given(), cohort(form=replace(FORM, **change)), np.random.default_rng(0))


def test_what_is_not_said_is_no_difference() -> None:
    quiet = replace(FORM, modality="", body_part="", each_image_is_a_patient=True)
    assert sides_of(given(), cohort(form=quiet), np.random.default_rng(0)).names == FORM.classes


def test_too_few_of_anything_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 5 patients of every class to learn from, one has 4"):
        sides_of(given(), cohort(members=4), np.random.default_rng(0))
    with pytest.raises(UsageError, match="at least 10 held-back patients of every class, one has 9"):
        sides_of(given(), cohort(others=9), np.random.default_rng(0))
    with pytest.raises(UsageError, match="at least 10 held-back patients of every class, one has 0"):
        sides_of(given(), cohort(others=0), np.random.default_rng(0))
    with pytest.raises(UsageError, match="two classes or more"):
        sides_of(
            given(form=replace(FORM, classes=("all",))),
            cohort(form=replace(FORM, classes=("all",))),
            np.random.default_rng(0),
        )
    one = given()
    with pytest.raises(UsageError, match="synthetic images of every class"):
        sides_of(replace(one, labels=np.zeros_like(one.labels)), cohort(), np.random.default_rng(0))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("study")
    return folder, augment(given(), cohort(), folder, replace(TINY, sizes=(5, 6)), np.random.default_rng(3))


def test_the_page_answers_for_every_number_of_patients(found: tuple[Path, dict[str, Any]]) -> None:
    folder, content = found
    assert sorted(path.name for path in folder.iterdir()) == ["augment.html", "augment.json"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert [size["patients"] for size in content["sizes"]] == [5, 6]
    assert content["held_back"] == {"normal": 10, "effusion": 10}
    html = (folder / "augment.html").read_text()
    assert html.count("patients of each class, ") == html.count("<caption>") == 2
    assert "your own and 0.25 synthetic ones for each" in html
    assert "Nobody knows whose" not in html
    assert "<script" not in html


def test_answers_are_told_in_each_case_and_language(found: tuple[Path, dict[str, Any]]) -> None:
    _, content = found
    for answer, words in (("helps", "the set helps: "), ("harms", "the set harms: "), ("open", "cannot be told: ")):
        size = content["sizes"][0]
        arm = size["arms"][MIXED_ALL.name] | {"answer": answer}
        told = content | {
            "sizes": [size | {"arms": size["arms"] | {MIXED_ALL.name: arm}}],
            "each_image_is_a_patient": True,
        }
        html = page(told, TINY.arms)
        assert words in html
        assert "Nobody knows whose" in html
    with speaking("zh"):
        assert "cannot be told" not in page(content, TINY.arms)
