"""What a source would give, without writing anything."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path

import numpy as np

from privgan.arrays import Integers
from privgan.data.cohort.classes import FoundClasses
from privgan.data.cohort.collect import SHARED
from privgan.data.cohort.records import contradicted
from privgan.data.cohort.records import objections as unfit
from privgan.data.columns import fitting_columns
from privgan.data.declared import CellCounts, Tally, out_of_reach
from privgan.data.identity import Identities, objections
from privgan.data.naming import Said, names_of
from privgan.data.pictures import Pictures
from privgan.data.refusals import remedies
from privgan.data.sources.opening import class_names, disagreement, open_source, refusal_of, watched
from privgan.data.sources.source import Seen
from privgan.data.sources.wishes import Wishes
from privgan.progress import Progress, silent
from privgan.records.schema import Schema


@dataclass(frozen=True, kw_only=True)
class ScanReport:
    """What a source holds: files or rows looked at, how many gave an image, refusals by code, and patients.

    identity: what speaks against that patient numbers are people, by kind (see `identity`). modalities, body_parts:
    images by what their headers say, under "" those that say nothing which DICOM defines. modality, body_part: what
    `prepare` would call all of them (see `naming`). numbered: whether anything says whose each image is.
    classes: those of the labels that may be said. columns: what the cells of each further column are.
    contradicted: patients by column of patients, of whom it says two things. sides: pixels of the longer side as
    stored, smallest, middle and largest; None if nothing is readable.
    """

    files: int
    readable: int
    images: int
    refused: dict[str, int]
    patients: int
    identity: dict[str, int]
    preset: str
    modalities: dict[str, int]
    body_parts: dict[str, int]
    modality: str
    body_part: str
    numbered: bool
    classes: FoundClasses
    columns: dict[str, CellCounts]
    contradicted: dict[str, int]
    sides: tuple[int, int, int] | None
    notes: tuple[str, ...]


def scan(source: Path, wishes: Wishes, progress: Progress = silent) -> ScanReport:
    """Read everything exactly as `prepare` would, write nothing, and look for text in the pixels of every file.

    Raises:
        UsageError, InputRejectedError: the source is missing, empty or no source; nothing readable is a result.
    """
    origin = open_source(source, replace(wishes, look_at_all=True))
    refused, numbers, seen, identities = Counter[str](), dict[str, int](), Seen(), Identities()
    pictures, rows, said = Pictures(), array("q"), list[Said]()  # file, patient, picture and side of every image
    labels, cells, tally = list[str](), list[tuple[str, ...]](), Tally.of(origin.columns)
    once: dict[tuple[str, ...], tuple[str, ...]] = {}  # the same cells are held once
    for file, entries in enumerate(watched(origin, progress)):
        code = refusal_of(entries[0], origin)
        refused[code] += bool(code)
        for entry in entries:
            seen.add(entry.remarks, entry.rows)
            tally.add(code, entry.columns)
            if not code and entry.image is not None:
                number = numbers.setdefault(entry.patient, len(numbers))
                identities.add(number, map(_digest, entry.groups), map(_digest, entry.person))
                rows.extend((file, number, pictures.add(entry.image, number), entry.side))
                said.append(entry.said)
                labels.append(entry.label)
                cells.append(once.setdefault(entry.columns, entry.columns))
    files, owners, places, sides = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    kept = ~pictures.nobodys(places)
    refused[SHARED] = int((~kept).sum())
    refused = +refused
    readable, images, patients = (len(np.unique(files[kept])), int(kept.sum()), len(np.unique(owners[kept])))
    reason = disagreement(origin, refused, images)
    findings = identities.findings(list(numbers), lambda number: number) if origin.numbered else {}
    spoken = list(compress(said, kept))
    names = names_of(wishes.selection, origin.recipe.rule, spoken, owners[kept].tolist())
    torn, unfitting = _records(origin.columns, list(compress(cells, kept)), owners[kept], list(numbers))
    wide = out_of_reach(origin.columns, len(class_names(compress(labels, kept), origin.declared)))
    objected = filter(None, (reason, objections(findings), names.doubt, wide, *tally.objections(), *unfitting))
    return ScanReport(
        files=origin.total,
        readable=readable,
        images=images,
        refused=dict(sorted(refused.items())),
        patients=patients,
        identity=findings,
        preset=origin.recipe.preset,
        modalities=dict(Counter(modality for modality, _ in spoken).most_common()),
        body_parts=dict(Counter(body_part for _, body_part in spoken).most_common()),
        modality=names.modality,
        body_part=names.body_part,
        numbered=origin.numbered,
        classes=FoundClasses.of(zip(compress(labels, kept), owners[kept].tolist(), strict=True)),
        columns=tally.counts(),
        contradicted=torn,
        sides=_spread(sides[kept]),
        notes=(*origin.notes(seen), *remedies(refused), *names.notes, *objected),
    )


def _records(
    types: Mapping[str, str], cells: Sequence[tuple[str, ...]], owners: Integers, keys: Sequence[str]
) -> tuple[dict[str, int], list[str]]:
    """Of how many patients a column of patients says two things, and why `prepare` would refuse columns."""
    schema, columns = Schema.of(types), fitting_columns(types, cells)
    torn = contradicted(schema, columns, owners, len(keys))
    counts = {name: int(some.sum()) for name, some in torn.items()}
    return counts, list(unfit(schema, columns, owners, keys))


def _spread(sides: Integers) -> tuple[int, int, int] | None:
    """Smallest, middle and largest."""
    if not sides.size:
        return None
    return int(sides.min()), int(np.median(sides)), int(sides.max())


def _digest(text: str) -> bytes:
    """Held instead of a header's value, for as long as the scan runs."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() if text else b""
