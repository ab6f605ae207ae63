"""What a source would give, without writing anything."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from privgan.data.prepare_options import PrepareOptions
from privgan.data.sources import open_source, refusal_of, watched
from privgan.progress import Progress, silent


@dataclass(frozen=True, kw_only=True)
class ScanReport:
    """What a source holds: files or rows looked at, readable images, refusals by code, and patients."""

    files: int
    readable: int
    refused: dict[str, int]
    patients: int
    preset: str
    notes: tuple[str, ...]


def scan(source: Path, options: PrepareOptions, progress: Progress = silent) -> ScanReport:
    """Read everything exactly as `prepare` would, and write nothing.

    Raises:
        UsageError, InputRejectedError: the source is missing, empty or no source; nothing readable is a result.
    """
    origin = open_source(source, options.wishes)
    refused: Counter[str] = Counter()
    patients = set()
    for entry in watched(origin, progress):
        code = refusal_of(entry, origin.declared)
        if code:
            refused[code] += 1
        else:
            patients.add(entry.patient)
    return ScanReport(
        files=origin.total,
        readable=origin.total - refused.total(),
        refused=dict(sorted(refused.items())),
        patients=len(patients),
        preset=origin.recipe.preset,
        notes=origin.notes(),
    )
