"""A restorer applied to files: what comes out, where, whose it is, and what is refused; sources stay as they are."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)
from pydicom.uid import MultiFrameGrayscaleByteSecondaryCaptureImageStorage as ManyFrames

from privgan.arrays import Images
from privgan.data.columns import Wanted
from privgan.data.formats import picture
from privgan.data.formats.dicom import reader as dicom
from privgan.data.formats.reading import Request
from privgan.data.formats.worker import read_entry
from privgan.data.recipe import Recipe
from privgan.data.selection import Selection
from privgan.data.sources.npz_reader import open_npz
from privgan.errors import InputRejectedError, UsageError
from privgan.files import sha256_file
from privgan.folders import list_files
from privgan.images.form import ImageForm
from privgan.progress import silent
from privgan_audits.evidence.reading import MEMBERS, SYNTHETIC_IMAGES, Form, load
from privgan_uses.restoring.applying.apply import Applied, Asked, apply_restorer, require_apart
from privgan_uses.restoring.applying.opening import require_readable
from privgan_uses.restoring.damage import Coarse, Noise, enlarged
from privgan_uses.restoring.model import Restorer
from tests.takes import takes
from tests.uses.restoring.making import SIDE, TODAY, make_model

STUDY, SERIES = "2.25.11", "2.25.12"
SAID = {
    "PatientName": "Zorkel^Vimbrú",
    "PatientID": "QZX-1",
    "PatientBirthDate": "19540312",
    "PatientSex": "F",
    "StudyDate": "20240101",
    "AccessionNumber": "A77",
    "StudyInstanceUID": STUDY,
    "SeriesInstanceUID": SERIES,
    "Modality": "CR",
    "BodyPartExamined": "CHEST",
    "BurnedInAnnotation": "NO",
    "LossyImageCompression": "01",
    "OperatorsName": "Nurse^Nobody",
    "InstitutionName": "Anytown Hospital",
    "DeviceSerialNumber": "4711",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Restorer:
    return make_model(tmp_path_factory.mktemp("learned") / "model")


@pytest.fixture(scope="module")
def images() -> Images:
    return takes(5, seed=7, side=SIDE)


def write_dicom(path: Path, image: Images, number: int = 1, **said: Any) -> Path:
    """A radiograph (h, w) of SAID, in Latin-1 as a hospital's archive may have it."""
    dataset = Dataset()
    dataset.preamble, dataset.file_meta = bytes(128), FileMetaDataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    for keyword, value in {**SAID, **said}.items():
        setattr(dataset, keyword, value)
    dataset.SOPClassUID, dataset.SOPInstanceUID = ComputedRadiographyImageStorage, f"2.25.{1000 + number}"
    dataset.InstanceNumber = number
    dataset.Rows, dataset.Columns = image.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = image.tobytes()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def digests(folder: Path) -> dict[str, str]:
    return {str(path): sha256_file(path) for path in list_files(folder)}


def applied(model: Restorer, source: Path, out: Path, **asked: Any) -> Applied:
    before = digests(source if source.is_dir() else source.parent)
    out.mkdir(mode=0o700)
    try:
        return apply_restorer(model, source, out, Asked(**asked), TODAY)
    finally:
        assert digests(source if source.is_dir() else source.parent) == before


def test_rows_of_an_npz_keep_their_owners(model: Restorer, images: Images, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    blank = np.zeros((1, SIDE, SIDE), np.uint8)
    stored = np.concatenate([images[:2, ..., 0], blank, images[2:, ..., 0]])
    owners = np.array([f"p{number}" for number in range(6)])
    np.savez(tmp_path / "in" / "a.npz", images=stored, patient_id=owners, labels=np.array(list("ababab")))
    found = applied(model, tmp_path / "in" / "a.npz", tmp_path / "out")
    assert (found.images, found.refused) == (5, {"blank": 1})
    with np.load(tmp_path / "out" / "restored.npz") as archive:
        assert np.array_equal(archive["images"][..., None], model.restored(images))
        assert archive["row"].tolist() == [0, 1, 3, 4, 5]
        assert archive["patient_id"].tolist() == ["p0", "p1", "p3", "p4", "p5"]
        assert archive["labels"].tolist() == list("abbab")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["restored.json", "restored.npz"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "out").iterdir())


