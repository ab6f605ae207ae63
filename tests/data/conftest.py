"""Builders of small sources: DICOM files of every readable kind, with a planted invented patient."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, RLELossless, generate_uid

MakeDicom = Callable[..., Path]


def build_dicom(pixels: np.ndarray[Any, Any], **tags: Any) -> Dataset:
    """A CR dataset around some pixels; keywords override, None removes."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    bits = pixels.dtype.itemsize * 8
    defaults = {
        "SOPClassUID": ComputedRadiographyImageStorage,
        "SOPInstanceUID": generate_uid(),
        "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "Modality": "CR",
        "PatientID": "ZZ-4711-MARK",
        "PatientName": "Zorkel^Vimbru",
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "PixelData": pixels.tobytes(),
    }
    for keyword, value in (defaults | tags).items():
        if value is not None:
            setattr(dataset, keyword, value)
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OW" if bits == 16 else "OB"
    return dataset


@pytest.fixture
def make_dicom() -> MakeDicom:
    """A function that writes one DICOM file and gives its path back."""

    def make(path: Path, pixels: np.ndarray[Any, Any], syntax: str = ExplicitVRLittleEndian, **tags: Any) -> Path:
        dataset = build_dicom(pixels, **tags)
        path.parent.mkdir(parents=True, exist_ok=True)
        if syntax == RLELossless:
            dataset.compress(RLELossless, pixels)
        dataset.file_meta.TransferSyntaxUID = syntax
        implicit, little = syntax == "1.2.840.10008.1.2", syntax != "1.2.840.10008.1.2.2"
        if not little:
            dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()
        dcmwrite(path, dataset, enforce_file_format=True, implicit_vr=implicit, little_endian=little)
        return path

    return make
