"""Records are audited: they are the draw's, stand in tables and headers as privgan writes them, and hide nobody."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from privgan.data.cohort.cohort import open_cohort
from privgan.images.stored import with_channels
from privgan.synthetic.drawing import Asked, Drawing
from privgan.synthetic.synthetic_set import SyntheticSet, open_synthetic_set
from privgan_audits.evidence.interface import Claim, Evidence, Measured, Origin, Sample
from privgan_audits.evidence.reading import SYNTHETIC_SET, Form, of_set
from privgan_audits.questions import identifiers
from privgan_audits.questions.books.measure import _drawn_again
from tests.audits.releasing import make_cohort
from tests.synthetic.making import reseal
from tests.synthetic.recorded import COLUMNS, recorded_set

HEADER = "dicom/000002/000002.dcm"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSet:
    return open_synthetic_set(recorded_set(tmp_path_factory.mktemp("original") / "synthetic", 12, sop_class="match"))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Among its patients' identifiers are words and numbers that records use, too."""
    said = {"name": ["female", "Left", "AP"], "id": ["31", "60", "12"]}
    return make_cohort(tmp_path_factory.mktemp("known") / "cohort", said)


def evidence_of(folder: Path, cohort: Path, audited: SyntheticSet, **changes: Any) -> Evidence:
    one, count = np.zeros(1, np.int64), len(audited.images)
    sample = of_set(audited, SYNTHETIC_SET, Form(colour=False)).sample(audited.manifest.form.classes)
    evidence = Evidence(
        members=Sample(images=with_channels(audited.images[:1]), labels=one, patients=one + count),
        non_members=None,
        synthetic=sample,
        synthetic_folder=folder,
        synthetic_sha256="0" * 64,
        classes=audited.manifest.form.classes,
        cohort=open_cohort(cohort),
    )
    return replace(evidence, **changes)


def scanned(folder: Path, cohort: Path, audited: SyntheticSet) -> dict[str, Any]:
    outcome = identifiers.QUESTION.measure(evidence_of(folder, cohort, audited), np.random.default_rng(0))
    assert isinstance(outcome, Measured)
    return dict(outcome.findings)


def test_a_set_with_records_is_as_it_was_generated_and_names_nobody(original: SyntheticSet, cohort: Path) -> None:
    found = scanned(original.folder, cohort, original)
    assert found["not_as_audited"] == {}
    assert found["structure"] == {}
    assert found["identifiers_found"] == 0


def _edit_table(folder: Path) -> None:
    path = folder / "records.csv"
    text = path.read_text()
    path.write_text(text.replace(",F,", ",M,", 1))


def _edit_dictionary(folder: Path) -> None:
    path = folder / "data-dictionary.json"
    path.write_text(path.read_text().replace("invented", "real"))


def _edit_header(folder: Path) -> None:
    dataset = dcmread(folder / HEADER)
    dataset.PatientAge = "101Y"
    dataset.save_as(folder / HEADER)


@pytest.mark.parametrize(
    ("edit", "found"),
    [(_edit_table, {"records": 1}), (_edit_dictionary, {"data_dictionary": 1}), (_edit_header, {"header": 1})],
)
def test_an_edited_record_is_not_what_was_audited(
    original: SyntheticSet, cohort: Path, tmp_path: Path, edit: Any, found: dict[str, int]
) -> None:
    folder = Path(shutil.copytree(original.folder, tmp_path / "synthetic"))
    edit(folder)
    differences = scanned(folder, cohort, original)["not_as_audited"]
    assert differences == found


def test_other_records_than_the_seed_draws_fail_the_books(
    original: SyntheticSet, cohort: Path, tmp_path: Path
) -> None:
    """Even where every table and header agrees and the manifest is fresh."""
    folder = Path(shutil.copytree(original.folder, tmp_path / "synthetic"))
    for edited in (False, True):
        if edited:
            _edit_table(folder)
            reseal(folder)
        held = open_synthetic_set(folder)
        assert held.seed is not None
        claim = _claim(held)
        run = original.folder.with_name("synthetic-run")
        evidence = evidence_of(folder, cohort, held, run=run)
        _, checks = _drawn_again(evidence, claim, lambda *_: None)
        assert checks["records_are_the_seeds"] is not edited
        assert checks["images_are_the_generators"] is True


def _claim(held: SyntheticSet) -> Claim:
    manifest = held.manifest
    assert held.seed is not None
    return Claim(
        run_id=manifest.run_id,
        cohort_id=manifest.cohort_id,
        spend=manifest.spend,
        generator_sha256=manifest.generator_sha256,
        config_sha256=manifest.config_sha256,
        not_private=False,
        origin=Origin(manifest=manifest, seed=held.seed),
    )


def test_another_wish_in_the_manifest_is_another_set(original: SyntheticSet) -> None:
    """A manifest that says less was asked for draws other records."""
    run, manifest = original.folder.with_name("synthetic-run"), original.manifest
    assert manifest.records is not None
    told = replace(manifest, records=replace(manifest.records, where="sex=F"))
    assert original.seed is not None
    again = Drawing.of(run, Asked.of(told), original.seed)
    assert again.records.cells.tolist() != original.records.cells.tolist()


def test_columns_are_evidence_for_the_questions_that_ask_about_them(original: SyntheticSet, cohort: Path) -> None:
    sample = evidence_of(original.folder, cohort, original).synthetic
    assert tuple(sample.columns) == tuple(COLUMNS)
    assert sample.columns["sex"].tolist() == original.records.cells[:, 0].tolist()
