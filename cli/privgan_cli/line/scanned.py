"""What `scan` answers, as an object and in words; never a name of a file, nor a class name that few patients have."""

from collections.abc import Mapping
from typing import Any

from privgan.data.cohort.classes import SMALLEST_CLASS
from privgan.data.cohort.scan import ScanReport
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
        "sides": found.sides,
        "chance": expected.chance if expected else None,
        "outlook": {f"{epsilon:g}": band for epsilon, band in outlook.items()},
        "notes": list(found.notes),
    }


def in_words(found: ScanReport, expected: Preflight | None, outlook: Mapping[float, str]) -> list[str]:
    """The same for people."""
    held = f"{found.images} images of {found.patients} patients, preset {found.preset}"
    return [
        f"{found.readable} of {found.files} files readable: {held}",
        *(f"  {count:6d}  {code}" for code, count in found.refused.items()),
        f"called {called(found.modality, found.body_part)}; {_by_headers(found)}",
        *_classes(found),
        *_sides(found),
        *_chances(expected, outlook),
        *found.notes,
    ]


def called(modality: str, body_part: str) -> str:
    """What all outputs call the images."""
    return f"{modality} {body_part or 'of no body part'}"


def _by_headers(found: ScanReport) -> str:
    """How many images' headers say what, in the standard's words."""
    said = {"modality": found.modalities, "body part": found.body_parts}
    counts = {
        what: ", ".join(f"{word or 'none'} {count}" for word, count in words.items()) for what, words in said.items()
    }
    return f"by the images' headers: {'; '.join(f'{what} {each}' for what, each in counts.items())}"


def _classes(found: ScanReport) -> list[str]:
    """Names of few patients could point at one of them: they are counted only, as `prepare` refuses them."""
    known = found.classes
    each = [f"{name} {known.images[name]} images of {count} patients" for name, count in known.patients.items()]
    rare = [f"{known.rare} names of fewer than {SMALLEST_CLASS} patients, which are not shown"] if known.rare else []
    return [f"classes: {'; '.join([*each, *rare])}"] if each or rare else []


def _sides(found: ScanReport) -> list[str]:
    if found.sides is None:
        return []
    low, middle, high = found.sides
    return [
        f"stored at {low} pixels a side"
        if low == high
        else f"stored at {low} to {high} pixels a side, {middle} in the middle"
    ]


def _chances(expected: Preflight | None, bands: Mapping[float, str]) -> list[str]:
    if expected is None:
        return []
    split = f"with {expected.members} members and {expected.non_members} held back"
    outlook = ", ".join(f"{band} at {epsilon:g}" for epsilon, band in bands.items())
    return [
        f"{split}, a set that leaks nothing passes its audit with probability {expected.chance:.2f}",
        f"what noise leaves, by epsilon: {outlook} (see `privgan plan`)",
    ]
