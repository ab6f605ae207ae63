"""A cohort that needs no patient: phantoms written as a hospital's DICOM would be, with invented people in it.

Names, numbers, dates and places are built from syllables and random digits; nobody real is named. They are there
so that the scan for leaked identifiers has something to find. All of it is public and can be drawn again.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    RLELossless,
)

from privgan.arrays import Singles
from privgan.data.phantoms.phantom_images import CLASSES, SIZE, Anatomy, draw_images
from privgan.data.phantoms.phantom_records import HEADER, PhantomRecords
from privgan.files import write_text
from privgan.images.blocks import at_once
from privgan.language import tr
from privgan.progress import Progress, silent

IMAGES_PER_PATIENT = (0.50, 0.25, 0.15, 0.10)  # chance of 1, 2, 3, 4
LABELS = "labels.csv"
MONOCHROME1_SHARE, RLE_SHARE, DEFLATED_SHARE = 0.10, 0.05, 0.05
_BATCH = 200  # patients drawn at a time, fewer of larger images
_FIRST = ("Zor", "Kel", "Vim", "Tax", "Bru", "Nyl", "Fex", "Qua", "Dro", "Wix", "Jov", "Pelk", "Ghu", "Stro")
_NEXT = ("vaq", "umbo", "ixel", "ondri", "akku", "ezzo", "irth", "uffin", "oxxa", "ygga", "eppu", "ibrax")
_LAST = ("dun", "mek", "wyr", "loff", "zand", "quil", "tosk", "rebb", "nahx", "vupp", "gim", "sarq")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True, kw_only=True)
class _Visit:
    """One invented patient and the study that was made of them."""

    name: str
    number: str
    birth: str
    sex: str
    date: str
    accession: str
    study: str
    syntax: str
    inverted: bool
    age: str = ""
    hospital: "_Hospital"


@dataclass(frozen=True, kw_only=True)
class _Hospital:
    name: str
    address: str
    physician: str
    operator: str
    station: str
    serial: str


def write_phantoms(
    folder: Path,
    *,
    patients: int,
    side: int = SIZE,
    seed: int = 0,
    records: bool = False,
    progress: Progress = silent,
) -> int:
    """Write a DICOM folder of phantoms, one sub-folder a patient, and labels.csv (patient, label).

    Args:
        folder: an existing, empty folder.
        patients: how many invented patients, with 1 to 4 images each.
        side: pixels a side; whoever draws others than 64 draws other patients, too.
        seed: another seed draws another cohort; a phantom protects nobody, so it may be predictable.
        records: the table has those of `phantom_records`, too, and the pictures show what they say.
        progress: told after every batch.

    Returns:
        How many images were written.
    """
    rng = np.random.default_rng(seed)
    hospitals = [_invent_hospital(rng) for _ in range(3)]
    known = np.random.default_rng((seed, 1))  # of its own: without records everything is drawn as it always was
    lines, written = [",".join(("patient", "label", *(HEADER if records else ())))], 0
    batch = at_once(_BATCH, side, whole=SIZE)
    for start in range(0, patients, batch):
        count = min(batch, patients - start)
        opaque = rng.random(count) < 0.5
        takes = np.repeat(np.arange(count), rng.choice((1, 2, 3, 4), size=count, p=IMAGES_PER_PATIENT))
        anatomy = Anatomy.draw(opaque, rng)
        told: list[tuple[str, ...]] = [()] * count
        if records:
            drawn = PhantomRecords.draw(opaque, known, planted=start == 0)
            anatomy, told = drawn.shape(anatomy), list(drawn.rows())
        pictures = draw_images(anatomy.take(takes), rng, side=side)
        for patient in range(count):
            visit = _known(_invent_visit(rng, hospitals), told[patient])
            written += _write_visit(folder, visit, pictures[takes == patient], rng)
            lines.append(",".join((visit.number, CLASSES[int(opaque[patient])], *told[patient])))
        progress(tr("Drawing phantoms"), start + count, patients)
    write_text(folder / LABELS, "\n".join(lines) + "\n")
    return written


def _write_visit(folder: Path, visit: _Visit, pictures: Singles, rng: np.random.Generator) -> int:
    own = folder / f"{visit.number}_{visit.name.partition('^')[0]}"
    own.mkdir()
    series = _uid(rng)
    for instance, picture in enumerate(pictures, start=1):
        dataset = _dataset(visit, series, _uid(rng), instance)
        _add_pixels(dataset, picture, visit)
        dcmwrite(own / f"{visit.accession}_{instance}.dcm", dataset, enforce_file_format=True)
    return len(pictures)


def _dataset(visit: _Visit, series: str, instance: str, number: int) -> Dataset:
    dataset = Dataset()
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = UID(instance)
    meta.TransferSyntaxUID = UID(visit.syntax)
    dataset.file_meta = meta
    for keyword, value in {
        "SOPClassUID": ComputedRadiographyImageStorage,
        "SOPInstanceUID": instance,
        "StudyInstanceUID": visit.study,
        "SeriesInstanceUID": series,
        "Modality": "CR",
        "BodyPartExamined": "CHEST",
        "ViewPosition": "PA",
        "SeriesNumber": 1,
        "InstanceNumber": number,
        "PatientName": visit.name,
        "PatientID": visit.number,
        "PatientBirthDate": visit.birth,
        "PatientSex": visit.sex,
        **({"PatientAge": visit.age} if visit.age else {}),
        "StudyDate": visit.date,
        "StudyTime": "",
        "AccessionNumber": visit.accession,
        "StudyID": visit.accession[-6:],
        "ReferringPhysicianName": visit.hospital.physician,
        "OperatorsName": visit.hospital.operator,
        "InstitutionName": visit.hospital.name,
        "InstitutionAddress": visit.hospital.address,
        "StationName": visit.hospital.station,
        "DeviceSerialNumber": visit.hospital.serial,
        "Manufacturer": "",
        "PatientComments": f"Invented for a demonstration, call {visit.hospital.serial}",
    }.items():
        setattr(dataset, keyword, value)
    return dataset


def _add_pixels(dataset: Dataset, picture: Singles, visit: _Visit) -> None:
    stored = np.rint(picture * 4095).astype("<u2")
    for keyword, value in {
        "Rows": picture.shape[0],
        "Columns": picture.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME1" if visit.inverted else "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
    }.items():
        setattr(dataset, keyword, value)
    pixels = 4095 - stored if visit.inverted else stored
    if visit.syntax == RLELossless:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.compress(RLELossless, pixels, generate_instance_uid=False)
    else:
        dataset.PixelData = pixels.astype("<u2").tobytes()
        dataset["PixelData"].VR = "OW"


def _invent_visit(rng: np.random.Generator, hospitals: list[_Hospital]) -> _Visit:
    draw = rng.random(2)
    syntax = ExplicitVRLittleEndian
    if draw[0] < RLE_SHARE:
        syntax = RLELossless
    elif draw[0] < RLE_SHARE + DEFLATED_SHARE:
        syntax = DeflatedExplicitVRLittleEndian
    return _Visit(
        name=_person(rng),
        number="PX" + "".join(_LETTERS[i] for i in rng.integers(0, len(_LETTERS), 8)),
        birth=f"{rng.integers(1930, 2006)}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}",
        sex="FM"[int(rng.integers(0, 2))],
        date=f"20{rng.integers(10, 24)}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}",
        accession=f"ACC{rng.integers(10**8, 10**9)}",
        study=_uid(rng),
        syntax=syntax,
        inverted=bool(draw[1] < MONOCHROME1_SHARE),
        hospital=hospitals[int(rng.integers(0, len(hospitals)))],
    )


def _known(visit: _Visit, record: tuple[str, ...]) -> _Visit:
    """A visit whose headers say of sex and age what the record does, if there is one."""
    if not record:
        return visit
    sex, age, *_ = record
    birth = f"{int(visit.date[:4]) - int(age) - (visit.birth[4:] > visit.date[4:])}{visit.birth[4:]}"
    return replace(visit, sex=sex, birth=birth, age=f"{int(age):03d}Y")


def _invent_hospital(rng: np.random.Generator) -> _Hospital:
    return _Hospital(
        name=f"{_word(rng)} Hospital",
        address=f"{rng.integers(100, 999)} {_word(rng)} Street, {_word(rng)}",
        physician=_person(rng),
        operator=_person(rng),
        station=f"{_word(rng).upper()}{rng.integers(10, 99)}",
        serial=f"{rng.integers(10**8, 10**9)}",
    )


def _person(rng: np.random.Generator) -> str:
    return f"{_word(rng)}^{_word(rng)}"


def _word(rng: np.random.Generator) -> str:
    return "".join(part[int(rng.integers(0, len(part)))] for part in (_FIRST, _NEXT, _LAST))


def _uid(rng: np.random.Generator) -> str:
    return f"2.25.{int.from_bytes(rng.bytes(15))}"
