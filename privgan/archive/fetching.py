"""WADO-RS (PS3.18 10.4): a folder of DICOM files from an archive, byte for byte, without looking into one of them.

They are patients' images, and hostile until `prepare` reads them in its isolated workers. Files are numbered in the
order of their arrival, because every other name would be an identifier.
"""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from privgan.archive.journal import Journal
from privgan.archive.multipart import DICOM, DamagedError, only_file
from privgan.archive.query import Place, Query, list_instances
from privgan.archive.stopping import UnfinishedError, ended_by_sigterm
from privgan.archive.web import WebArchive
from privgan.errors import UsageError
from privgan.files import write_bytes
from privgan.folders import PRIVATE_FOLDER, remove_partials
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent

_ACCEPT = f'multipart/related; type="{DICOM}"; transfer-syntax=*'  # as it is stored, whatever that is
_AROUND_BYTES = 1 << 14  # a boundary twice and a part's headers
TASK = to_tr("Fetching images")


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What one run of `fetch` did.

    found: instances that match, up to the limit. fetched, fetched_before: files, of this run and of earlier ones.
    fetched_bytes: of this run. not_given: instances by the reason why there is no file of them.
    """

    found: int
    fetched: int
    fetched_before: int
    fetched_bytes: int
    not_given: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to fetch. limit: at most so many instances. largest_bytes: of one file; a larger one is not taken."""

    query: Query
    limit: int | None
    largest_bytes: int

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"Expected --limit of at least 1, got {self.limit}.")


def journal_of(folder: Path) -> Path:
    """Where the journal of a folder is: beside it, because whatever is in it will be read as an image."""
    place = folder.resolve()
    return place.with_name(f"{place.name}.fetched.jsonl")


def fetch(
    archive: WebArchive, folder: Path, wanted: Wanted, *, resume: bool = False, progress: Progress = silent
) -> Fetched:
    """Fetch every instance that matches into 000001.dcm, 000002.dcm and so on.

    Args:
        archive: the service.
        folder: a new or empty one; with `resume` one that an earlier run began.
        wanted: what is looked for.
        resume: go on with what is missing.
        progress: told of every study that is listed, and of every instance.

    Raises:
        UsageError: the folder is in use, another question was begun in it, or the archive does not want us.
        UnfinishedError: the archive cannot go on now, or SIGTERM arrived; a run with `resume` continues.
    """
    require_place(folder, resume=resume)
    subject = f"fetch {archive.address()} {wanted.query.text()}"
    with Journal.opened(journal_of(folder), subject) as journal, ended_by_sigterm():
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        folder.chmod(PRIVATE_FOLDER)
        remove_partials(folder)
        before = len(journal.done)
        try:
            return _fetch_all(archive, folder, wanted, journal, progress)
        except UnfinishedError as error:
            here = len(journal.done) - before
            raise UnfinishedError(
                f"{error} {here} files were fetched now, {before} before. The same command with --resume goes on."
            ) from None


def _fetch_all(archive: WebArchive, folder: Path, wanted: Wanted, journal: Journal, progress: Progress) -> Fetched:
    listing = list_instances(archive, wanted.query, wanted.limit, progress)
    not_given = Counter({"no_identifier": listing.nameless} if listing.nameless else {})
    fetched = before = size = 0
    for done, place in enumerate(listing.places, start=1):
        name = journal.digest(place.instance)
        if name in journal.done:
            before += 1
        else:
            content, reason = _ask_for(archive, place, wanted.largest_bytes)
            if reason:
                not_given[reason] += 1
            else:
                write_bytes(folder / f"{len(journal.done) + 1:06d}.dcm", content)
                journal.add(name)
                fetched, size = fetched + 1, size + len(content)
        progress(tr(TASK), done, len(listing.places))
    return Fetched(
        found=len(listing.places) + listing.nameless,
        fetched=fetched,
        fetched_before=before,
        fetched_bytes=size,
        not_given=dict(sorted(not_given.items())),
    )


def _ask_for(archive: WebArchive, place: Place, largest_bytes: int) -> tuple[bytes, str]:
    """The bytes of an instance, or the reason why there are none."""
    url = archive.address(place.study, place.series, place.instance)
    answer = archive.get(url, _ACCEPT, largest_bytes + _AROUND_BYTES)
    if answer.status >= 500:
        return b"", "archive_failed"
    if answer.status not in (200, 206):
        return b"", {403: "forbidden", 404: "not_found", 410: "not_found"}.get(answer.status, "refused")
    if answer.oversized:
        return b"", "too_large"
    try:
        content = only_file(answer.content_type, answer.body)
    except DamagedError:
        return b"", "damaged_answer"
    return (b"", "too_large") if len(content) > largest_bytes else (content, "")


def require_place(folder: Path, *, resume: bool) -> None:
    """Refuse a folder that is in use, or with `resume` one that no fetch began.

    Raises:
        UsageError: it is so.
    """
    begun = os.path.lexists(journal_of(folder))
    if not folder.parent.is_dir():
        raise UsageError(f"Expected an existing folder to write into, {folder.parent} is missing.")
    if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir()):
        raise UsageError(f"Expected a new folder, {folder} exists and is not a folder.")
    used = folder.is_dir() and any(folder.iterdir())
    if resume and not begun:
        raise UsageError(f"Expected a folder that an earlier fetch began, {journal_of(folder)} is missing.")
    if not resume and (used or begun):
        raise UsageError(
            f"Expected a new folder, {folder} or its journal exists. Choose another name, or go on with --resume."
        )
