"""T10: does anything that would leave name a patient, or differ from what was audited?

Every byte below the synthetic folder is searched for the identifiers that `prepare` saw, or that the files of members
and non-members hold where there is no cohort. They are known here only as keyed digests. What is found is reported by
category and place, never by value: the report must not become the leak.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from privgan.data.identifiers import IdentifierDigests
from privgan.errors import IntegrityError
from privgan.files import open_regular
from privgan.folders import list_entries
from privgan.language import AS_WRITTEN, kept, speaking, to_tr, tr
from privgan.progress import Progress, silent
from privgan.synthetic.dicom.validator import MOST_FILES, complaints
from privgan.synthetic.synthetic_set import LABELS, RECORDS
from privgan_audits.evidence.interface import Evidence, Measured, NotApplicable, NotRun, Outcome, Sample
from privgan_audits.evidence.whose import identifiers_of, no_identifiers
from privgan_audits.questions.identifiers.arrangement import arrangement
from privgan_audits.questions.identifiers.as_audited import AsAudited
from privgan_audits.questions.identifiers.contents.dicom_alike import Reader
from privgan_audits.questions.identifiers.contents.dicom_elements import is_dicom
from privgan_audits.questions.identifiers.contents.dicom_texts import DicomTexts
from privgan_audits.questions.identifiers.contents.entries import entry_pieces
from privgan_audits.questions.identifiers.contents.files import file_pieces, opening_of
from privgan_audits.questions.identifiers.contents.pieces import (
    BYTES,
    UNREADABLE,
    Knows,
    Opening,
    Piece,
    anything,
)
from privgan_audits.questions.identifiers.contents.text_encodings import unfolded
from privgan_audits.questions.identifiers.dicom_uids import UidCheck
from privgan_audits.questions.identifiers.lettering import lettering
from privgan_audits.questions.identifiers.lookup import Lookup
from privgan_audits.questions.identifiers.midi_b import Counts, midi_b
from privgan_audits.questions.identifiers.own_writing import OwnWriting
from privgan_audits.questions.identifiers.words import told

DIFFERENCES = "not_as_audited"
_MOST_PLACES = 20
_PROGRESS_EVERY = 50


def measure(evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
    """Search every file; only the order of a set needs randomness.

    Findings: `identifiers_found` (places where a known identifier stands), `by_category`,
    `places` (up to 20, each file, kind and category), `files`, `known_identifiers` (how many digests were
    looked for), `structure` (how many files have each oddity, see `DicomTexts`), `validator_complaints` (of the
    system's DICOM validator about the first files of a privgan set, None where there is none; for information only,
    because validators differ), `unreadable_entries` (links
    and other things that are not regular files, members of archives that cannot be opened), `midi_b` (the same and
    more in the categories of a benchmark, see `midi_b`) and, of a privgan set alone, `not_as_audited` (how many files
    differ from the audited arrays, see `AsAudited`). `structure` and `not_as_audited` need no identifiers: they are
    told and judged without any as well, and so are `arrangement` and `lettering`, which nobody judges.
    """
    unjudged = {"arrangement": arrangement(evidence, rng), "lettering": lettering(evidence, progress)}
    match searched(evidence, progress):
        case NotRun() as outcome:
            return outcome
        case NotApplicable(reason=reason, findings=findings):
            with speaking(AS_WRITTEN):  # as records are kept
                reasons = (reason, *told(unjudged))
            return NotApplicable(reason=" ".join(reasons), findings={**findings, **unjudged})
        case Measured(findings=findings):
            return Measured(findings={**findings, **unjudged})


def searched(evidence: Evidence, progress: Progress = silent) -> Outcome:
    """What `measure` judges of a set: the search and the comparison, exact and without randomness."""
    scan = _Scan(evidence.synthetic_folder, evidence.synthetic)
    try:
        known = identifiers_of(evidence.cohort) if evidence.cohort else evidence.identifiers or no_identifiers()
    except IntegrityError:
        return NotRun(reason=to_tr("The cohort's key or its identifier digests cannot be read."))
    scan.run(known, progress)
    if evidence.cohort is None and not len(known):
        return NotApplicable(reason=_nobody_named(scan), findings=scan.form())
    return Measured(findings={**scan.findings(), "known_identifiers": len(known)})


def _nobody_named(scan: "_Scan") -> str:
    form = scan.form()
    looked = kept(
        "The files of members and non-members name nobody in a way that could be looked for. The structure of "
        "{count} files was looked at (files each): {kinds}.",
        count=scan.files,
        kinds=_listed(form["structure"]),
    )
    if DIFFERENCES not in form:
        return looked
    return f"{looked} {kept('What differs from the audited images: {kinds}.', kinds=_listed(form[DIFFERENCES]))}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or to_tr("nothing")


class _Scan:
    """One pass over a folder (or a single file)."""

    def __init__(self, root: Path, audited: Sample) -> None:
        self.files = 0
        self._root = root
        self._knows: Knows = anything
        self._own = OwnWriting(root)
        self._reader = Reader()
        self._dicom = DicomTexts(self._own)
        self._as_audited = AsAudited(self._own.manifest, self._own.listed, audited) if self._own.manifest else None
        self._uids = UidCheck()
        self._validated: list[Path] = []
        self._unreadable = 0
        self._categories: Counter[str] = Counter()
        self._places: list[dict[str, str]] = []

    def form(self) -> dict[str, dict[str, int]]:
        """What can be told of the files without knowing an identifier; call it after `run`."""
        structure = {"structure": dict(sorted(self._dicom.structure.items()))}
        return structure | ({DIFFERENCES: self._as_audited.differences()} if self._as_audited else {})

    def findings(self) -> dict[str, object]:
        return {
            "identifiers_found": self._categories.total(),
            "by_category": dict(sorted(self._categories.items())),
            "places": self._places,
            "files": self.files,
            **self.form(),
            "validator_complaints": complaints(self._validated) if self._validated else None,
            "unreadable_entries": self._unreadable,
            "midi_b": midi_b(self._counts()),
        }

    def _counts(self) -> Counts:
        audited = self._as_audited
        return Counts(
            files=self.files,
            identifiers=self._categories,
            kept=self._dicom.kept,
            uids=(self._uids.files, self._uids.disagreeing),
            compared=audited.dicom_files if audited else 0,
            differences=audited.differences() if audited else None,
        )

    def run(self, digests: IdentifierDigests, progress: Progress) -> None:
        paths = [self._root] if self._root.is_file() else list_entries(self._root)
        look_up = Lookup(digests)
        self._knows = look_up.knows
        for number, path in enumerate(paths, start=1):
            name = path.name if path == self._root else path.relative_to(self._root).as_posix()
            self._search(name, self._pieces(path, name), look_up, number)
            if number % _PROGRESS_EVERY == 0 or number == len(paths):
                progress(tr("searching for identifiers"), number, len(paths))

    def _pieces(self, path: Path, name: str) -> Iterator[Piece]:
        for piece in entry_pieces(path, name, self._own):
            yield from unfolded(piece, opening_of(b"", self._knows))
        if path.is_dir() and not path.is_symlink():
            return
        self.files += 1
        try:
            with open_regular(path) as stream:
                content: bytes = stream.read()
        except IntegrityError:
            self._unreadable += 1
            return
        yield from self._content(name, content)

    def _content(self, name: str, content: bytes) -> Iterator[Piece]:
        opening = opening_of(content, self._knows)
        for piece in self._unexplained(name, content, opening):
            yield from unfolded(piece, opening)

    def _unexplained(self, name: str, content: bytes, opening: Opening) -> Iterator[Piece]:
        """Everything in a file that is not demonstrably privgan's own writing."""
        file = self._reader.parsed(content, opening) if is_dicom(content) else None
        if file and self._own.manifest and len(self._validated) < MOST_FILES:
            self._validated.append(self._root / name)
        if self._as_audited:
            self._as_audited.see(name, content, file.dataset if file else None)
            if file:
                self._uids.see(file.dataset)
        if is_dicom(content):
            yield from self._dicom.pieces(content, file, opening)
        elif not self._own.wrote_file(name, content):
            cells = _cells(content) if name in (LABELS, RECORDS) else None
            for piece in cells or file_pieces(content, opening):
                if not (self._own.wrote(piece.text) or self._own.named(piece.text)):
                    yield piece

    def _search(self, name: str, pieces: Iterator[Piece], look_up: Lookup, number: int) -> None:
        seen: set[tuple[str, str]] = set()
        for piece in pieces:
            self._unreadable += piece.kind == UNREADABLE
            for category in look_up(piece):
                again = {kind for kind, known in seen if known == category}
                # The bytes of a file only repeat what an element of it has said already.
                if piece.kind in again or (again and piece.kind.startswith(BYTES)):
                    continue
                seen.add((piece.kind, category))
                self._report(name, piece.kind, category, number)

    def _report(self, name: str, kind: str, category: str, number: int) -> None:
        self._categories[category] += 1
        if len(self._places) < _MOST_PLACES:
            # A name that privgan did not give may itself be the leak.
            file = name if self._own.named(name) else kept("entry {number}", number=number)
            self._places.append({"file": file, "kind": kind, "category": category})


def _cells(content: bytes) -> list[Piece] | None:
    """The cells of labels.csv or records.csv, each explained or searched by itself; None when it is no such file."""
    try:
        rows = [*csv.reader(io.StringIO(content.decode(), newline=""))]
    except (csv.Error, UnicodeDecodeError):
        return None
    return [Piece("cell", cell) for row in rows for cell in row]
