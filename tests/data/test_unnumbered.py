"""Whose each image is must be said: a table one folder too deep, or none at all, makes nobody's image a patient's."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from privgan.data.cohort.options import EACH_IMAGE_IS_A_PATIENT
from privgan.data.cohort.prepare import prepare
from privgan.data.cohort.scan import scan
from privgan.data.selection import Selection
from privgan.data.sources.opening import read_images
from privgan.data.sources.wishes import Wishes
from privgan.errors import UsageError
from privgan.images.form import ImageForm
from privgan.synthetic.dataset_card import dataset_card
from privgan.synthetic.synthetic_set import read_manifest
from tests.data.telling import told
from tests.synthetic.making import make_set

PIXELS = np.sort(np.random.default_rng(0).integers(0, 200, (32, 32)), axis=0).astype(np.uint8)


def pictures(folder: Path, count: int = 4) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(PIXELS + np.uint8(number)).save(folder / f"{number}.png")
    return folder


def table(folder: Path) -> None:
    """Two images a patient."""
    lines = [f"{number}.png,{number // 2}\n" for number in range(len(list(folder.glob("*.png"))))]
    (folder / "labels.csv").write_text("file,patient\n" + "".join(lines))


@pytest.mark.parametrize("name", ["labels.csv", "Labels.CSV"])
def test_a_folder_one_level_too_high_is_refused(tmp_path: Path, name: str) -> None:
    table(pictures(tmp_path / "archive" / "secret-site"))
    (tmp_path / "archive" / "secret-site" / "labels.csv").rename(tmp_path / "archive" / "secret-site" / name)
    for attempt in (
        lambda: scan(tmp_path / "archive", Wishes()),
        lambda: read_images(tmp_path / "archive", Wishes()),
    ):
        with pytest.raises(UsageError, match=r"1 lie in folders below it.*--csv") as refusal:
            attempt()
        assert "secret" not in str(refusal.value)
    found = scan(tmp_path / "archive", Wishes(csv=(tmp_path / "archive" / "secret-site" / name,)))
    assert (found.patients, found.numbered) == (2, True)
    assert read_images(tmp_path / "archive", Wishes(size=32, selection=Selection(trusted=True))).numbered is False


def test_nobody_is_a_patient_for_want_of_a_table(tmp_path: Path) -> None:
    source = pictures(tmp_path / "source")
    np.savez(tmp_path / "source.npz", images=np.stack([PIXELS, PIXELS + np.uint8(1)]))
    for number, path in enumerate((source, tmp_path / "source.npz")):
        assert not scan(path, Wishes()).numbered
        refused, taken = tmp_path / f"refused{number}", tmp_path / f"taken{number}"
        refused.mkdir()
        with pytest.raises(UsageError, match=r"whose each image is.*--each-image-is-a-patient"):
            prepare(path, refused, told(size=32))
        assert list(refused.iterdir()) == []  # before anything was read
        taken.mkdir()
        facts = prepare(path, taken, told(size=32, non_members=0, each_image_is_a_patient=True))
        assert (facts.overrides, facts.patients) == ((EACH_IMAGE_IS_A_PATIENT,), facts.images)
        assert json.loads((taken / "cohort.json").read_text())["each_image_is_a_patient"] is True


def test_where_a_table_knows_them_the_flag_says_nothing(tmp_path: Path) -> None:
    table(pictures(tmp_path / "source", 40))  # of two patients, lot may make none a member
    (tmp_path / "cohort").mkdir()
    facts = prepare(tmp_path / "source", tmp_path / "cohort", told(size=32, each_image_is_a_patient=True))
    assert (facts.overrides, facts.patients, facts.form.each_image_is_a_patient) == ((), 20, False)


def test_the_card_says_it(tmp_path: Path) -> None:
    manifest, _ = read_manifest(make_set(tmp_path / "set"))
    alone = replace(manifest, form=replace(manifest.form, each_image_is_a_patient=True))
    assert "Each image counts as one patient" in dataset_card(alone)
    assert "Each image counts as one patient" not in dataset_card(manifest)
    assert (
        ImageForm(side=28).each_image_is_a_patient is False
    )  # of cohorts of earlier versions, which have no such key
