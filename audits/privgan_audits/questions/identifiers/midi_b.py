"""The findings in the words of a de-identification benchmark, for readers who know those better.

The categories are the actions by which the Medical Image De-Identification Benchmark scores a file (Rutherford et
al. 2025, arXiv:2507.23608). They were made for copies of real files; a synthetic file has no original, so each
row says what is asked of it instead, what makes it so, and whether that was searched, compared or not looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from privgan.data.identifiers import CATEGORIES, DATE, UID
from privgan.language import to_tr
from privgan_audits.questions.identifiers.contents.dicom_texts import FILES, TAG_RETAINED, TEXT_NOTNULL, TEXT_RETAINED

SEARCHED, COMPARED, NOT_LOOKED_AT = to_tr(("searched", "compared", "not looked at"))
Row = dict[str, str | int]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What was counted over a set.

    files: all that were searched. identifiers: places by category of identifier.
    kept: DICOM files compared with what privgan writes and what they lack, see `DicomTexts`.
    uids: DICOM files whose UIDs were compared, and how many disagree, see `UidCheck`.
    compared: DICOM files compared with the audited images. differences: see `AsAudited`; None for a foreign set.
    """

    files: int
    identifiers: Mapping[str, int]
    kept: Mapping[str, int]
    uids: tuple[int, int]
    compared: int
    differences: Mapping[str, int] | None


def midi_b(counts: Counts) -> dict[str, Row]:
    """One row a category: `checked` (files), `violations` (places or files), `basis` and `meaning`."""
    texts = sum(counts.identifiers.get(name, 0) for name in CATEGORIES if name not in (DATE, UID))
    return {
        "text_removed": _searched(
            counts,
            texts,
            to_tr("no name, number, place, device or comment of a patient; files are built from an allow-list"),
        ),
        "date_shifted": _searched(
            counts,
            counts.identifiers.get(DATE, 0),
            to_tr("no date of a patient; privgan writes the day of generation and 1900-01-01 alone"),
        ),
        "uid_changed": _searched(
            counts,
            counts.identifiers.get(UID, 0),
            to_tr("no UID of a source file; privgan draws every UID anew at random"),
        ),
        "uid_consistent": _compared(
            *counts.uids, to_tr("both SOP Instance UIDs of a file agree, and no UID is used twice")
        ),
        "patid_consistent": _audited(
            counts, "patient", to_tr("each file names the one invented patient of its number")
        ),
        **_kept(counts),
        "pixels_retained": _audited(counts, "pixels", to_tr("the pixels of each DICOM file are the audited ones")),
        "pixels_hidden": _row(
            0, 0, NOT_LOOKED_AT, to_tr("text painted into pixels: no character recognition is done")
        ),
    }


def _kept(counts: Counts) -> dict[str, Row]:
    meanings = to_tr(
        {
            TAG_RETAINED: "every element that privgan writes is there",
            TEXT_NOTNULL: "no text that privgan writes is empty",
            TEXT_RETAINED: "every text that privgan writes is unaltered",
        }
    )
    return {
        name: _compared(counts.kept.get(FILES, 0), counts.kept.get(name, 0), meaning)
        for name, meaning in meanings.items()
    }


def _searched(counts: Counts, violations: int, meaning: str) -> Row:
    return _row(counts.files, violations, SEARCHED, meaning)


def _audited(counts: Counts, difference: str, meaning: str) -> Row:
    return _compared(counts.compared, (counts.differences or {}).get(difference, 0), meaning)


def _compared(checked: int, violations: int, meaning: str) -> Row:
    return _row(checked, violations, COMPARED if checked else NOT_LOOKED_AT, meaning)


def _row(checked: int, violations: int, basis: str, meaning: str) -> dict[str, Any]:
    return {"checked": checked, "violations": violations, "basis": basis, "meaning": meaning}
