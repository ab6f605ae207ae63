"""What would leave is, image by image and label by label, what was audited."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from privgan.data.cohort.cohort import open_cohort
from privgan.images.stored import with_channels
from privgan.synthetic.synthetic_set import SyntheticSet, open_synthetic_set
from privgan_audits.evidence.interface import Evidence, Measured, NotApplicable, Sample
from privgan_audits.evidence.loading import load_file_evidence
from privgan_audits.questions import identifiers
from tests.audits.releasing import make_cohort
from tests.audits.riders import RIDERS, Change
from tests.synthetic.making import make_set, reseal

IMAGE = "dicom/000002/000002.dcm"
OTHER = "dicom/000003/000003.dcm"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSet:
    return open_synthetic_set(make_set(tmp_path_factory.mktemp("original") / "synthetic"))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cohort(tmp_path_factory.mktemp("known") / "cohort")


@pytest.fixture
def synthetic(original: SyntheticSet, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original.folder, tmp_path / "synthetic"))


def differences(folder: Path, cohort: Path, audited: SyntheticSet) -> dict[str, int]:
    """What T10 finds to differ in a folder whose arrays were these when they were audited."""
    return dict(scanned(folder, cohort, audited)["not_as_audited"])


def scanned(folder: Path, cohort: Path, audited: SyntheticSet) -> dict[str, Any]:
    """All that T10 finds in such a folder."""
    one = np.zeros(1, np.int64)
    patients = np.arange(len(audited.images))
    evidence = Evidence(
        members=Sample(images=with_channels(audited.images[:1]), labels=one, patients=one + 1000),
        non_members=None,
        synthetic=Sample(images=with_channels(audited.images), labels=audited.labels, patients=patients),
        synthetic_folder=folder,
        synthetic_sha256="0" * 64,
        classes=audited.manifest.form.classes,
        cohort=open_cohort(cohort),
    )
    outcome = identifiers.QUESTION.measure(evidence, np.random.default_rng(0))
    assert isinstance(outcome, Measured)
    return dict(outcome.findings)


@pytest.mark.parametrize("formats", [("dicom",), ("npz",), ("png",), ("dicom", "png")])
def test_every_set_is_as_it_was_generated(tmp_path: Path, cohort: Path, formats: tuple[str, ...]) -> None:
    made = open_synthetic_set(make_set(tmp_path / "synthetic", formats=formats))
    assert differences(made.folder, cohort, made) == {}


CT = {"modality": "CT", "body_part": "", "window": (-160.0, 240.0)}
FORMS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "frames": ({"frames": 2}, {}),
    "frames of 16 bits": ({"frames": 4, "bits": 16}, {}),
    "12 bits": ({"bits": 12}, {}),
    "a capture of CT": ({}, CT),
    "CT": ({"sop_class": "match"}, CT),
    "MR": ({"sop_class": "match"}, {"modality": "MR", "body_part": "HEAD"}),
    "CR": ({"sop_class": "match"}, {}),
    "DX of 16 bits": ({"sop_class": "match", "bits": 16}, {"modality": "DX"}),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_as_it_was_generated_and_an_edit_is_found(tmp_path: Path, cohort: Path, name: str) -> None:
    form, run = FORMS[name]
    made = open_synthetic_set(make_set(tmp_path / "synthetic", form=form, **run))
    findings = scanned(made.folder, cohort, made)
    assert findings["not_as_audited"] == {}
    assert findings["structure"] == {}
    assert findings["identifiers_found"] == 0
    in_dicom(one_pixel, "dicom/000001/000001.dcm")(made.folder)
    assert differences(made.folder, cohort, made) == {"pixels": 1}


def in_dicom(change: Callable[[Dataset], object], name: str = IMAGE) -> Change:
    def plant(folder: Path) -> None:
        dataset = dcmread(folder / name)
        change(dataset)
        dataset.save_as(folder / name)

    return plant


def one_pixel(dataset: Dataset) -> None:
    content = bytearray(dataset.PixelData)
    content[400] ^= 1
    dataset.PixelData = bytes(content)


def other_image(folder: Path) -> None:
    """The files of two invented patients, with all that names them, but with each other's pixels."""
    first, second = dcmread(folder / IMAGE), dcmread(folder / OTHER)
    first.PixelData, second.PixelData = second.PixelData, first.PixelData
    first.save_as(folder / IMAGE)
    second.save_as(folder / OTHER)


