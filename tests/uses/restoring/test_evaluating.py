"""An evaluation measures on held-back patients alone, tells better from worse, and shows itself to nobody else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from privgan.arrays import Images
from privgan.data.cohort.cohort import MEMBER, NON_MEMBER
from privgan.errors import InputRejectedError, UsageError
from privgan.images.form import ImageForm
from privgan.language import speaking
from privgan_audits.evidence.interface import Sample
from privgan_uses.restoring.damage import Coarse, Ghosts, Noise, damaged
from privgan_uses.restoring.evaluating import findings
from privgan_uses.restoring.evaluating.evaluate import Evaluated, Question, Sides, compare, evaluate_restorer
from privgan_uses.restoring.evaluating.page import lines_of, write_page
from privgan_uses.restoring.evaluating.rivals import classical
from privgan_uses.restoring.measures import psnr
from privgan_uses.restoring.model import Restorer
from tests.takes import takes
from tests.uses.restoring.making import FORM, SIDE, make_model, material

CLASSES = ("clear", "opacity")


def sample(patients: int, *, seed: int, first: int = 0) -> Sample:
    """Two images of each, the second a little brighter."""
    images = takes(patients, seed=seed, side=SIDE)
    brighter = np.minimum(images.astype(int) + 6, 255).astype(np.uint8)
    owner = first + np.arange(patients)
    labels = (np.arange(patients) % 2 == 0).astype(np.int64)
    return Sample(images=np.concatenate([images, brighter]), labels=np.tile(labels, 2), patients=np.tile(owner, 2))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Restorer:
    return make_model(tmp_path_factory.mktemp("learned") / "model")


@pytest.fixture(scope="module")
def found(model: Restorer) -> Evaluated:
    sides = Sides(members=sample(60, seed=1), held_back=sample(30, seed=2, first=60), classes=CLASSES)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("privgan_audits.questions.utility.classifier.STEPS", 60)
        return compare(model, sides, Question(images=takes(60, seed=3, side=SIDE)))


def test_every_rival_is_measured_on_every_patient(found: Evaluated) -> None:
    content = found.content
    assert (content["patients"], content["images"]) == (30, 60)
    assert [*content["arms"]] == ["damaged", "classical", "plain", "model", "ceiling"]
    assert content["differences"].keys() == content["arms"].keys() - {"model"}
    for name, arm in content["arms"].items():
        each = psnr(found.good, found.arms[name]).reshape(2, 30).mean(axis=0)  # of a patient
        assert arm["psnr"]["value"] == pytest.approx(each.mean())
        spread = 1.96 * each.std() / np.sqrt(30)
        assert arm["psnr"]["low"] == pytest.approx(each.mean() - spread, abs=spread / 2)
        assert arm["psnr"]["high"] == pytest.approx(each.mean() + spread, abs=spread / 2)


def test_differences_are_of_the_same_patients(found: Evaluated) -> None:
    for name, difference in found.content["differences"].items():
        one, other = (psnr(found.good, found.arms[arm]) for arm in ("model", name))
        assert difference["psnr"]["value"] == pytest.approx((one - other).mean())


def test_what_learns_nothing_takes_noise_away(found: Evaluated) -> None:
    assert found.content["arms"]["classical"]["psnr"]["low"] > found.content["arms"]["damaged"]["psnr"]["high"]


@pytest.mark.parametrize("noise", [Noise(photons=0.0, spread=20.0), Noise(photons=50.0, spread=2.0)])
def test_stabilised_noise_is_of_one_strength(noise: Noise) -> None:
    from privgan_uses.restoring.evaluating.rivals import _stabilised

    stable, back = _stabilised(noise, noise.spread)
    for level in (40, 120, 200):
        good = np.full((60, SIDE, SIDE, 1), level, np.uint8)
        bad = damaged(good, noise, FORM, torch.Generator().manual_seed(0)).astype(float)
        assert stable(bad).std() == pytest.approx(1.0, abs=0.06)
        assert back(stable(bad)) == pytest.approx(bad)


def test_arithmetic_enlarges_better_than_splines_and_has_no_word_on_ghosts() -> None:
    good = takes(6, seed=0, side=SIDE)
    small = damaged(good, Coarse(), FORM, torch.Generator())
    assert (psnr(good, classical(small, Coarse(), FORM)) > psnr(good, small) + 0.5).all()
    assert classical(good, Ghosts(), FORM).shape == good.shape


def marked(some: Sample) -> Sample:
    """The same with a finding that nobody overlooks: a bright square in every image of the second class."""
    images = some.images.copy()
    images[some.labels == 1, 8:20, 8:20] = 255
    return replace(some, images=images)


def examined(change: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr("privgan_audits.questions.utility.classifier.STEPS", 60)
    members, held_back = marked(sample(60, seed=4)), marked(sample(40, seed=5, first=90))
    arms = {"other": change(held_back.images)}
    told = findings.examined(members, held_back, arms, CLASSES, np.random.default_rng(0))
    assert told is not None
    return told["arms"]


def test_a_finding_that_vanishes_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images as they are change no finding; the one image of everybody tells no classes apart."""
    same = examined(lambda images: images, monkeypatch)
    assert same["other"]["hallucinated"]["value"] == 0.0
    assert same["other"]["auc"] == same["good"]["auc"]

    def nobodys(images: Images) -> Images:
        return np.broadcast_to(images[:1], images.shape)

    gone = examined(nobodys, monkeypatch)
    assert gone["other"]["auc"]["value"] == 0.5
    assert gone["other"]["hallucinated"]["low"] > 0.1
    turned = gone["other"]["turned"].values()
    assert sum(each["value"] for each in turned) == pytest.approx(gone["other"]["hallucinated"]["value"])


