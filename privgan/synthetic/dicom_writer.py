"""Synthetic images as DICOM files that no archive can take for a patient's.

Every data set is built new from the list in `look` below; nothing is ever copied from a source file. The
attribute set is that of Secondary Capture (DICOM PS3.3 A.8.1), marked with Synthetic Data (0008,001C) = YES
and a Contributing Equipment item of purpose (109100, DCM, "Synthesizing Equipment"), as the note in PS3.3
C.12.1 asks. The identifier scan builds the same list again to know what privgan itself has written.
"""

import contextlib
import io
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydicom import config, dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from privgan import __version__
from privgan.errors import UsageError
from privgan.files import SHAREABLE_FILE, open_new
from privgan.synthetic.synthetic_set import Manifest, file_name

IMPLEMENTATION_CLASS_UID = UID("2.25.248812839370906441925186034180541012307")
DUMMY_DATE, DUMMY_TIME = "19000101", "000000"
# Heads and faces can be recognised in an image alone, so nothing is said about them.
_RECOGNISABLE = ("", "HEAD", "BRAIN", "SKULL", "FACE", "NECK", "HEADNECK", "WHOLEBODY")


@dataclass(frozen=True, kw_only=True)
class DicomLook:
    """What all files of one synthetic set have in common.

    modality, body_part: the cohort's configured values (DICOM code strings; modality may be empty).
    created: the day of generation, YYYYMMDD; nothing finer is written.
    epsilon, delta: the run's claim, for the derivation text. not_private: no claim is written then.
    """

    modality: str
    body_part: str
    created: str
    epsilon: float
    delta: float
    not_private: bool

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """The look of the files of a set with this manifest."""
        return cls(
            modality=manifest.modality,
            body_part=manifest.body_part,
            created=manifest.created.replace("-", ""),
            epsilon=manifest.epsilon,
            delta=manifest.delta,
            not_private=manifest.not_private,
        )

    @property
    def provenance(self) -> str:
        """How the image came to be, in one sentence."""
        if self.not_private:
            return "Synthetic image from a generator trained WITHOUT privacy (a test run)."
        return (
            "Synthetic image, not of a patient; generator trained under patient-level differential privacy "
            f"(epsilon {self.epsilon:.3g}, delta {self.delta:.3g})."
        )


def new_uid() -> UID:
    """A random UID under 2.25 (PS3.5 B.2), from the operating system's entropy."""
    return UID(f"2.25.{uuid.UUID(int=secrets.randbits(128), version=4).int}")


@contextlib.contextmanager
def strict_validation() -> Iterator[None]:
    """Make pydicom refuse bad values on assignment and on writing; its own default only warns.

    The modes are global in pydicom; the former ones return when the block ends.
    """
    before = config.settings.reading_validation_mode, config.settings.writing_validation_mode
    config.settings.reading_validation_mode = config.settings.writing_validation_mode = config.RAISE
    try:
        yield
    finally:
        config.settings.reading_validation_mode, config.settings.writing_validation_mode = before


class DicomWriter:
    """Writes the files of one set; the data set is built once and only what differs is set again."""

    def __init__(self, look: DicomLook, *, image_size: int) -> None:
        with strict_validation():
            try:
                self._dataset = template(look, image_size=image_size)
            except ValueError:
                raise UsageError(
                    "Expected modality and body part as DICOM code strings (capital letters, at most 16)."
                ) from None

    def write(self, folder: Path, image: NDArray[np.uint8], label: str, *, patient_id: str, number: int) -> None:
        """Write image `number` (from 1) below `folder`; the file must not exist.

        Args:
            folder: the synthetic set.
            image: uint8 (n, n), 0 black.
            label: the class name. It becomes Image Comments (0020,4000): shown by viewers, used by no software,
                and, unlike a description of the study or a diagnosis, no statement about a person.
            patient_id: the invented one.
            number: the counter of image and patient.
        """
        dataset = self._dataset
        with strict_validation():
            dataset.PatientName = patient_name(number)
            dataset.PatientID = patient_id
            dataset.StudyInstanceUID, dataset.SeriesInstanceUID = new_uid(), new_uid()
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = new_uid()
            dataset.ImageComments = label
            dataset.PixelData = pixel_bytes(image)
            dataset["PixelData"].VR = "OB"
            buffer = io.BytesIO()
            dcmwrite(buffer, dataset, enforce_file_format=True)
        target = folder / file_name(number)
        target.parent.mkdir(parents=True)
        with open_new(target, SHAREABLE_FILE) as stream:
            stream.write(buffer.getbuffer())


