"""Files of every form, around random images."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from privgan.dp.spend import PrivacySpend
from privgan.images.form import ImageForm
from privgan.synthetic.dicom.form import DicomForm, Place
from privgan.synthetic.dicom.look import DicomLook
from privgan.synthetic.dicom.writer import DicomWriter

PLAIN = DicomForm()
SOFT = (-160.0, 240.0)


def images_of(count: int, size: int = 28, *, colour: bool = False) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Random images, the same for the same arguments: every grey level occurs."""
    shape = (count, size, size, 3) if colour else (count, size, size)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def look_of(
    *,
    size: int = 28,
    colour: bool = False,
    form: DicomForm = PLAIN,
    not_private: bool = False,
    seed: str = "5" * 64,
    **words: Any,
) -> DicomLook:
    """A set's look. form: of the files. words: modality, body part, window; else of a chest."""
    images = ImageForm(side=size, channels=3 if colour else 1, **{"modality": "CR", "body_part": "CHEST", **words})
    spend = PrivacySpend(epsilon=3.0, delta=1e-6)
    told = {"created": "20260131", "spend": spend, "not_private": not_private, "seed_sha256": seed}
    return DicomLook(form=images, dicom=form, **told)


def write(folder: Path, count: int = 2, **look: Any) -> list[Path]:
    """Files of `count` images, in as many files as the form's frames say."""
    given = look_of(**look)
    writer = DicomWriter(given)
    images, frames = images_of(count, given.form.side, colour=given.form.colour), given.dicom.frames
    for number, start in enumerate(range(0, count, frames), start=1):
        held = images[start : start + frames]
        writer.write(folder, held, "séquelle", patient_id=f"PG-0123abcd-{number:06d}", place=Place.alone(number))
    return sorted(folder.rglob("*.dcm"))


def uids(dataset: Dataset) -> list[str]:
    """Instance, study and series."""
    return [dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID]


def looks() -> dict[str, dict[str, Any]]:
    """One look for each form that exists, and those that differ in what a header must say."""
    ct, mr = {"modality": "CT", "body_part": "", "window": SOFT}, {"modality": "MR", "body_part": "HEAD"}
    forms: dict[str, dict[str, Any]] = {
        "capture": {},
        "capture of nothing known": {"modality": "", "body_part": ""},
        "capture of a head": mr,
        "capture of a test run": {"not_private": True},
        "capture in colour": {"colour": True},
        "capture of skin in colour": {"modality": "XC", "body_part": "SKIN", "colour": True},
        "capture of a knee": {"body_part": "KNEE"},
        "capture of CT": ct,
        "capture of CT, 12 bits": {**ct, "form": DicomForm(bits=12)},
        "capture, 12 bits": {"form": DicomForm(bits=12)},
        "capture, 16 bits": {"form": DicomForm(bits=16)},
        "frames": {"form": DicomForm(frames=3)},
        "frames of a test run": {"form": DicomForm(frames=3), "not_private": True},
        "frames, 12 bits": {"form": DicomForm(frames=3, bits=12)},
        "frames, 16 bits": {"form": DicomForm(frames=3, bits=16)},
        "frames in colour": {"form": DicomForm(frames=3), "colour": True},
        "CT": {**ct, "form": DicomForm(kind="ct", bits=12)},
        "CT of a chest, 16 bits": {**ct, "body_part": "CHEST", "form": DicomForm(kind="ct", bits=16)},
        "MR": {**mr, "form": DicomForm(kind="mr", bits=12)},
        "MR of nothing known, 16 bits": {**mr, "body_part": "", "form": DicomForm(kind="mr", bits=16)},
        "CR": {"form": DicomForm(kind="cr")},
        "CR of nothing known, 12 bits": {"body_part": "", "form": DicomForm(kind="cr", bits=12)},
        "DX": {"modality": "DX", "form": DicomForm(kind="dx")},
        "DX of nothing known, 12 bits": {"modality": "DX", "body_part": "", "form": DicomForm(kind="dx", bits=12)},
        "DX of a knee": {"modality": "DX", "body_part": "KNEE", "form": DicomForm(kind="dx")},
        "CR of skin": {"body_part": "SKIN", "form": DicomForm(kind="cr")},
        "DX, 16 bits": {"modality": "DX", "form": DicomForm(kind="dx", bits=16)},
    }
    return forms
