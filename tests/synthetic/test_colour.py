"""A synthetic set in colour: every form of an image agrees, and the set is read back as it was drawn."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from privgan.arrays import Floats, Integers
from privgan.data.selection import Selection
from privgan.data.sources.opening import read_images
from privgan.data.sources.wishes import Wishes
from privgan.errors import IntegrityError, UsageError
from privgan.images.contact_sheet import contact_sheet
from privgan.images.form import ImageForm
from privgan.synthetic import drawing
from privgan.synthetic import generate as generating
from privgan.synthetic.dicom.form import DicomForm, resolved
from privgan.synthetic.generate import GenerateOptions, generate, output_bytes
from privgan.synthetic.synthetic_set import open_synthetic_set
from privgan_audits.evidence.interface import NotApplicable
from privgan_audits.evidence.loading import load_file_evidence
from privgan_audits.questions import identifiers
from privgan_audits.questions.identifiers.as_audited import AsAudited
from tests.data.phantom_photos import Skin, draw_photos
from tests.synthetic.making import CLASSES, SEED, make_run

SIZE = 28
FORM = ImageForm(side=SIZE, channels=3, classes=CLASSES)


@pytest.fixture(autouse=True)
def _drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A generator in colour that needs no training: phantoms of the classes that are asked for."""

    def levels(z: Floats, label: int) -> Floats:
        rng = np.random.default_rng(z.view(np.uint64))
        return draw_photos(Skin.draw(np.array([label == 1]), rng), rng, SIZE)[0].astype(np.float64)

    def together(z: Floats, labels: Integers) -> Floats:
        return np.stack([levels(each, int(label)) for each, label in zip(z, labels, strict=True)])

    generator = SimpleNamespace(
        levels=levels, levels_together=together, latent=4, class_balance=None, records=None, smooth_as=0
    )
    monkeypatch.setattr(drawing, "_load", lambda *_: generator)
    return iter(())


def make(folder: Path, count: int = 9, **options: Any) -> Path:
    run = make_run(folder.with_name(f"{folder.name}-run"), channels=3, modality="DMS", body_part="SKIN")
    folder.mkdir(mode=0o700)
    generate(run, folder, GenerateOptions(count=count, **options), SEED)
    return folder


def test_every_form_of_an_image_agrees(tmp_path: Path) -> None:
    opened = open_synthetic_set(make(tmp_path / "set"))
    assert opened.images.shape == (9, SIZE, SIZE, 3)
    assert opened.manifest.form.colour
    assert (opened.images[..., 0] != opened.images[..., 2]).any()
    rows = [*csv.DictReader((opened.folder / "labels.csv").open())]
    for image, row in zip(opened.images, rows, strict=True):
        dataset = dcmread(opened.folder / row["file"])
        assert (dataset.PhotometricInterpretation, dataset.BitsStored, dataset.Modality) == ("RGB", 8, "DMS")
        np.testing.assert_array_equal(dataset.pixel_array, image)
    with Image.open(opened.folder / "contact-sheet.png") as sheet:
        assert sheet.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(sheet), contact_sheet(opened.images, opened.labels, CLASSES))


def test_what_was_written_is_read_back_as_arrays_as_dicom_and_as_pictures(tmp_path: Path) -> None:
    opened = open_synthetic_set(make(tmp_path / "set"))
    (tmp_path / "png").mkdir()
    for number, image in enumerate(opened.images):
        Image.fromarray(image).save(tmp_path / "png" / f"{number:02d}.png")
    for source in ("set/images.npz", "set/dicom", "png"):
        found = read_images(tmp_path / source, Wishes(size=None, preset="photo", selection=Selection(trusted=True)))
        np.testing.assert_array_equal(found.images, opened.images)


def test_frames_of_one_class_are_colour_captures_of_many_frames(tmp_path: Path) -> None:
    opened = open_synthetic_set(make(tmp_path / "set", frames=3))
    seen = 0
    for path in sorted(opened.folder.glob("dicom/*/*.dcm")):
        dataset = dcmread(path)
        assert dataset.SOPClassUID == "1.2.840.10008.5.1.4.1.1.7.4"
        pixels = dataset.pixel_array.reshape(-1, SIZE, SIZE, 3)
        np.testing.assert_array_equal(pixels, opened.images[seen : seen + len(pixels)])
        seen += len(pixels)
    assert seen == 9


def test_what_matches_a_camera_is_a_capture_of_eight_bits() -> None:
    asked = {"modality": "CR", "bits": None, "frames": 2, "colour": True}
    assert resolved("match", **asked) == DicomForm(frames=2)
    assert resolved("match", **{**asked, "colour": False, "frames": 1}).kind == "cr"
    for bits in (12, 16):
        with pytest.raises(UsageError, match="8 bits for colour"):
            resolved("secondary-capture", **{**asked, "bits": bits})


def test_the_card_says_that_it_is_colour(tmp_path: Path) -> None:
    card = (make(tmp_path / "set") / "README.md").read_text()
    assert "9 colour images of 28 x 28 pixels" in card
    assert "count x height x width x red, green, blue" in card
    assert "DICOM Secondary Capture, in colour" in card


def test_a_manifest_of_another_number_of_channels_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "set", formats=("npz",))
    table = json.loads((folder / "manifest.json").read_text())
    for channels, message in ((1, "9 images of 28 x 28 pixels in images"), (2, "fields of a synthetic set")):
        (folder / "manifest.json").write_text(json.dumps({**table, "channels": channels}))
        with pytest.raises(IntegrityError, match=message):
            open_synthetic_set(folder)


def test_enough_disk_for_three_channels_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options, asked = GenerateOptions(count=200), list[int]()
    monkeypatch.setattr(generating, "require_space", lambda _, needed: asked.append(needed))
    folder = make(tmp_path / "set", count=200)
    assert asked == [output_bytes(options, FORM)]
    written = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert written < output_bytes(options, FORM) < 4 * written
    assert output_bytes(options, replace(FORM, side=128)) > 200 * 2 * 128**2 * 3


def test_the_scan_compares_every_file_in_colour(tmp_path: Path) -> None:
    """A red value that changed in a file, or a grey contact sheet, is not what was audited."""
    folder = make(tmp_path / "set")
    evidence = load_file_evidence(folder, folder / "images.npz", None)
    assert evidence.members.images.shape == evidence.synthetic.images.shape == (9, SIZE, SIZE, 3)
    opened = open_synthetic_set(folder)
    scanned = identifiers.QUESTION.measure(evidence, np.random.default_rng(0))
    assert isinstance(scanned, NotApplicable)  # there is no cohort, but the files were looked at
    told = {name: scanned.findings[name] for name in ("structure", "not_as_audited")}
    assert told == {"structure": {}, "not_as_audited": {}}

    def differences(**changed: bytes) -> dict[str, int]:
        scan = AsAudited(opened.manifest, opened.files, evidence.synthetic)
        for path in (path for path in sorted(folder.rglob("*")) if path.is_file()):
            content = changed.get(path.stem.replace("-", "_").lstrip("0"), path.read_bytes())
            scan.see(path.relative_to(folder).as_posix(), content, dcmread(path) if path.suffix == ".dcm" else None)
        return scan.differences()

    assert differences() == {}
    Image.open(folder / "contact-sheet.png").convert("L").save(tmp_path / "grey.png")
    assert differences(contact_sheet=(tmp_path / "grey.png").read_bytes()) == {"contact_sheet": 1}
    first = bytearray((folder / "dicom/000001/000001.dcm").read_bytes())
    first[-3] ^= 1
    assert differences(**{"1": bytes(first)}) == {"pixels": 1}