def template(look: DicomLook, *, image_size: int) -> Dataset:
    """Everything that all files of a set share: the allow-list.

    Raises:
        ValueError: a value is not valid for its VR (inside `strict_validation` only).
    """
    dataset = Dataset()
    dataset.preamble = bytes(128)
    dataset.file_meta = _file_meta()
    groups = (_patient(look), _study_and_series(look), _equipment(), _sop_common(look), _image(look, image_size))
    for group in groups:
        for keyword, value in group.items():
            setattr(dataset, keyword, value)
    return dataset


def _file_meta() -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = f"PRIVGAN_{__version__.replace('.', '_')}"[:16]
    return meta


def _patient(look: DicomLook) -> dict[str, Any]:
    unmarked = {"PatientBirthDate": "", "PatientSex": ""}
    if look.not_private:
        return {**unmarked, "DeidentificationMethod": f"privgan {__version__} test run; NOT PRIVATE"}
    method = f"privgan {__version__} DP-SGD GAN; no source pixel data"
    return {**unmarked, "PatientIdentityRemoved": "YES", "DeidentificationMethod": method}


def _study_and_series(look: DicomLook) -> dict[str, Any]:
    return {
        "StudyDate": DUMMY_DATE,
        "StudyTime": DUMMY_TIME,
        "ReferringPhysicianName": "",
        "StudyID": "1",
        "AccessionNumber": "",
        "StudyDescription": "Synthetic (not a patient)",
        "Modality": look.modality or "OT",
        "SeriesNumber": 1,
        "SeriesDescription": f"SYNTHETIC privgan {__version__}",
        # Type 2C: one of the two must be there, and an unknown body part has no side.
        **({"BodyPartExamined": look.body_part} if look.body_part else {"Laterality": ""}),
    }


def _equipment() -> dict[str, Any]:
    return {
        "Manufacturer": "privgan",
        "ManufacturerModelName": "privgan",
        "DeviceSerialNumber": "0",
        "SoftwareVersions": __version__,
        "ConversionType": "SYN",
    }


def _sop_common(look: DicomLook) -> dict[str, Any]:
    purpose = Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator = "109100", "DCM"
    purpose.CodeMeaning = "Synthesizing Equipment"
    equipment = Dataset()
    equipment.Manufacturer = equipment.ManufacturerModelName = "privgan"
    equipment.SoftwareVersions = __version__
    equipment.ContributionDescription = look.provenance
    equipment.PurposeOfReferenceCodeSequence = Sequence([purpose])
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": SecondaryCaptureImageStorage,
        "InstanceCreationDate": look.created,
        "SyntheticData": "YES",
        "ContributingEquipmentSequence": Sequence([equipment]),
    }


def _image(look: DicomLook, image_size: int) -> dict[str, Any]:
    # By definition NO means "not enough to identify the patient": what patient-level privacy claims.
    annotation = {} if look.not_private else {"BurnedInAnnotation": "NO"}
    if not look.not_private and look.body_part not in _RECOGNISABLE:
        annotation["RecognizableVisualFeatures"] = "NO"
    return {
        "ImageType": ["DERIVED", "SECONDARY"],
        "InstanceNumber": 1,
        "PatientOrientation": "",
        "ContentDate": DUMMY_DATE,
        "ContentTime": DUMMY_TIME,
        "DerivationDescription": look.provenance,
        **annotation,
        "LossyImageCompression": "00",
        "WindowCenter": "128",
        "WindowWidth": "256",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": image_size,
        "Columns": image_size,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
    }


def patient_name(number: int) -> str:
    """The invented patient's name."""
    return f"SYNTHETIC^{number:06d}"


def pixel_bytes(image: NDArray[np.uint8]) -> bytes:
    """The value of Pixel Data for an image uint8 (n, n): its rows, padded to an even length."""
    content = image.tobytes()
    return content + b"\0" * (len(content) % 2)
