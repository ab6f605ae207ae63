"""What a source would give, without writing anything."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from privgan.data.refusals import remedies
from privgan.data.sources.opening import disagreement, open_source, refusal_of, watched
from privgan.data.sources.source import Seen
from privgan.data.sources.wishes import Wishes
from privgan.progress import Progress, silent


@dataclass(frozen=True, kw_only=True)
class ScanReport:
    """What a source holds: files or rows looked at, how many gave an image, refusals by code, and patients."""

    files: int
    readable: int
    images: int
    refused: dict[str, int]
    patients: int
    preset: str
    notes: tuple[str, ...]


def scan(source: Path, wishes: Wishes, progress: Progress = silent) -> ScanReport:
    """Read everything exactly as `prepare` would, and write nothing.

    Raises:
        UsageError, InputRejectedError: the source is missing, empty or no source; nothing readable is a result.
    """
    origin = open_source(source, wishes)
    refused, patients, seen = Counter[str](), set[str](), Seen()
    readable = images = 0
    for entries in watched(origin, progress):
        code = refusal_of(entries[0], origin.declared)
        for entry in entries:
            seen.add(entry.remarks, entry.rows)
        if code:
            refused[code] += 1
        else:
            readable, images = readable + 1, images + len(entries)
            patients.add(entries[0].patient)
    reason = disagreement(origin, refused, images)
    return ScanReport(
        files=origin.total,
        readable=readable,
        images=images,
        refused=dict(sorted(refused.items())),
        patients=len(patients),
        preset=origin.recipe.preset,
        notes=(*origin.notes(seen), *remedies(refused), *([reason] if reason else [])),
    )
