"""Invented patients with records: drawn as they say, known again from pictures, and none of it in those without."""

import csv
import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom

from privgan.arrays import Floats, Singles
from privgan.data.cohort.cohort import open_cohort
from privgan.data.cohort.prepare import prepare
from privgan.data.columns import Wanted
from privgan.data.phantoms.phantom_images import HEART_WIDTH, Anatomy, draw_images
from privgan.data.phantoms.phantom_records import COLUMNS, HEADER, PLANTED, STAGES, YOUNG, PhantomRecords, heart_width
from privgan.data.phantoms.phantoms import write_phantoms
from privgan.folders import staged_folder
from privgan.records.schema import Schema
from tests.data.telling import told

WITHOUT = "3a12d0fb9b484fd33a23971da7703ff6806a088752939e1927cd4bfd72f3a6b1"  # 230 patients of seed 0, as ever


def drawn(count: int, *, planted: bool = False) -> tuple[PhantomRecords, Anatomy, Singles]:
    rng = np.random.default_rng(5)
    opaque = rng.random(count) < 0.5
    records = PhantomRecords.draw(opaque, rng, planted=planted)
    anatomy = records.shape(Anatomy.draw(opaque, rng))
    return records, anatomy, draw_images(anatomy, rng)


def heart(images: Singles) -> Floats:
    """Brightness where the edge of a heart moves."""
    return images[:, 36:42, 40:46].mean(axis=(1, 2), dtype=np.float64)


def outline(images: Singles) -> Floats:
    """Brightness where the edge of a body moves."""
    return images[:, 44:60, 3:7].mean(axis=(1, 2), dtype=np.float64)


def lungs(images: Singles) -> Floats:
    """Brightness of what is a lung in most."""
    return images[:, 14:40, [*range(12, 26), *range(40, 54)]].mean(axis=(1, 2), dtype=np.float64)


def test_anatomy_is_what_the_records_say_and_a_little_of_ones_own() -> None:
    records, anatomy, _ = drawn(800)
    aside = anatomy.heart[:, 2] - heart_width(records.age)
    assert heart_width(np.array([54]))[0] == HEART_WIDTH
    assert 0.005 < aside.std() < 0.015
    assert abs(aside).max() < 0.03 < heart_width(np.array([90]))[0] - HEART_WIDTH
    assert anatomy.body_width[records.sex == "F"].max() < anatomy.body_width[records.sex == "M"].max()
    assert anatomy.body_width[records.sex == "F"].mean() + 0.07 < anatomy.body_width[records.sex == "M"].mean()
    assert (anatomy.opacity[records.stage == 0, 3] == 0).all()
    for stage in range(1, len(STAGES)):
        here, further = (anatomy.opacity[records.stage == number] for number in (stage, stage + 1))
        assert (here[:, 2:].mean(axis=0) + np.array((0.03, 0.06)) < further[:, 2:].mean(axis=0)).all()


def test_records_are_known_again_from_pictures() -> None:
    """Age from the heart, sex from the outline, the stage from the lungs; smoking from nothing that age is not."""
    records, _, images = drawn(800)
    assert np.corrcoef(heart(images), records.age)[0, 1] > 0.6
    assert np.corrcoef(outline(images), records.sex == "M")[0, 1] > 0.8
    bright = [lungs(images)[records.stage == stage].mean() for stage in range(len(STAGES) + 1)]
    assert bright == sorted(bright)
    assert np.corrcoef(lungs(images), records.stage)[0, 1] > 0.75


def test_what_is_not_known_is_missing_by_chance_alone() -> None:
    records, _, _ = drawn(4000)
    unknown = records.smoker == ""
    assert abs(unknown.mean() - 0.2) < 0.02
    for other in (records.age, records.stage, records.sex == "F"):
        assert abs(np.corrcoef(unknown, other)[0, 1]) < 0.05
    stages = [records.stage[(records.smoker == told) & (records.stage > 0)].mean() for told in ("no", "yes")]
    assert stages[0] + 0.3 < stages[1]


def test_few_young_women_are_in_the_last_stage_and_all_of_them_were_planted() -> None:
    for planted, count in ((True, PLANTED), (False, 0)):
        records, _, _ = drawn(4000, planted=planted)
        young = (records.age < YOUNG) & (records.stage == len(STAGES))
        assert young.sum() == count
        assert set(records.sex[young].tolist()) <= {"F"}


def test_a_table_has_the_records_and_headers_say_the_same(tmp_path: Path) -> None:
    write_phantoms(tmp_path, patients=60, records=True)
    with (tmp_path / "labels.csv").open() as stream:
        rows = {row["patient"]: row for row in csv.DictReader(stream)}
    assert Counter(row["label"] for row in rows.values()).keys() == {"clear", "opacity"}
    assert all((row["stage"] == "") == (row["label"] == "clear") for row in rows.values())
    for file in tmp_path.rglob("*.dcm"):
        header = pydicom.dcmread(file, stop_before_pixels=True)
        row = rows[header.PatientID]
        assert (header.PatientSex, header.PatientAge) == (row["sex"], f"{int(row['age']):03d}Y")
        years = int(header.StudyDate[:4]) - int(header.PatientBirthDate[:4])
        assert years - (header.StudyDate[4:] < header.PatientBirthDate[4:]) == int(row["age"])


def test_their_declaration_fits_every_cell(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    written = write_phantoms(tmp_path / "src", patients=60, records=True)
    with staged_folder(tmp_path / "cohort", marker="cohort.json") as folder:
        prepare(tmp_path / "src", folder, told(columns=COLUMNS.split(",")))
    cohort = open_cohort(tmp_path / "cohort")
    assert (cohort.facts.refused, cohort.facts.images) == ({}, written)
    assert cohort.schema == Schema.of(Wanted.typed(COLUMNS).types)
    assert cohort.schema.names == HEADER
    assert (cohort.codes[:, :2] > 0).all()
    assert ((cohort.codes[:, 2] > 0) == (cohort.labels == 1)).all()


def test_phantoms_without_records_are_what_they_always_were(tmp_path: Path) -> None:
    """Many published figures rest on them, to the bit; with records the same people come, drawn otherwise."""
    for name, records in (("without", False), ("with", True)):
        (tmp_path / name).mkdir()
        write_phantoms(tmp_path / name, patients=230, records=records)
    digest = hashlib.sha256()
    for file in sorted(file for file in (tmp_path / "without").rglob("*") if file.is_file()):
        digest.update(str(file.relative_to(tmp_path / "without")).encode() + file.read_bytes())
    assert digest.hexdigest() == WITHOUT
    people = [
        [line.split(",")[:2] for line in (tmp_path / name / "labels.csv").read_text().splitlines()]
        for name in ("without", "with")
    ]
    assert people[0] == people[1]
