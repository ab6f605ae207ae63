"""The preset that nobody named: all files decide, or none does."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privgan.data.cohort.options import PrepareOptions
from privgan.data.cohort.prepare import prepare
from privgan.data.cohort.scan import scan
from privgan.data.sources.opening import read_images
from privgan.data.sources.wishes import Wishes
from privgan.errors import InputRejectedError

PIXELS = np.sort(np.random.default_rng(0).integers(0, 4096, (64, 64)), axis=0).astype(np.uint16)
CT = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024}


def test_preset_and_size_follow_files_that_agree(make_dicom: Any, tmp_path: Path) -> None:
    (tmp_path / "0.dcm").write_bytes(b"")
    make_dicom(tmp_path / "1.dcm", PIXELS[:40, :50], **CT)
    make_dicom(tmp_path / "2.dcm", PIXELS, **CT)
    loaded = read_images(tmp_path, Wishes(size=None))
    assert loaded.images.shape == (2, 50, 50, 1)
    assert loaded.refused == {"empty_file": 1}
    assert any("ct-soft" in note for note in loaded.notes)


@pytest.mark.parametrize("first", ["CT", "MR"])
def test_nobody_decides_the_preset_for_all_by_coming_first(make_dicom: Any, tmp_path: Path, first: str) -> None:
    """Three patients of one kind and one of another: refused in any order, with counts and no name, or typed."""
    source, kinds = tmp_path / "source", ["CT", "CT", "CT", "MR"]
    for number, kind in enumerate(sorted(kinds, reverse=first == "MR")):
        told = CT | {"PatientID": f"p{number}", "Modality": kind}
        make_dicom(source / f"secret{number}.dcm", PIXELS + number, **told)
    fitting, others = (3, 1) if first == "CT" else (1, 3)
    said = f"{fitting} images fit {'ct-soft' if first == 'CT' else 'mr'}, {others} files"
    (tmp_path / "cohort").mkdir()
    with pytest.raises(InputRejectedError, match=said) as refusal:
        prepare(source, tmp_path / "cohort", PrepareOptions(reading=Wishes(size=32)))
    assert "secret" not in str(refusal.value)
    with pytest.raises(InputRejectedError, match=said):
        read_images(source, Wishes(size=64))
    assert any(said in note for note in scan(source, Wishes()).notes)
    assert read_images(source, Wishes(size=64, preset="ct-soft")).refused == {"other_modality": 1}


def test_a_modality_is_found_whatever_the_values_are(make_dicom: Any, tmp_path: Path) -> None:
    """None of these values lies where the window of the first look could tell it from another."""
    for number in range(3):
        make_dicom(tmp_path / f"{number}.dcm", PIXELS[:40, :50] + 1000 + number, Modality="MR")
    assert scan(tmp_path, Wishes()).preset == "mr"
    assert read_images(tmp_path, Wishes(size=None)).images.shape == (3, 50, 50, 1)
