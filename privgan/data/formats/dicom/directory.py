"""A DICOMDIR: the table of contents of a CD or an export (PS3.10 section 8), as a list of relative paths.

It is as hostile as any file, and it names other files: what it says is looked up in a listing of its own folder, so
that it can never point anywhere else.
"""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from privgan.data.formats.isolation import Job, run_isolated
from privgan.data.refusals import RefusedError, open_input
from privgan.errors import InputRejectedError

NAME = "DICOMDIR"
_HANDLER = "privgan.data.formats.dicom.directory:handler"
_TAGS = frozenset((0x00041220,))  # Directory Record Sequence
_DIRECTORY = "1.2.840.10008.1.3.10"  # Media Storage Directory Storage
_MAX_BYTES = 128 << 20
_MOST_PARTS = 8  # PS3.10 section 8.2


def listed_files(directory: Path, files: Sequence[Path]) -> tuple[list[Path], int]:
    """Which of some files a DICOMDIR lists, in the order of `files`, and how many it lists that are not there.

    Args:
        directory: the DICOMDIR.
        files: everything below its folder.

    Raises:
        InputRejectedError: it is none, or it is damaged.
    """
    (answer,) = run_isolated(Job(target=_HANDLER, configuration=""), [os.fsencode(directory)])
    try:
        records = {tuple(map(str, parts)) for parts in json.loads(answer)}
    except (ValueError, TypeError):
        raise InputRejectedError("Expected a DICOMDIR, the file is something else or damaged.") from None
    names = {_folded(path.relative_to(directory.parent).parts): path for path in files}
    found = {names[_folded(parts)] for parts in records if _folded(parts) in names}
    return [path for path in files if path in found], len(records) - len(found)


def handler(_configuration: str) -> Callable[[bytes], bytes]:
    """The isolated worker's function: from the bytes of a path to a JSON list of lists of path components."""

    def answer(path: bytes) -> bytes:
        try:
            return json.dumps(_records(Path(os.fsdecode(path)))).encode()
        except Exception:  # noqa: BLE001 - hostile bytes may raise anything
            return b"null"

    return answer


def _records(path: Path) -> list[list[str]]:
    from privgan.data.formats.dicom.parsing import parse  # by the worker alone, as what reads files
    from privgan.data.formats.dicom.values import items_of, values_of

    with open_input(path, _MAX_BYTES) as stream:
        parsed = parse(stream, _TAGS)
        if parsed.sop_class != _DIRECTORY:
            raise RefusedError("not_dicom")
        listed = items_of(parsed.dataset, "DirectoryRecordSequence")
        records = [values_of(record, "ReferencedFileID") for record in listed]
    return [parts for parts in records if 0 < len(parts) <= _MOST_PARTS]


def _folded(parts: Sequence[str]) -> tuple[str, ...]:
    """File IDs are capitals, but many a system mounts a CD in small letters."""
    return tuple(part.casefold() for part in parts)
