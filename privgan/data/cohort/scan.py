"""What a source would give, without writing anything."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from privgan.data.identity import Identities, objections
from privgan.data.refusals import remedies
from privgan.data.sources.opening import disagreement, open_source, refusal_of, watched
from privgan.data.sources.source import Seen
from privgan.data.sources.wishes import Wishes
from privgan.progress import Progress, silent


@dataclass(frozen=True, kw_only=True)
class ScanReport:
    """What a source holds: files or rows looked at, how many gave an image, refusals by code, and patients.

    identity: what speaks against that patient numbers are people, by kind (see `identity`).
    """

    files: int
    readable: int
    images: int
    refused: dict[str, int]
    patients: int
    identity: dict[str, int]
    preset: str
    notes: tuple[str, ...]


def scan(source: Path, wishes: Wishes, progress: Progress = silent) -> ScanReport:
    """Read everything exactly as `prepare` would, and write nothing.

    Raises:
        UsageError, InputRejectedError: the source is missing, empty or no source; nothing readable is a result.
    """
    origin = open_source(source, wishes)
    refused, patients, seen, identities = Counter[str](), dict[str, int](), Seen(), Identities()
    readable = images = 0
    for entries in watched(origin, progress):
        code = refusal_of(entries[0], origin.declared)
        for entry in entries:
            seen.add(entry.remarks, entry.rows)
        if code:
            refused[code] += 1
        else:
            readable, images = readable + 1, images + len(entries)
            for entry in entries:
                number = patients.setdefault(entry.patient, len(patients))
                identities.add(number, map(_digest, entry.groups), map(_digest, entry.person))
    reason = disagreement(origin, refused, images)
    findings = identities.findings(list(patients), lambda number: number) if origin.numbered else {}
    objected = filter(None, (reason, objections(findings)))
    return ScanReport(
        files=origin.total,
        readable=readable,
        images=images,
        refused=dict(sorted(refused.items())),
        patients=len(patients),
        identity=findings,
        preset=origin.recipe.preset,
        notes=(*origin.notes(seen), *remedies(refused), *objected),
    )


def _digest(text: str) -> bytes:
    """Held instead of a header's value, for as long as the scan runs."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() if text else b""
