"""QIDO-RS (PS3.18 10.6): which instances an archive has, asked level by level and page by page.

Studies first, their series, and the instances of those: every archive understands that, while a question across
levels is an option of the standard.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from privgan.archive.access import read_secret
from privgan.archive.stopping import UnfinishedError
from privgan.archive.web import Answer, WebArchive, require_service
from privgan.errors import UsageError
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent

PAGE = 200
_PAGE_BYTES = 32 << 20
_JSON = "application/dicom+json, application/json"
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_STUDY, _SERIES, _INSTANCE = "0020000D", "0020000E", "00080018"
_OF_STUDY, _OF_SERIES = ("StudyDate", "StudyDescription"), ("Modality", "BodyPartExamined", "SeriesDescription")
_DATE = re.compile(r"[0-9]{8}(-([0-9]{8})?)?|-[0-9]{8}")
_LONGEST = 64
TASK = to_tr("Asking the archive")


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is looked for; sensitive, so its repr shows nothing. patients: numbers, none for all patients."""

    study: Mapping[str, str] = field(default_factory=dict, repr=False)
    series: Mapping[str, str] = field(default_factory=dict, repr=False)
    patients: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, words: Sequence[str], patients: Path | None) -> Self:
        """The query that was typed.

        Args:
            words: `KEY=VALUE` each; a value may hold the wildcards * and ?.
            patients: a file with one patient number a line, readable by its owner only.

        Raises:
            UsageError: another key, a value that no archive can match, or no such file.
        """
        pairs: dict[str, str] = {}
        for word in words:
            key, _, value = word.partition("=")
            if key in ("PatientID", "PatientName", "PatientBirthDate", "AccessionNumber"):
                raise UsageError(
                    "A command line is seen and remembered by others: what names a patient never stands in it. "
                    "Write patient numbers into a file, one a line, and name it with --patients."
                )
            if key not in _OF_STUDY + _OF_SERIES or key in pairs:
                raise UsageError(f"Expected --query KEY=VALUE once for one of {', '.join(_OF_STUDY + _OF_SERIES)}.")
            pairs[key] = _checked(key, value)
        study = {key: value for key, value in pairs.items() if key in _OF_STUDY}
        if "Modality" in pairs:
            study["ModalitiesInStudy"] = pairs["Modality"]
        series = {key: value for key, value in pairs.items() if key in _OF_SERIES}
        return cls(study=study, series=series, patients=_numbers(patients) if patients else ())

    def text(self) -> str:
        """All of it in one string, for the journal's digest."""
        return json.dumps([sorted(self.study.items()), sorted(self.series.items()), sorted(self.patients)])


