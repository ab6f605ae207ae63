"""From a run to a set: what is written, in what shares, and which runs are refused."""

import csv
import json
import shutil
import socket
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydicom import dcmread

from privgan import folders
from privgan.dp.odds import odds
from privgan.dp.spend import PrivacySpend
from privgan.errors import IntegrityError, PrivganError, UsageError
from privgan.images.form import ImageForm
from privgan.synthetic.class_shares import apportion, class_labels
from privgan.synthetic.dataset_card import dataset_card
from privgan.synthetic.dicom import validator
from privgan.synthetic.generate import GenerateOptions, generate, output_bytes
from privgan.synthetic.synthetic_set import SyntheticSet, open_synthetic_set
from tests.synthetic.making import CLASSES, SEED, finish_again, lively_run, make_run, make_set


def run_generate(run: Path, folder: Path, **options: object) -> None:
    folder.mkdir()
    generate(run, folder, GenerateOptions(**{"count": 5, **options}), SEED)


def test_every_form_of_an_image_agrees(tmp_path: Path) -> None:
    opened = open_synthetic_set(make_set(tmp_path / "set", count=7))
    rows = [*csv.DictReader((opened.folder / "labels.csv").open())]
    for number, row in enumerate(rows):
        dataset = dcmread(opened.folder / row["file"])
        np.testing.assert_array_equal(dataset.pixel_array, opened.images[number])
        assert row["label"] == CLASSES[opened.labels[number]] == dataset.ImageComments
        assert row["patient"] == dataset.PatientID == f"PG-0123abcd-{number + 1:06d}"
    assert len(rows) == 7
    assert opened.images.std() > 0
    assert opened.manifest.spend == PrivacySpend(epsilon=3.0, delta=1e-5, unit="patient", adjacency="zero-out")


def test_the_arrays_are_written_even_when_only_a_picture_is_asked_for(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "set", formats=("png",))
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "NOT_RELEASED",
        "SEED",
        "manifest.json",
        "labels.csv",
        "images.npz",
        "contact-sheet.png",
    }
    with Image.open(folder / "contact-sheet.png") as sheet:
        assert sheet.info == {}
        assert sheet.size == (560, 2 * (16 + 56))


COARSE = {"order": 6, "fine_order": 7}  # a quarter of the 28 pixels of these images
SHAPED = [({}, 0), (COARSE, 7), ({**COARSE, "align": False}, 6), ({**COARSE, "finish": 8}, 0)]


@pytest.mark.parametrize(("model", "fine"), SHAPED)
def test_images_that_are_smooth_say_so_unless_public_ones_finished_them(
    tmp_path: Path, model: dict[str, Any], fine: int
) -> None:
    """In the manifest and on the card; of others the manifest holds what it always held."""
    folder = tmp_path / "set"
    run_generate(lively_run(tmp_path / "run", **model), folder, count=2, formats=("npz",))
    held, card = open_synthetic_set(folder).manifest, (folder / "README.md").read_text()
    assert held.smooth_as == fine
    assert ("smooth_as" in json.loads((folder / "manifest.json").read_text())) == bool(fine)
    assert ("**The images are smooth**" in card) == bool(fine)
    assert not fine or f"images of {fine} x {fine} pixels that were enlarged" in card


def test_nothing_tells_the_place_or_the_time_of_day(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    run = make_run(tmp_path / "zanzibar-run")
    run_generate(run, folder)
    for path in folders.list_files(folder):
        content = path.read_bytes()
        assert b"zanzibar" not in content, path.name
        assert str(tmp_path).encode() not in content, path.name
        assert socket.gethostname().encode() not in content, path.name
    dataset = dcmread(folder / "dicom/000001/000001.dcm")
    assert "InstanceCreationTime" not in dataset
    assert json.loads((folder / "manifest.json").read_text())["created"].count("-") == 2


def test_the_card_says_odds_in_words_and_warns(tmp_path: Path) -> None:
    text = (make_set(tmp_path / "set") / "README.md").read_text()
    assert f"> {odds(3.0)}: by any means" in text
    assert "NOT_RELEASED" in text
    assert "NOT PRIVATE" not in text
    test_run = open_synthetic_set(make_set(tmp_path / "test-set", not_private=True))
    card = dataset_card(test_run.manifest)
    assert "NOT PRIVATE" in card
    assert "odds" not in card


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=8).filter(lambda w: sum(w) > 1e-6), st.integers(1, 5000))
def test_shares_add_up_and_are_nearest(weights: list[float], count: int) -> None:
    array = np.array(weights)
    whole = apportion(array, count)
    assert whole.sum() == count
    assert (whole >= 0).all()
    assert (np.abs(whole - count * array / array.sum()) < 1 + 1e-6).all()


def test_weights_by_name() -> None:
    assert Counter(class_labels("effusion:3, normal:1", CLASSES, 8, SEED)) == {1: 6, 0: 2}
    assert Counter(class_labels("effusion:1", CLASSES, 8, SEED)) == {1: 8}
    assert Counter(class_labels("uniform", CLASSES, 9, SEED)) == {0: 5, 1: 4}


