"""What a cohort is called: typed, or by headers that agree; not by its window, and not by one patient's header."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import DigitalMammographyXRayImageStorageForPresentation, DigitalXRayImageStorageForPresentation

from privgan.data.cohort.prepare import prepare
from privgan.data.cohort.scan import scan
from privgan.data.naming import Names, names_of
from privgan.data.recipe import PRESETS
from privgan.data.selection import EVERYTHING, Selection
from privgan.data.sources.wishes import Wishes
from privgan.errors import InputRejectedError, UsageError
from privgan.images.form import ImageForm
from tests.data.telling import told

PIXELS = np.sort(np.random.default_rng(0).integers(0, 4096, (64, 64)), axis=0).astype(np.uint16)
CXR = PRESETS["cxr"]


def called(source: Path, folder: Path, *, preset: str | None = None, **selection: Any) -> ImageForm:
    folder.mkdir()
    return prepare(source, folder, told(size=32, non_members=0, preset=preset, selection=Selection(**selection))).form


def named(*said: tuple[str, str], **selection: Any) -> Names:
    """Of as many patients with one image each."""
    return names_of(Selection(**selection), CXR, said, range(len(said)))


def words(names: Names) -> tuple[str, str]:
    return names.modality, names.body_part


def dicoms(make_dicom: Any, source: Path, *said: tuple[str, str | None], **tags: Any) -> Path:
    """One patient a pair of modality and body part."""
    for number, (modality, part) in enumerate(said):
        own = {"PatientID": f"p{number}", "Modality": modality, "BodyPartExamined": part}
        make_dicom(source / f"{number}.dcm", PIXELS + number, **own, **tags)
    return source


@pytest.mark.parametrize(
    ("modality", "part", "sop_class"),
    [
        ("MG", "BREAST", DigitalMammographyXRayImageStorageForPresentation),
        ("DX", "HAND", DigitalXRayImageStorageForPresentation),
    ],
)
def test_headers_that_agree_name_a_cohort(
    make_dicom: Any, tmp_path: Path, modality: str, part: str, sop_class: str
) -> None:
    source = dicoms(make_dicom, tmp_path / "source", *[(modality, part)] * 4, SOPClassUID=sop_class)
    form = called(source, tmp_path / "cohort")
    assert (form.modality, form.body_part) == (modality, part)


@pytest.mark.parametrize("preset", ["picture", "cxr", "photo", "file-window"])
def test_pictures_are_of_nothing_that_nobody_typed(tmp_path: Path, preset: str) -> None:
    """Hands, skin, any folder of PNG: other, and no body part."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "labels.csv").write_text("file,patient\n" + "".join(f"{n}.png,{n}\n" for n in range(12)))
    for number in range(12):
        Image.fromarray((PIXELS // 16 + number).astype(np.uint8)).save(source / f"{number}.png")
    if preset != "file-window":
        form = called(source, tmp_path / "cohort", preset=preset)
        assert (form.modality, form.body_part) == ("OT", "")
    form = called(source, tmp_path / "typed", modalities=("XC",), body_parts=("SKIN",))
    assert (form.modality, form.body_part) == ("XC", "SKIN")


def test_the_window_of_a_ct_says_ct_and_no_body_part(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(-1000, 1000, (4, 32, 32)).astype(np.int16)
    np.savez(tmp_path / "source.npz", images=values, patient_id=np.arange(4))
    form = called(tmp_path / "source.npz", tmp_path / "cohort", preset="ct-lung")
    assert (form.modality, form.body_part, form.window) == ("CT", "", (-1350.0, 150.0))
    with pytest.raises(UsageError, match="--modality CT with the preset ct-lung"):
        called(tmp_path / "source.npz", tmp_path / "other", preset="ct-lung", modalities=("MR",))


def test_one_patient_decides_nothing_and_several_say_that_nothing_is_known() -> None:
    chest, many = ("CR", "CHEST"), 40
    assert named(*[chest] * many) == Names(modality="CR", body_part="CHEST")
    doubtful = named(*[chest] * many, ("CR", "HAND"))
    assert "but one of 41 do" in doubtful.doubt
    assert "--body-part NAME,ANY" in doubtful.doubt
    assert "HAND" not in doubtful.doubt
    settled = named(*[chest] * many, *[("CR", "HAND")] * 2)
    assert (words(settled), settled.doubt) == (("CR", ""), "")
    assert ["2 of 42 patients" in note and "HAND" not in note for note in settled.notes] == [True]
    assert "modality" in named(*[chest] * many, ("DX", "CHEST")).doubt


def test_no_patient_alone_changes_what_a_cohort_is_called() -> None:
    """Of all cohorts of up to 13 patients of three kinds: without any one of them, the same words or a refusal."""
    kinds = (("", ""), ("CR", "CHEST"), ("MG", "BREAST"))
    for counts in itertools.product(range(13), repeat=3):
        if not 3 <= sum(counts) <= 13:
            continue
        whole = named(*_cohort(kinds, counts))
        for place, count in enumerate(counts):
            if count:
                fewer = [each - (number == place) for number, each in enumerate(counts)]
                without = named(*_cohort(kinds, fewer))
                assert whole.doubt or without.doubt or words(whole) == words(without)


def _cohort(kinds: tuple[tuple[str, str], ...], counts: Any) -> list[tuple[str, str]]:
    return [kind for kind, count in zip(kinds, counts, strict=True) for _ in range(count)]


def test_a_patient_of_two_kinds_agrees_with_nobody() -> None:
    said = [("CR", "CHEST")] * 20 + [("DX", "CHEST")]
    persons = [*range(20), 0]
    assert "but one of 20" in names_of(EVERYTHING, CXR, said, persons).doubt


def test_what_is_typed_holds_whatever_headers_say(make_dicom: Any, tmp_path: Path) -> None:
    source = dicoms(make_dicom, tmp_path / "source", *[("CR", "CHEST")] * 5, ("DX", "THORAX"))
    for number, (options, images, found) in enumerate(
        [
            ({"modalities": ("DX", "CR"), "body_parts": ("CHEST", "ANY")}, 6, ("DX", "CHEST")),
            ({"modalities": ("CR",), "body_parts": ("CHEST",)}, 5, ("CR", "CHEST")),
            ({"modalities": ("ANY",), "body_parts": ("ANY",)}, 6, ("OT", "")),
        ]
    ):
        (tmp_path / str(number)).mkdir()
        facts = prepare(source, tmp_path / str(number), told(size=32, selection=Selection(**options)))
        assert (facts.images, (facts.form.modality, facts.form.body_part)) == (images, found)
    with pytest.raises(InputRejectedError, match="--modality NAME,ANY") as refusal:
        called(source, tmp_path / "untyped")
    assert "THORAX" not in str(refusal.value)


def test_what_is_typed_must_be_a_modality_of_the_standard() -> None:
    with pytest.raises(UsageError, match=r"PS3\.3 C\.7\.3\.1\.1\.1.*got XRAY"):
        named(modalities=("XRAY",))
    assert words(named(modalities=("MG", "XRAY"), body_parts=("ANKLE",))) == ("MG", "ANKLE")


def test_a_header_of_no_term_says_nothing(make_dicom: Any, tmp_path: Path) -> None:
    """A word of the house is nobody's to repeat, even where all files say it."""
    source = dicoms(make_dicom, tmp_path / "source", *[("CR", "WARD 7 STMARY")] * 3)
    assert called(source, tmp_path / "cohort").body_part == ""
    assert b"STMARY" not in (tmp_path / "cohort" / "cohort.json").read_bytes()


def test_a_scan_counts_what_headers_say(make_dicom: Any, tmp_path: Path) -> None:
    source = dicoms(make_dicom, tmp_path / "source", *[("CR", "CHEST")] * 3, ("CR", "MINE"))
    found = scan(source, Wishes())
    assert (found.modalities, found.body_parts) == ({"CR": 4}, {"CHEST": 3, "": 1})
    assert (found.modality, found.body_part) == ("CR", "")
    assert any("--body-part NAME,ANY" in note for note in found.notes)


def test_an_interruption_forgets_nothing_of_it(make_dicom: Any, tmp_path: Path) -> None:
    """Words travel through the journal of `prepare`."""
    from privgan.data.cohort.notes import Note
    from privgan.data.identifiers import IdentifierDigests
    from privgan.data.sources.source import Entry

    entry = Entry(image=PIXELS.astype(np.uint8), patient="p", where="a", said=("MG", "BREAST"))
    note, _ = Note.of(entry, "", IdentifierDigests(b"k" * 32), b"k" * 32)
    assert Note.from_json(json.loads(json.dumps(note.to_json()))).said == ("MG", "BREAST")
