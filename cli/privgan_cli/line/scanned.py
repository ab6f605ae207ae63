"""What `scan` answers, as an object and in words; never a name of a file, nor a class name that few patients have."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from privgan.data.cohort.classes import SMALLEST_CLASS
from privgan.data.cohort.scan import ScanReport
from privgan.data.declared import CellCounts
from privgan.language import retold, tr
from privgan_audits.gate.preflight import Preflight


def as_json(found: ScanReport, expected: Preflight | None, outlook: Mapping[float, str]) -> dict[str, Any]:
    """The object of `privgan scan --json`."""
    known = found.classes
    return {
        "files": found.files,
        "readable": found.readable,
        "images": found.images,
        "refused": found.refused,
        "patients": found.patients,
        "each_image_is_a_patient": not found.numbered,
        "identity": found.identity,
        "preset": found.preset,
        "modality": found.modality,
        "body_part": found.body_part,
        "modalities": found.modalities,
        "body_parts": found.body_parts,
        "classes": {name: {"patients": n, "images": known.images[name]} for name, n in known.patients.items()},
        "classes_not_shown": known.rare,
        "columns": {name: _cells(found, name) for name in found.columns},
        "sides": found.sides,
        "chance": expected.chance if expected else None,
        "outlook": {f"{epsilon:g}": band for epsilon, band in outlook.items()},
        "notes": list(found.notes),
    }


def in_words(found: ScanReport, expected: Preflight | None, outlook: Mapping[float, str]) -> list[str]:
    """The same for people."""
    return [
        tr(
            "{readable} of {files} files readable: {images} images of {patients} patients, preset {preset}",
            readable=found.readable,
            files=found.files,
            images=found.images,
            patients=found.patients,
            preset=found.preset,
        ),
        *(f"  {count:6d}  {code}" for code, count in found.refused.items()),
        *_by_headers(found),
        *_classes(found),
        *_columns(found),
        *_sides(found),
        *_chances(expected, outlook),
        *map(retold, found.notes),
    ]


def called(modality: str, body_part: str) -> str:
    """What all outputs call the images."""
    return f"{modality} {body_part}" if body_part else tr("{modality} of no body part", modality=modality)


def _by_headers(found: ScanReport) -> list[str]:
    """What the images are called, and how many of their headers say what, in the standard's words."""
    if not found.images:
        return []
    modalities, body_parts = (
        tr(", ").join(f"{word or tr('none')} {count}" for word, count in words.items())
        for words in (found.modalities, found.body_parts)
    )
    headers = tr("modality {modalities}; body part {body_parts}", modalities=modalities, body_parts=body_parts)
    name = called(found.modality, found.body_part)
    return [tr("called {name}; by the images' headers: {headers}", name=name, headers=headers)]


def _classes(found: ScanReport) -> list[str]:
    """Names of few patients could point at one of them: they are counted only, as `prepare` refuses them."""
    known = found.classes
    each = [
        tr("{name} {images} images of {patients} patients", name=name, images=known.images[name], patients=count)
        for name, count in known.patients.items()
    ]
    if known.rare:
        each.append(
            tr(
                "{count} names of fewer than {fewest} patients, which are not shown",
                count=known.rare,
                fewest=SMALLEST_CLASS,
            )
        )
    return [tr("classes: {classes}", classes=tr("; ").join(each))] if each else []


def _cells(found: ScanReport, name: str) -> dict[str, int]:
    """Of a further column: cells that fit, say nothing or do not fit, and patients of whom it says two things."""
    return {**asdict(found.columns[name]), "contradicted": found.contradicted.get(name, 0)}


def _columns(found: ScanReport) -> list[str]:
    """One line a further column; nothing is said of what is not the case."""
    lines = []
    for name, counts in found.columns.items():
        torn = found.contradicted.get(name, 0)
        said = [
            (counts.empty, tr("{count} empty", count=counts.empty)),
            (counts.unknown, _undeclared(counts)),
            (counts.outside, tr("{count} out of range", count=counts.outside)),
            (torn, tr("{count} patients of whom it says different things", count=torn)),
        ]
        told = [tr("{count} cells fit", count=counts.fit), *(text for count, text in said if count)]
        lines.append(tr("column {name}: {cells}", name=name, cells=tr(", ").join(told)))
    return lines


def _undeclared(counts: CellCounts) -> str:
    """Cells that hold what was not declared, and how many of them nearly do not."""
    if not counts.near:
        return tr("{count} not declared", count=counts.unknown)
    return tr(
        "{count} not declared ({near} only by case, blanks or how a number is written)",
        count=counts.unknown,
        near=counts.near,
    )


def _sides(found: ScanReport) -> list[str]:
    if found.sides is None:
        return []
    low, middle, high = found.sides
    if low == high:
        return [tr("stored at {side} pixels a side", side=low)]
    return [tr("stored at {low} to {high} pixels a side, {middle} in the middle", low=low, high=high, middle=middle)]


def _chances(expected: Preflight | None, bands: Mapping[float, str]) -> list[str]:
    if expected is None:
        return []
    outlook = tr(", ").join(
        tr("{band} at {epsilon}", band=tr(band), epsilon=f"{epsilon:g}") for epsilon, band in bands.items()
    )
    return [
        tr(
            "with {members} members and {others} held back, a set that leaks nothing passes its audit with "
            "probability {chance} under the default policy",
            members=expected.members,
            others=expected.non_members,
            chance=f"{expected.chance:.2f}",
        ),
        tr("what noise leaves, by epsilon: {outlook} (see `privgan plan`)", outlook=outlook),
    ]
