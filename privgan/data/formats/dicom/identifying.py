"""What a header says of a patient: what could name them, and what can be a further column where no table has it.

The first is read only so that `prepare` can keep keyed digests of it; the second are sex and age, as PS3.5 has them.
"""

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from privgan.data import identifiers as kinds
from privgan.data import patient_keys
from privgan.data.columns import LONGEST_VALUE
from privgan.data.formats.dicom.header import Header
from privgan.data.formats.dicom.values import items_of, text_of, values_of

IDENTIFYING = {
    kinds.NAME: (
        "PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName", "ResponsiblePerson",
        "ReferringPhysicianName", "PerformingPhysicianName", "PhysiciansOfRecord", "RequestingPhysician",
        "NameOfPhysiciansReadingStudy", "OperatorsName", "ConsultingPhysicianName",
        "ScheduledPerformingPhysicianName",
    ),
    kinds.IDENTIFIER: (
        "PatientID", "OtherPatientIDs", "AccessionNumber", "StudyID", "AdmissionID", "RequestedProcedureID",
        "PerformedProcedureStepID", "MedicalRecordLocator", "PatientTelephoneNumbers", "CurrentPatientLocation",
        "ScheduledProcedureStepID", "FillerOrderNumberImagingServiceRequest",
        "PlacerOrderNumberImagingServiceRequest",
    ),
    kinds.UID: (
        "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID", "DeviceUID",
        "SynchronizationFrameOfReferenceUID", "IrradiationEventUID",
    ),
    kinds.DATE: (
        "PatientBirthDate", "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "AcquisitionDateTime",
        "InstanceCreationDate", "AdmittingDate", "PerformedProcedureStepStartDate",
    ),
    kinds.PLACE: (
        "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "PatientAddress",
        "ReferringPhysicianAddress", "IssuerOfPatientID",
    ),
    kinds.DEVICE: ("StationName", "DeviceSerialNumber", "PerformedStationName", "PlateID", "DetectorID"),
    kinds.TEXT: ("PatientComments", "ImageComments", "StudyComments", "AdditionalPatientHistory"),
}  # fmt: skip
# Sequences whose items repeat the patient's or the order's numbers; deeper ones are not opened.
NESTED = ("OtherPatientIDsSequence", "RequestAttributesSequence")
_CATEGORIES = {
    tag_for_keyword(keyword): category for category, keywords in IDENTIFYING.items() for keyword in keywords
}
_PERSON = ("PatientBirthDate", "PatientSex")  # of one person there is one of each
KEYWORDS = (*itertools.chain(*IDENTIFYING.values()), *NESTED, "PatientSex", "PatientAge")
_LONGEST = LONGEST_VALUE + 1  # characters; what has more is no category, and more of it need not travel
_AGE = re.compile(r"(\d{1,3})([DWMY])")
_LENGTHS = {"D": 1.0, "W": 7.0, "M": 365.25 / 12, "Y": 365.25}


def identifiers_of(header: Header) -> Iterator[tuple[str, str]]:
    """(category, value) of everything that is listed above. Sensitive."""
    yield from _identifiers(header, header.elements if header.read is None else header.read.keys())
    for item in (item for keyword in NESTED for item in items_of(header, keyword)):
        yield from _identifiers(item, item.keys())


def _identifiers(part: Header | Dataset, tags: Iterable[int]) -> Iterator[tuple[str, str]]:
    for tag in _identifying(tuple(tags)):
        yield from ((_CATEGORIES[tag], value) for value in values_of(part, tag))


@functools.lru_cache(maxsize=64)
def _identifying(tags: tuple[int, ...]) -> tuple[int, ...]:
    """Those of some tags that are listed above."""
    return tuple(dict.fromkeys(tags).keys() & _CATEGORIES.keys())


def patient_key(header: Header) -> str:
    """PatientID, with its issuer where there is one; empty when there is no PatientID. Sensitive."""
    return patient_keys.patient_key(text_of(header, "PatientID"), text_of(header, "IssuerOfPatientID"))


def person_of(header: Header) -> tuple[str, ...]:
    """Birth date and sex, which one person has one of; empty where they are not given. Sensitive."""
    return tuple(text_of(header, keyword).upper() for keyword in _PERSON)


def sex_of(header: Header) -> str:
    """F, M or O as a rule, or whatever stands there; empty if nothing does. Sensitive."""
    return text_of(header, "PatientSex").upper()[:_LONGEST]


def age_of(header: Header) -> str:
    """Years as a decimal number, whole ones without a point; empty if nothing is said. Sensitive.

    An age without its unit could be one of months: it keeps its digits, and is no number.
    """
    text = text_of(header, "PatientAge").upper()
    found = _AGE.fullmatch(text)
    if found is None:
        return f"{text}?"[-_LONGEST:] if text else ""
    return f"{int(found[1]) * _LENGTHS[found[2]] / _LENGTHS['Y']:.2f}".rstrip("0").rstrip(".")


COLUMNS: Mapping[str, Callable[[Header], str]] = {"sex": sex_of, "age": age_of}