def implicit(folder: Path) -> None:
    dataset = dcmread(folder / IMAGE)
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.save_as(folder / IMAGE, implicit_vr=True)


def on_its_side(dataset: Dataset) -> None:
    dataset.Rows, dataset.Columns = 14, 56


def says_rle(folder: Path) -> None:
    content = (folder / IMAGE).read_bytes()
    (folder / IMAGE).write_bytes(content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0", 1))


def two_frames(dataset: Dataset) -> None:
    dataset.NumberOfFrames = 2
    dataset.PixelData = dataset.PixelData * 2


def first_of_two_pixel_data(folder: Path) -> None:
    """A viewer may show the first one, a parser the last."""
    content = (folder / IMAGE).read_bytes()
    start = content.index(b"\xe0\x7f\x10\x00OB")
    element = bytearray(content[start:])
    element[100] ^= 0xFF
    (folder / IMAGE).write_bytes(content[:start] + bytes(element) + content[start:])


def more_arrays(folder: Path) -> None:
    with zipfile.ZipFile(folder / "images.npz", "a") as archive, archive.open("more.npy", "w") as stream:
        np.lib.format.write_array(stream, np.zeros((3, 28, 28), np.uint8))


def other_arrays(folder: Path) -> None:
    with np.load(folder / "images.npz") as loaded:
        arrays = dict(loaded)
    arrays["images"][1, 3, 3] ^= 1
    np.savez(folder / "images.npz", **arrays)


def on_sheet(change: Callable[[Any], Any]) -> Change:
    def plant(folder: Path) -> None:
        with Image.open(folder / "contact-sheet.png") as image:
            pixels = np.asarray(image).copy()
        Image.fromarray(change(pixels)).save(folder / "contact-sheet.png")

    return plant


def brighter(pixels: Any) -> Any:
    pixels[20, 20] ^= 1
    return pixels


def animated(folder: Path) -> None:
    with Image.open(folder / "contact-sheet.png") as image:
        image.load()
    more = Image.new("L", image.size, 9)
    image.save(folder / "contact-sheet.png", save_all=True, append_images=[more])


def relabelled(folder: Path) -> None:
    table = (folder / "labels.csv").read_text()
    swapped = table.replace("normal", "?").replace("effusion", "normal").replace("?", "effusion")
    (folder / "labels.csv").write_text(swapped)


def one_more(folder: Path) -> None:
    (folder / "dicom" / "000007").mkdir()
    shutil.copyfile(folder / IMAGE, folder / "dicom" / "000007" / "000007.dcm")


def one_place(folder: Path) -> None:
    """Two invented patients in one frame of reference."""
    first = dcmread(folder / IMAGE)
    in_dicom(lambda d: setattr(d, "FrameOfReferenceUID", first.FrameOfReferenceUID), OTHER)(folder)


STRUCTURE: dict[str, Change] = {
    "nonconformant": in_dicom(lambda d: setattr(d, "HighBit", 6)),
    "unexpected_elements": in_dicom(lambda d: setattr(d, "NumberOfFrames", 1)),
}


@pytest.mark.parametrize("finding", STRUCTURE)
def test_oddities_of_structure_are_counted(
    synthetic: Path, cohort: Path, original: SyntheticSet, finding: str
) -> None:
    STRUCTURE[finding](synthetic)
    assert scanned(synthetic, cohort, original)["structure"][finding] == 1


def test_a_capture_has_no_frame_of_reference(synthetic: Path, cohort: Path, original: SyntheticSet) -> None:
    in_dicom(lambda d: setattr(d, "FrameOfReferenceUID", "2.25.7"))(synthetic)
    assert scanned(synthetic, cohort, original)["structure"] == {"unexpected_elements": 1}


def test_a_shared_frame_of_reference_is_found(tmp_path: Path, cohort: Path) -> None:
    made = open_synthetic_set(make_set(tmp_path / "synthetic", form={"sop_class": "match"}, **CT))
    before = scanned(made.folder, cohort, made)["midi_b"]
    one_place(made.folder)
    assert scanned(made.folder, cohort, made)["midi_b"] != before


FAULTS: dict[str, tuple[str, Change]] = {
    "one pixel": ("pixels", in_dicom(one_pixel)),
    "inverted on display": ("pixels", in_dicom(lambda d: setattr(d, "PhotometricInterpretation", "MONOCHROME1"))),
    "another window": ("pixels", in_dicom(lambda d: setattr(d, "WindowCenter", "60"))),
    "turned on its side": ("pixels", in_dicom(on_its_side)),
    "another encoding": ("pixels", implicit),
    "a wrong encoding": ("pixels", says_rle),
    "two frames": ("pixels", in_dicom(two_frames)),
    "pixels twice": ("pixels", first_of_two_pixel_data),
    "no pixels": ("pixels", in_dicom(lambda d: delattr(d, "PixelData"))),
    "bytes behind the pixels": ("pixels", lambda f: (f / IMAGE).write_bytes((f / IMAGE).read_bytes() + b"\0\0")),
    "no DICOM": ("pixels", lambda f: (f / IMAGE).write_bytes(b"\0" * 900)),
    "another label": ("label", in_dicom(lambda d: setattr(d, "ImageComments", "tumour"))),
    "no label": ("label", in_dicom(lambda d: delattr(d, "ImageComments"))),
    "another's number": ("patient", in_dicom(lambda d: setattr(d, "PatientID", "PG-0123abcd-000005"))),
    "another's name": ("patient", in_dicom(lambda d: setattr(d, "PatientName", "SYNTHETIC^000005"))),
    "one file too few": ("missing_files", lambda f: (f / IMAGE).unlink()),
    "one file too many": ("extra_files", one_more),
    "a picture beside": ("extra_files", lambda f: Image.new("L", (9, 9)).save(f / "preview.png")),
    "another array": ("arrays", more_arrays),
    "other arrays": ("arrays", other_arrays),
    "a sheet of something else": ("contact_sheet", on_sheet(brighter)),
    "a larger sheet": ("contact_sheet", on_sheet(lambda pixels: pixels.repeat(2, axis=0))),
    "a colour sheet": ("contact_sheet", on_sheet(lambda pixels: np.stack([pixels] * 3, axis=-1))),
    "a sheet that moves": ("contact_sheet", animated),
    **RIDERS,
    "another UID": ("header", in_dicom(lambda d: setattr(d, "StudyInstanceUID", "2.25.7"))),
    "a text in the header": ("header", in_dicom(lambda d: setattr(d, "StudyDescription", "rider"))),
    "no picture": ("contact_sheet", lambda f: (f / "contact-sheet.png").write_bytes(b"\x89PNG\r\n\x1a\n")),
    "labels exchanged": ("labels_table", relabelled),
    "no table": ("missing_files", lambda f: (f / "labels.csv").unlink()),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_difference_is_found_and_named(
    synthetic: Path, cohort: Path, original: SyntheticSet, fault: str
) -> None:
    kind, plant = FAULTS[fault]
    plant(synthetic)
    assert differences(synthetic, cohort, original) == {kind: 1}


def test_of_foreign_files_only_their_form_is_told(synthetic: Path, original: SyntheticSet) -> None:
    """Without a manifest nobody knows what should be in them."""
    in_dicom(lambda d: d.private_block(0x0011, "ACME", create=True).add_new(1, "LO", "x"))(synthetic)
    outcome = identifiers.QUESTION.measure(
        load_file_evidence(synthetic / "dicom", original.folder, None), np.random.default_rng(0)
    )
    assert isinstance(outcome, NotApplicable)
    assert outcome.findings.keys() == {"structure", "arrangement", "lettering"}
    assert outcome.findings["structure"]["private_tags"] == 1


def test_exchanged_images_are_two_differences(synthetic: Path, cohort: Path, original: SyntheticSet) -> None:
    other_image(synthetic)
    assert differences(synthetic, cohort, original) == {"pixels": 2}


def test_a_set_sealed_again_is_found_out_without_a_cohort_too(synthetic: Path, original: SyntheticSet) -> None:
    """The digests agree: only the comparison with the arrays can tell."""
    in_dicom(one_pixel)(synthetic)
    reseal(synthetic)
    evidence = load_file_evidence(synthetic, original.folder, None)
    outcome = identifiers.QUESTION.measure(evidence, np.random.default_rng(0))
    assert isinstance(outcome, NotApplicable)
    assert outcome.findings["not_as_audited"] == {"pixels": 1}
    assert "pixels 1" in outcome.reason
