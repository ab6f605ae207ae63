"""The attributes that every kind of object has, by module of the standard (PS3.3): the allow-list of what is written.

Marked with Synthetic Data (0008,001C) = YES and a Contributing Equipment item of purpose (109100, DCM, "Synthesizing
Equipment"), as the note in PS3.3 C.12.1 asks. Nothing refers to a source, because there is none to refer to.
"""

from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from privgan import __version__
from privgan.synthetic.dicom.dates import DUMMY_DAY
from privgan.synthetic.dicom.kinds import Kind, kind_of, pages
from privgan.synthetic.dicom.look import DicomLook
from privgan.synthetic.dicom.values import display_window, pixel_module, rescale

IMPLEMENTATION_CLASS_UID = UID("2.25.248812839370906441926185034180541012307")
DUMMY_DATE, DUMMY_TIME = DUMMY_DAY.strftime("%Y%m%d"), "000000"
# Heads and faces can be recognised in an image alone, so nothing is said about them.
_RECOGNISABLE = ("", "HEAD", "BRAIN", "SKULL", "FACE", "NECK", "HEADNECK", "WHOLEBODY")


def template(look: DicomLook, *, frames: int = 1) -> Dataset:
    """Everything that all files of a set with so many frames share: the allow-list.

    Raises:
        ValueError: a value is not valid for its VR (inside `strict_validation` only).
    """
    kind = kind_of(look.dicom, colour=look.form.colour)
    dataset = Dataset()
    dataset.preamble = bytes(128)
    dataset.file_meta = _file_meta(kind)
    groups = (
        _patient(look),
        _study_and_series(look),
        _equipment(),
        _sop_common(look, kind),
        _image(look, kind),
        kind.attributes(look.form.side, look.form.body_part),
        pages(frames) if look.dicom.frames > 1 else {},
    )
    for group in groups:
        for keyword, value in group.items():
            setattr(dataset, keyword, value)
    return dataset


def _file_meta(kind: Kind) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = kind.sop_class
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
        "Modality": look.form.modality or "OT",
        "SeriesDescription": f"SYNTHETIC privgan {__version__}",
        **({"BodyPartExamined": look.form.body_part} if look.form.body_part or look.dicom.kind == "cr" else {}),
    }


def _equipment() -> dict[str, Any]:
    return {
        "Manufacturer": "privgan",
        "ManufacturerModelName": "privgan",
        "DeviceSerialNumber": "0",
        "SoftwareVersions": __version__,
    }


def _sop_common(look: DicomLook, kind: Kind) -> dict[str, Any]:
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
        "SOPClassUID": kind.sop_class,
        "InstanceCreationDate": look.created,
        "SyntheticData": "YES",
        "ContributingEquipmentSequence": Sequence([equipment]),
    }


def _image(look: DicomLook, kind: Kind) -> dict[str, Any]:
    shown = {} if look.form.colour or look.dicom.frames > 1 else display_window(look.dicom, look.form.window)
    return {
        "ImageType": ["DERIVED", "SECONDARY", *kind.image_type],
        "InstanceNumber": 1,
        "PatientOrientation": "",
        "ContentDate": DUMMY_DATE,
        "ContentTime": DUMMY_TIME,
        "DerivationDescription": look.provenance,
        **_annotation(look),
        "ImageLaterality": "U",  # nobody's image has no side; of a paired body part something must be said (type 2C)
        "LossyImageCompression": "00",
        **shown,
        **pixel_module((look.form.side, look.form.side), look.dicom, colour=look.form.colour),
        **({} if look.form.colour else rescale(look.dicom, look.form.window)),
    }


def _annotation(look: DicomLook) -> dict[str, str]:
    """By definition NO means "not enough to identify the patient": what patient-level privacy claims."""
    if look.not_private:  # objects of many frames must say something
        return {"BurnedInAnnotation": "YES"} if look.dicom.frames > 1 else {}
    known = look.form.body_part not in _RECOGNISABLE
    return {"BurnedInAnnotation": "NO", **({"RecognizableVisualFeatures": "NO"} if known else {})}
