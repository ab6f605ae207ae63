"""Real images, read in place: the counts that were seen by hand must stay."""

import hmac
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from privgan.data.cohort.cohort import open_cohort
from privgan.data.cohort.options import PrepareOptions
from privgan.data.cohort.prepare import prepare
from privgan.data.cohort.scan import scan
from privgan.data.selection import Selection
from privgan.data.sources.opening import open_source, read_images
from privgan.data.sources.wishes import Wishes
from privgan.images.stored import as_stored


def test_ct_of_ten_patients(shared_data: Path) -> None:
    loaded = read_images(shared_data / "dicom/ct_tcia_nysbu_10_patients", Wishes(size=64, preset="ct-soft"))
    assert (len(loaded.images), len(loaded.patient_keys)) == (62, 10)
    assert loaded.refused == {"not_dicom": 2}  # licence and description
    fractions = [(loaded.images == value).mean() for value in (0, 255)]
    assert 0.1 < fractions[0] < 0.8  # air is black, bone is white, tissue lies between
    assert fractions[1] < 0.3


def test_pydicom_files_are_each_read_or_refused(shared_data: Path) -> None:
    report = scan(shared_data / "dicom/pydicom_test_files", Wishes(preset="custom", window=(0.0, 4095.0)))
    assert report.files == report.readable + sum(report.refused.values()) == 195
    assert report.readable == 34
    assert (report.refused["localizer"], report.refused["derived_map"]) == (
        2,
        7,
    )  # of one CT, and of an MR angiography
    assert {"transfer_syntax", "likely_burned_in", "no_pixels", "not_dicom", "directory"} <= report.refused.keys()


def test_other_real_dicom_is_refused_for_the_right_reasons(shared_data: Path) -> None:
    wishes = Wishes(preset="cxr")
    assert "likely_burned_in" in scan(shared_data / "dicom/deid_data", wishes).refused
    report = scan(shared_data / "dicom/highdicom_test_files", wishes)
    assert report.readable == 1  # the one radiograph among masks, slides, a CT and reports
    assert report.refused == {"not_dicom": 4, "no_pixels": 3, "other_modality": 21}


@pytest.mark.parametrize("accept", [False, True])
def test_scan_and_prepare_agree_on_every_file(shared_data: Path, tmp_path: Path, accept: bool) -> None:
    """File by file: what scan counts is what prepare refuses, and for the same reason."""
    folder = shared_data / "dicom"
    taken = Selection(accept_burned_in=accept)
    wishes = Wishes(preset="custom", window=(0.0, 4095.0), selection=taken)
    report = scan(folder, wishes)
    assert report.identity == ({"facts": 1} if accept else {})  # captures of two test suites under one number
    facts = prepare(folder, tmp_path, PrepareOptions(reading=wishes, accept_identity=("facts",)))
    assert ("accept-identity facts" in facts.overrides) == accept
    assert (facts.refused, facts.images) == (report.refused, report.images)
    source = open_source(folder, wishes)
    codes = {entry.where: entry.code for entry in source.entries() if entry.code}
    shared = report.refused.get("shared_picture", 0)  # known only when all were seen
    assert dict(Counter(codes.values())) | ({"shared_picture": shared} if shared else {}) == report.refused
    key = (tmp_path / "private" / "hmac.key").read_bytes()
    marks = {hmac.new(key, b"refused:" + where.encode(), "sha256").hexdigest(): code for where, code in codes.items()}
    lines = [json.loads(line) for line in (tmp_path / "refused.jsonl").read_text().splitlines()]
    found = [line for line in lines if line["code"] != "shared_picture"]
    assert {line["where"]: line["code"] for line in found} == marks
    assert len(lines) - len(found) == shared == (12 if accept else 0)


def test_chest_x_rays_of_4097_patients(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "images/kermany_cxr_64.npz"
    facts = prepare(source, tmp_path, PrepareOptions())
    assert (facts.images, facts.patients + facts.merged_patients) == (5856, 4097)
    assert facts.form.classes == ("normal", "bacteria", "virus")
    assert abs(facts.non_members / facts.patients - 0.333) < 0.03
    with np.load(source) as archive:
        np.testing.assert_array_equal(as_stored(open_cohort(tmp_path).images), archive["images"])