def measured_set(tmp_path: Path, counts: list[float], **run: object) -> SyntheticSet:
    """20 images in the shares of noisy counts, of noise 10."""
    source = make_run(tmp_path / "run", **run)
    config = source / "model" / "config.json"
    balance = {"class_balance": {"counts": counts, "noise": 10.0}}
    config.write_text(json.dumps({**json.loads(config.read_text()), **balance}))
    finish_again(source)
    run_generate(source, tmp_path / "set", count=20, classes="measured")
    return open_synthetic_set(tmp_path / "set")


def test_measured_shares_are_taken_and_explained(tmp_path: Path) -> None:
    """900 and 100 patients give 18 and 2 images; the card says how far noise may have moved them, rounded up."""
    opened = measured_set(tmp_path, [900.0, 100.0])
    assert opened.manifest.class_counts == {"normal": 18, "effusion": 2}
    assert opened.manifest.class_margin == pytest.approx(2 * 0.01 * (1 - 2 * 0.9 + 2 * 0.81) ** 0.5)
    text = (opened.folder / "README.md").read_text()
    assert "± 1.9 percentage points" in text
    assert "covered by epsilon" in text
    assert "chosen, not measured" not in text
    assert text == dataset_card(opened.manifest)


def test_measured_shares_of_a_test_run_claim_no_cover(tmp_path: Path) -> None:
    text = (measured_set(tmp_path, [900.0, 100.0], not_private=True).folder / "README.md").read_text()
    assert "percentage points" in text
    assert "covered" not in text


def test_drowned_shares_are_equal_and_said_to_be(tmp_path: Path) -> None:
    opened = measured_set(tmp_path, [-4.0, -1.0])
    assert opened.manifest.class_counts == {"normal": 10, "effusion": 10}
    assert "drowned" in (opened.folder / "README.md").read_text()


@pytest.mark.parametrize("margin", ["0.1", -0.1, 1.1, True, float("nan")])
def test_an_edited_margin_is_refused(tmp_path: Path, margin: object) -> None:
    folder = measured_set(tmp_path, [900.0, 100.0]).folder
    table = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**table, "class_margin": margin}))
    with pytest.raises(IntegrityError, match="margin"):
        open_synthetic_set(folder)


def test_unmeasured_shares_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--measure-classes"):
        run_generate(make_run(tmp_path / "run"), tmp_path / "set", classes="measured")


@pytest.mark.parametrize(
    "text", ["effusio:1", "normal", "normal:-1", "normal:nan", "normal:0", "normal:1,normal:2", "normal:inf", ""]
)
def test_bad_weights_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        class_labels(text, CLASSES, 8, SEED)


@pytest.mark.parametrize(
    "options",
    [{"count": 0}, {"formats": ()}, {"formats": ("jpeg",)}, {"sop_class": "ct"}, {"sop_class": ""}],
)
def test_bad_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        GenerateOptions(**{"count": 1, **options})


def test_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", state="training", finished_steps=3)
    with pytest.raises(UsageError, match="step 3 of 10"):
        run_generate(run, tmp_path / "set")


def test_an_edited_generator_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    weights = run / "model" / "generator.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(IntegrityError, match="edited"):
        run_generate(run, tmp_path / "set")


@pytest.mark.parametrize(
    ("old", "new"), [('"effusion"', '"fracture"'), ('"class_balance": null', '"class_balance":null'), ("}", "} ")]
)
def test_an_edited_configuration_is_refused(tmp_path: Path, old: str, new: str) -> None:
    """Other classes, and what would draw the same images: every byte is the run's."""
    run = make_run(tmp_path / "run")
    settings = run / "model" / "config.json"
    assert old in settings.read_text()
    settings.write_text(settings.read_text().replace(old, new))
    with pytest.raises(IntegrityError, match=r"config\.json"):
        run_generate(run, tmp_path / "set")


def test_a_run_that_kept_no_digest_of_its_configuration_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", config_sha256="")
    with pytest.raises(IntegrityError, match="train again"):
        run_generate(run, tmp_path / "set")


def test_class_names_of_another_run_are_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    settings = run / "model" / "config.json"
    settings.write_text(settings.read_text().replace("effusion", "fracture"))
    with pytest.raises(IntegrityError, match="classes"):
        run_generate(finish_again(run), tmp_path / "set")


def test_a_missing_run_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        run_generate(tmp_path / "absent", tmp_path / "set")


def test_the_disk_estimate_covers_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_set(tmp_path / "set", count=40)
    used = sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))
    estimate = output_bytes(GenerateOptions(count=40), ImageForm(side=28))
    assert used <= estimate <= 4 * used
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1 << 30, 1 << 30, estimate // 2))
    with pytest.raises(UsageError, match="free disk"):
        make_set(tmp_path / "other", count=40)


def test_ct_objects_need_a_run_that_knows_its_units(tmp_path: Path) -> None:
    """Older runs, and pictures called CT, know none; nothing is left behind."""
    with pytest.raises(UsageError, match="Hounsfield"):
        make_set(tmp_path / "set", form={"sop_class": "match"}, modality="CT")
    assert not list((tmp_path / "set").iterdir())


def test_files_that_the_validator_complains_of_are_no_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validator, "complaints", lambda files: 2 * len(files))
    with pytest.raises(PrivganError, match="10 complaints about 5"):
        run_generate(make_run(tmp_path / "run"), tmp_path / "set")