def test_of_one_class_there_is_nothing_to_find() -> None:
    one = sample(30, seed=4)
    alone = replace(one, labels=np.zeros_like(one.labels))
    assert findings.examined(alone, alone, {}, ("all",), np.random.default_rng(0)) is None


def cohort(patients: int, held_back: int, form: ImageForm = FORM) -> Any:
    """What an evaluation looks at of a cohort, without its files."""
    from types import SimpleNamespace

    whole = sample(patients, seed=6)
    split = np.where(whole.patients < held_back, NON_MEMBER, MEMBER)
    facts = SimpleNamespace(form=replace(form, classes=CLASSES), cohort_id="fedcba9876543210")
    return SimpleNamespace(
        facts=facts,
        images=whole.images,
        labels=whole.labels,
        patients=whole.patients,
        rows=lambda side: np.flatnonzero(split == side),
    )


def test_members_are_never_measured_on(model: Restorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("privgan_audits.questions.utility.classifier.STEPS", 1)
    opened = cohort(40, 12)
    found = evaluate_restorer(model, opened, Question(ceiling=False))
    held_back = {image.tobytes() for image in opened.images[opened.rows(NON_MEMBER)]}
    assert {image.tobytes() for image in found.good} == held_back
    assert found.content["patients"] == 12
    assert found.content["same_cohort"] is False
    assert "ceiling" not in found.content["arms"]


def test_people_whose_images_were_public_are_no_strangers(model: Restorer) -> None:
    """One image of a member is enough: who is held back may have been among them by another one."""
    opened = cohort(40, 12)
    opened.images = opened.images.copy()
    opened.images[30] = material().images[0]
    with pytest.raises(InputRejectedError, match="1 of the cohort's images are among the public"):
        evaluate_restorer(model, opened, Question(ceiling=False))


@pytest.mark.parametrize(("held_back", "form"), [(0, FORM), (9, FORM), (12, replace(FORM, modality="DX"))])
def test_too_few_patients_or_others_are_refused(model: Restorer, held_back: int, form: ImageForm) -> None:
    kind = UsageError if form != FORM else InputRejectedError
    with pytest.raises(kind, match="differ in size" if form != FORM else "at least 10 held-back"):
        evaluate_restorer(model, cohort(40, held_back, form), Question())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_says_whom_it_shows(model: Restorer, found: Evaluated, tmp_path: Path, language: str) -> None:
    with speaking(language):
        write_page(tmp_path, model.facts, found)
        lines = list(lines_of(found.content))
    page = (tmp_path / "evaluate.html").read_text()
    assert (tmp_path / "evaluate.html").stat().st_mode & 0o077 == 0
    assert ("It must not leave the hospital" in page) == (language == "en")
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert page.count("data:image/png") == (8 + 4) * 6
    assert len(lines) == 6