def test_pictures_keep_their_names(model: Restorer, images: Images, tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    Image.fromarray(images[0, ..., 0]).save(tmp_path / "in" / "one.png")
    Image.fromarray(images[1, ..., 0]).save(tmp_path / "in" / "deep" / "two.PNG")
    assert applied(model, tmp_path / "in", tmp_path / "out").images == 2
    restored = model.restored(images)
    for number, name in enumerate(("one.png", "deep/two.PNG")):
        made = np.asarray(Image.open(tmp_path / "out" / "images" / name))
        assert np.array_equal(made, restored[number, ..., 0])
    alone = applied(model, tmp_path / "in" / "one.png", tmp_path / "alone")
    assert alone.images == 1


def code_of(reader: Any, path: Path, **selecting: bool) -> str:
    """Why a file is not read though text in the pixels is accepted; empty where it is."""
    accepting = Selection(accept_burned_in=True, **selecting)
    return read_entry(path, Request(kind=reader.__name__, recipe=Recipe(size=SIDE), selection=accepting)).code


def test_each_file_says_by_itself_what_it_is(model: Restorer, images: Images, tmp_path: Path) -> None:
    """Copied out of its folder it is still no image as it was taken: no verb reads it, whatever is accepted."""
    Image.fromarray(images[0, ..., 0]).save(tmp_path / "a.png")
    np.savez(tmp_path / "a.npz", images=images[..., 0])
    write_dicom(tmp_path / "a.dcm", images[0, ..., 0])
    for kind in ("png", "npz", "dcm"):
        (tmp_path / kind).mkdir()
        shutil.move(tmp_path / f"a.{kind}", tmp_path / kind)
        applied(model, tmp_path / kind / f"a.{kind}", tmp_path / f"{kind}-out")
    shutil.copy(tmp_path / "png-out" / "images" / "a.png", tmp_path / "alone.png")
    with Image.open(tmp_path / "alone.png") as alone:
        assert alone.info["privgan-restored"] == f"model {model.sha256}"
        assert alone.info["Disclaimer"].startswith("Not for diagnosis")
        assert "restored by a network, task denoise" in alone.info["Description"]
    with np.load(tmp_path / "npz-out" / "restored.npz") as archive:
        said = " ".join(archive["privgan-restored"])
    assert "Not for diagnosis" in said
    assert model.sha256 in said
    for trusted in (False, True):
        assert code_of(picture, tmp_path / "alone.png", trusted=trusted) == "restored"
        assert code_of(dicom, tmp_path / "dcm-out" / "images" / "a.dcm", trusted=trusted) == "restored"
    assert code_of(picture, tmp_path / "png" / "a.png") == code_of(dicom, tmp_path / "dcm" / "a.dcm") == ""
    with pytest.raises(InputRejectedError, match="holds restored ones"):
        open_npz(tmp_path / "npz-out" / "restored.npz", Wanted())
    for what in (SYNTHETIC_IMAGES, MEMBERS):
        for made in ("dcm-out/images", "png-out/images", "npz-out/restored.npz"):
            with pytest.raises(InputRejectedError, match="restored"):
                load(tmp_path / made, what, Form(colour=False), silent)
        assert len(load(tmp_path / "dcm", what, Form(colour=False), silent).images) == 1


def test_an_instance_is_its_patients_and_says_what_it_is(model: Restorer, images: Images, tmp_path: Path) -> None:
    for number in (1, 2):
        write_dicom(tmp_path / "in" / f"IM{number}", images[number, ..., 0], number)
    assert applied(model, tmp_path / "in", tmp_path / "out").images == 2
    made = [dcmread(tmp_path / "out" / "images" / f"IM{number}.dcm") for number in (1, 2)]
    for number, each in enumerate(made, start=1):
        assert np.array_equal(each.pixel_array, model.restored(images)[number, ..., 0])
        for keyword in ("PatientName", "PatientID", "PatientBirthDate", "StudyInstanceUID", "AccessionNumber"):
            assert each[keyword].value == SAID[keyword]
        assert each.SOPClassUID == SecondaryCaptureImageStorage
        assert each.ImageType[:2] == ["DERIVED", "SECONDARY"]
        assert (each.BurnedInAnnotation, each.LossyImageCompression, each.SyntheticData) == ("NO", "01", "YES")
        assert "ot for diagnosis" in each.DerivationDescription
        assert "Not for diagnosis" in each.ImageComments
        (source,) = each.SourceImageSequence
        assert source.ReferencedSOPInstanceUID == f"2.25.{1000 + number}"
        assert source.ReferencedSOPClassUID == ComputedRadiographyImageStorage
        assert source.SpatialLocationsPreserved == "YES"
        for keyword in ("OperatorsName", "InstitutionName", "DeviceSerialNumber"):
            assert keyword not in each
    assert made[0].SeriesInstanceUID == made[1].SeriesInstanceUID != SERIES
    assert len({each.SOPInstanceUID for each in made}) == 2


def require_conforming(file: Path) -> None:
    """Where dicom3tools are installed, they find no error."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dicom3tools are not installed")
    told = subprocess.run(["dciodvfy", file], capture_output=True, text=True, check=False)
    # Synthetic Data (0008,001C) came into the standard in 2023, and not yet into this tool.
    errors = [line for line in told.stderr.splitlines() if line.startswith("Error") and "(0x0008,0x001c)" not in line]
    assert errors == []
    assert "SCImage" in told.stderr


def test_instances_conform(model: Restorer, images: Images, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "a.dcm", images[0, ..., 0])
    applied(model, tmp_path / "in", tmp_path / "out")
    require_conforming(tmp_path / "out" / "images" / "a.dcm")


def test_an_instance_that_says_not_which_it_is_is_refused(model: Restorer, images: Images, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "a.dcm", images[0, ..., 0], StudyInstanceUID="")
    with pytest.raises(UsageError, match="which instance and study"):
        applied(model, tmp_path / "in", tmp_path / "out")


@pytest.mark.parametrize(
    ("said", "side", "told"),
    [
        ({"Modality": "DX"}, SIDE, "modality that the model knows"),
        ({"Modality": "CT"}, SIDE, "modality that the model knows"),
        ({"BodyPartExamined": "HAND"}, SIDE, "images of CHEST"),
        ({}, 2 * SIDE, "of 28 pixels a side"),
    ],
)
def test_what_the_model_does_not_know_is_refused(
    model: Restorer, tmp_path: Path, said: dict[str, str], side: int, told: str
) -> None:
    write_dicom(tmp_path / "in" / "a.dcm", takes(1, seed=0, side=side)[0, ..., 0], **said)
    with pytest.raises(InputRejectedError, match=told) as refused:
        applied(model, tmp_path / "in", tmp_path / "out")
    assert "QZX-" not in str(refused.value)


def test_a_body_part_or_modality_that_nobody_named_is_no_contradiction(
    model: Restorer, images: Images, tmp_path: Path
) -> None:
    write_dicom(tmp_path / "in" / "a.dcm", images[0, ..., 0], BodyPartExamined="")
    assert applied(model, tmp_path / "in", tmp_path / "out").images == 1


def test_colour_is_refused_by_a_grey_model(model: Restorer, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    colour = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    Image.fromarray(colour).save(tmp_path / "in" / "a.png")
    with pytest.raises(InputRejectedError, match="grey images"):
        applied(model, tmp_path / "in", tmp_path / "out")


def test_volumes_are_not_torn_apart(model: Restorer, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    volume = np.zeros((SIDE, SIDE, 3), np.int16)
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), source / "volume.nii")
    with pytest.raises(InputRejectedError, match="NIfTI volumes"):
        applied(model, source, tmp_path / "out")


def test_frames_of_one_file_come_out_as_instances_of_their_own(
    model: Restorer, images: Images, tmp_path: Path
) -> None:
    """Each names its frame, and a blank one that is left out keeps its number."""
    frames = images[:4].copy()
    frames[1] = 0
    for number, name in ((7, "many.dcm"), (8, "more.dcm")):
        path = write_dicom(tmp_path / "source" / name, images[0, ..., 0], number)
        dataset = dcmread(path)
        dataset.NumberOfFrames, dataset.PixelData = 4, frames.tobytes()
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = ManyFrames
        dataset.save_as(path)
    write_dicom(tmp_path / "source" / "one.dcm", images[4, ..., 0], 9, SeriesInstanceUID="2.25.13")
    assert applied(model, tmp_path / "source", tmp_path / "out").images == 7
    folder = tmp_path / "out" / "images"
    made = [dcmread(folder / f"{name}.dcm") for name in ("many", "many-0002", "many-0003", "more", "one")]
    sources = [each.SourceImageSequence[0] for each in made]
    assert [each.get("ReferencedFrameNumber") for each in sources] == [1, 3, 4, 1, None]
    assert [each.ReferencedSOPInstanceUID for each in sources[2:]] == ["2.25.1007", "2.25.1008", "2.25.1009"]
    assert [int(each.InstanceNumber) for each in made] == [1, 2, 3, 4, 9]
    assert len({str(each.SOPInstanceUID) for each in made}) == 5
    assert np.array_equal(made[1].pixel_array, model.restored(images[2:3])[0, ..., 0])
    require_conforming(folder / "many-0002.dcm")


def test_larger_images_are_brought_to_size_if_asked(model: Restorer, tmp_path: Path) -> None:
    """The slow twin: means over squares of 2 x 2 pixels."""
    large = takes(1, seed=5, side=2 * SIDE)
    write_dicom(tmp_path / "in" / "a.dcm", large[0, ..., 0])
    applied(model, tmp_path / "in", tmp_path / "out", resize=True)
    made = dcmread(tmp_path / "out" / "images" / "a.dcm")
    small = np.rint(large.reshape(1, SIDE, 2, SIDE, 2, 1).mean(axis=(2, 4))).astype(np.uint8)
    assert np.array_equal(made.pixel_array, model.restored(small)[0, ..., 0])
    assert made.SourceImageSequence[0].SpatialLocationsPreserved == "NO"


def test_small_images_come_out_large(tmp_path: Path) -> None:
    form = ImageForm(side=2 * SIDE)
    model = make_model(tmp_path / "model", "super-resolve", form)
    small = takes(2, seed=5, side=SIDE)
    (tmp_path / "in").mkdir()
    for number, image in enumerate(small):
        Image.fromarray(image[..., 0]).save(tmp_path / "in" / f"{number}.png")
    applied(model, tmp_path / "in", tmp_path / "out")
    large = model.restored(enlarged(small, Coarse(factor=2)))
    for number in range(2):
        made = np.asarray(Image.open(tmp_path / "out" / "images" / f"{number}.png"))
        assert np.array_equal(made, large[number, ..., 0])
    with pytest.raises(UsageError, match=r"gives 14\. Use a smaller"):
        require_readable(form, Coarse(factor=4))


def test_computed_tomography_keeps_its_scale_and_claims_no_unit(tmp_path: Path) -> None:
    """Noise is in Hounsfield units, the source is read by the model's window, and windows work on what comes out.

    But a network changed its values, and the type of their unit says so.
    """
    form = ImageForm(side=SIDE, modality="CT", body_part="CHEST", window=(-1000.0, 200.0))
    model = make_model(tmp_path / "model", form=form)
    assert model.facts.damage == Noise(photons=0.0, spread=60.0)
    image = takes(1, seed=2, side=SIDE)
    held = (image[0, ..., 0].astype(float) * 1200 / 255).round().astype("<u2")
    units = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "PixelData": held.tobytes()}
    path = write_dicom(tmp_path / "in" / "a.dcm", image[0, ..., 0], Modality="CT")
    dataset = dcmread(path)
    for keyword, value in {**units, "RescaleSlope": 1, "RescaleIntercept": -1000}.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
    applied(model, tmp_path / "in", tmp_path / "out")
    made = dcmread(tmp_path / "out" / "images" / "a.dcm")
    assert np.array_equal(made.pixel_array, model.restored(image)[0, ..., 0])
    assert (made.RescaleType, float(made.RescaleIntercept)) == ("HU_MOD", -1000.0)
    assert float(made.RescaleSlope) == pytest.approx(1200 / 255)
    assert (float(made.WindowCenter), float(made.WindowWidth)) == (-400.0, 1200.0)
    assert "were not measured" in made.DerivationDescription
    assert "-1000 to 200 HU" in made.DerivationDescription
    require_conforming(tmp_path / "out" / "images" / "a.dcm")


@pytest.mark.parametrize("target", ["in", "in/out", "."])
def test_never_over_the_source(tmp_path: Path, target: str) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(UsageError, match="another place"):
        require_apart(tmp_path / "in", tmp_path / target)
    require_apart(tmp_path / "in", tmp_path / "out")


def test_memory_does_not_grow_with_the_source(
    model: Restorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many images there are, so many are in memory at once."""
    from privgan_uses.restoring.applying import apply as module

    monkeypatch.setattr(module, "_AT_ONCE", 2)
    seen: list[int] = []
    inner = module._restored
    monkeypatch.setattr(module, "_restored", lambda model, some: seen.append(len(some)) or inner(model, some))
    (tmp_path / "in").mkdir()
    np.savez(tmp_path / "in" / "a.npz", images=takes(5, seed=1, side=SIDE)[..., 0])
    assert applied(model, tmp_path / "in" / "a.npz", tmp_path / "out").images == 5
    assert seen == [2, 2, 1]