@dataclass(frozen=True)
class Place:
    """Where an instance is in the archive; sensitive, so its repr shows nothing."""

    study: str = field(repr=False)
    series: str = field(repr=False)
    instance: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What was found. nameless: entries without an identifier by which they could be asked for."""

    places: tuple[Place, ...]
    nameless: int


def list_instances(archive: WebArchive, query: Query, limit: int | None, progress: Progress = silent) -> Listing:
    """Every instance that matches, once, in the archive's order, up to a limit.

    Raises:
        UsageError: the archive does not want to talk to us, or does not answer as a DICOMweb service does.
        UnfinishedError: the archive cannot go on now.
    """
    places: dict[Place, None] = {}
    nameless = 0
    studies = list(_studies(archive, query))
    for done, study in enumerate(studies, start=1):
        for place in _instances(archive, study, query.series):
            if place is None:
                nameless += 1
            else:
                places[place] = None
            if limit is not None and len(places) >= limit:
                return Listing(places=tuple(places), nameless=nameless)
        progress(tr(TASK), done, len(studies))
    return Listing(places=tuple(places), nameless=nameless)


def _studies(archive: WebArchive, query: Query) -> Iterator[str | None]:
    found: dict[str | None, None] = {}
    for patient in query.patients or (None,):
        wanted = {**query.study, **({"PatientID": patient} if patient else {})}
        found.update(dict.fromkeys(_pages(archive, f"{archive.address()}/studies", wanted, _STUDY)))
    return iter(found)


def _instances(archive: WebArchive, study: str | None, wanted: Mapping[str, str]) -> Iterator[Place | None]:
    if study is None:
        yield None
        return
    for series in _pages(archive, f"{archive.address(study)}/series", wanted, _SERIES):
        if series is None:
            yield None
            continue
        for instance in _pages(archive, f"{archive.address(study, series)}/instances", {}, _INSTANCE):
            yield None if instance is None else Place(study, series, instance)


def _pages(archive: WebArchive, url: str, wanted: Mapping[str, str], tag: str) -> Iterator[str | None]:
    """The identifiers in all pages of an answer, each once; None for an entry without one.

    Pages may be of any size. The end is an empty one, or one that brings nothing new: then the archive knows no pages
    and gave all it has, unless it says that there is more.

    Raises:
        UnfinishedError: it announced more than it gave.
    """
    seen: set[str] = set()
    offset, nameless, announced = 0, 0, 0
    while True:
        page, answer = _page(archive, url, {**wanted, "limit": str(PAGE), "offset": str(offset)})
        announced = max(announced, answer.total or 0)
        found = list(map(_identifier(tag), page))
        new = dict.fromkeys(uid for uid in found if uid is not None and uid not in seen)
        if new or not offset:
            yield from (*new, *[None] * found.count(None))
            seen.update(new)
            nameless += found.count(None)
        offset += len(page)
        if not new:
            break
    given = len(seen) + nameless
    if answer.more or given < announced:
        raise UnfinishedError(
            f"The archive has more than it gives: {given} entries of one list came, then nothing new"
            f"{f', of {announced} that it counts' if announced else ''}. Ask for less at once, for example --query "
            "StudyDate=YYYYMMDD-YYYYMMDD month by month into folders of their own."
        )


def _page(archive: WebArchive, url: str, query: Mapping[str, str]) -> tuple[list[Any], Answer]:
    answer = archive.get(url, _JSON, _PAGE_BYTES, query)
    if answer.status == 404 and url != f"{archive.address()}/studies":
        return [], answer  # it was removed since it was listed
    require_service(answer)
    if answer.status == 204 or (not answer.body and not answer.oversized):
        return [], answer
    try:
        page = json.loads(answer.body)
    except (ValueError, RecursionError):
        page = None
    if not isinstance(page, list):
        raise UsageError("Expected a list of what the archive has, its answer is none. Is this a DICOMweb service?")
    return page, answer


def _identifier(tag: str) -> "Any":
    def found(entry: Any) -> str | None:
        try:
            uid = entry[tag]["Value"][0]
        except (LookupError, TypeError):
            return None
        return uid if isinstance(uid, str) and len(uid) <= _LONGEST and _UID.fullmatch(uid) else None

    return found


def _checked(key: str, value: str) -> str:
    if key == "StudyDate" and not _DATE.fullmatch(value):
        raise UsageError("Expected StudyDate as YYYYMMDD, or a range YYYYMMDD-YYYYMMDD with one end open if need be.")
    if not value.strip() or len(value) > _LONGEST or not value.isprintable() or "\\" in value:
        raise UsageError(f"Expected 1 to {_LONGEST} printable characters without backslash for {key}.")
    return value


def _numbers(path: Path) -> tuple[str, ...]:
    try:
        lines = read_secret(path).decode().splitlines()
    except ValueError:
        raise UsageError(f"Expected UTF-8 in {path.name}.") from None
    numbers = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not numbers or any(len(number) > _LONGEST or re.search(r"[*?\\]", number) for number in numbers):
        raise UsageError(f"Expected patient numbers without wildcards in {path.name}, one a line.")
    return numbers
