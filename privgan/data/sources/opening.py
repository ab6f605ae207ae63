"""One way to read images, whatever they come in: a folder of DICOM files, volumes or pictures, or an .npz.

Everything downstream sees a stream of entries in source order: an image with its patient and label, or a refusal.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Integers, Values
from privgan.data.columns import columns_of
from privgan.data.formats.dicom.directory import NAME as DICOMDIR
from privgan.data.formats.dicom.directory import listed_files
from privgan.data.naming import Names, names_of
from privgan.data.refusals import remedies
from privgan.data.sources.file_list import FileList
from privgan.data.sources.file_source import FileSource
from privgan.data.sources.npz_source import NpzSource
from privgan.data.sources.source import Entry, Seen, Source
from privgan.data.sources.wishes import Wishes
from privgan.errors import InputRejectedError, UsageError
from privgan.images.stored import with_channels
from privgan.kinds import BUNDLE, SET, require_no_kind
from privgan.language import kept, to_tr, tr
from privgan.progress import Progress, silent

OTHER_MODALITY = "other_modality"
ONLY_CLASS = "image"  # where nothing has a label
TASK = to_tr("Reading images")
_REPORTED_EVERY = 32

Hear = Callable[[Entry], None]


@dataclass(frozen=True, kw_only=True)
class LoadedImages:
    """All images of a source in memory; sensitive, so its repr shows counts only.

    images: uint8 (n, size, size, c). labels: int64 (n,), numbers into classes. patients: int64 (n,), 0..p-1 in order
    of first appearance, numbers into patient_keys. numbered: the source says whose each image is. columns: further
    ones (n,) by name. names: what the images are called. refused: images by reason code. notes: what a report must
    say.
    """

    images: NDArray[np.uint8]
    labels: Integers
    patients: Integers
    patient_keys: tuple[str, ...]
    numbered: bool
    classes: tuple[str, ...]
    names: Names
    refused: dict[str, int]
    columns: Mapping[str, Values]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"LoadedImages({len(self.images)} images, {len(self.patient_keys)} patients)"


def nobody(_: Entry) -> None:
    """Nobody listens to what the files say beside their images."""


def open_source(path: Path, wishes: Wishes) -> Source:
    """Find out what a path holds and how it will be read.

    Raises:
        UsageError: the path is missing, or a folder of privgan's own, or the wishes do not fit it.
        InputRejectedError: an empty folder, or not a source at all.
    """
    require_no_kind(path, but=(SET, BUNDLE), what="a folder of images")
    if path.is_dir():
        files = FileList.found(path)
        if not files:
            raise InputRejectedError("Expected images, the source folder is empty.")
        return FileSource(path, files, wishes)
    if not path.exists():
        raise UsageError(f"Expected a folder, a DICOMDIR or an .npz file, {path} is missing.")
    if path.suffix.lower() == ".npz":
        return NpzSource(path.resolve(), wishes)
    if not path.name.upper().startswith(DICOMDIR):
        raise InputRejectedError("Expected a folder of DICOM, NIfTI, PNG or JPEG files, a DICOMDIR, or one .npz.")
    listed, missing = listed_files(path, FileList.found(path.parent))
    if not listed:
        raise InputRejectedError("Expected a DICOMDIR that lists files beside it, there is none of them.")
    names = [file.relative_to(path.parent).as_posix() for file in listed]
    return FileSource(path.parent, FileList(path.parent, names), wishes, missing=missing)


def watched(source: Source, progress: Progress, start: int = 0) -> Iterator[tuple[Entry, ...]]:
    """The entries of each file or row together, from number `start` on, now and then reported to `progress`.

    All images of a file have one patient and one label: a file is refused once, however many images it holds.
    """
    for done, (_, group) in enumerate(groupby(source.entries(start), lambda entry: entry.where), start + 1):
        if done % _REPORTED_EVERY == 0 or done == source.total:
            progress(tr(TASK), done, source.total)
        entries = tuple(group)
        yield entries[:1] if refusal_of(entries[0], source) else entries


def class_names(labels: Iterable[str], declared: tuple[str, ...]) -> tuple[str, ...]:
    """The declared classes, or those found: numbers in order, then texts; one class where nothing has a label."""
    found = set(labels) - {""}
    if declared:
        return declared
    return tuple(sorted(found, key=_class_order)) or (ONLY_CLASS,)


def refusal_of(entry: Entry, source: Source) -> str:
    """Why an entry cannot be used, its label and what was declared of its columns included; empty when it can."""
    return entry.code or _unlabelled(entry.label, source.declared) or source.records.refuse(entry.columns)


def _unlabelled(label: str, declared: tuple[str, ...]) -> str:
    if not declared or label in declared or (len(declared) == 1 and not label):
        return ""
    return "unknown_class" if label else "missing_label"


def disagreement(source: Source, refused: Mapping[str, int], fitting: int) -> str:
    """Why nobody but the user can choose the preset; empty where it was named, or all images agree.

    The first readable file proposes it, and whoever's file that is must not decide for everybody: if the others
    agree, any of them would have proposed the same.

    Args:
        source: as it was read, all of it.
        refused: how many files by reason.
        fitting: images that could be used.
    """
    others = refused.get(OTHER_MODALITY, 0) if source.chosen else 0
    if not others:
        return ""
    return kept(
        "Expected files of one kind where no --preset is named: {fitting} images fit {preset}, {others} files are of "
        "a modality that it does not admit. Name the preset: then they are left out. Or choose them by --modality.",
        fitting=fitting,
        preset=source.recipe.preset,
        others=others,
    )


def reject_nothing_readable(refused: dict[str, int], *hints: str) -> InputRejectedError:
    """The error of a source in which not one image can be used: counts by reason, and what else is known."""
    counts = ", ".join(f"{code}: {count}" for code, count in sorted(refused.items()))
    said = (
        kept("Expected readable images, every file was refused ({counts}).", counts=counts),
        *hints,
        *remedies(refused),
    )
    return InputRejectedError(" ".join(filter(None, said)))


def read_images(path: Path, wishes: Wishes, *, hear: Hear = nobody, progress: Progress = silent) -> LoadedImages:
    """Read a whole source into memory.

    Args:
        path: a folder of images or an .npz file.
        wishes: how; without a label table `labels.csv` at the top of a folder is taken, if there is one.
        hear: called with every entry, refused ones too. Sensitive: it may keep digests only.
        progress: told after every file.

    Raises:
        UsageError: the path is missing, or size, preset or table do not fit it.
        InputRejectedError: not one image can be used, or no preset was named and they disagree on it.
    """
    source = open_source(path, wishes)
    images, labels, further, said, refused = [], [], [], [], Counter[str]()
    numbers: dict[str, int] = {}
    patients, seen = [], Seen()
    for entry in chain.from_iterable(watched(source, progress)):
        hear(entry)
        seen.add(entry.remarks, entry.rows)
        code = refusal_of(entry, source)
        if code or entry.image is None:
            refused[code] += 1
            continue
        images.append(entry.image)
        labels.append(entry.label)
        further.append(entry.columns)
        said.append(entry.said)
        patients.append(numbers.setdefault(entry.patient, len(numbers)))
    if not images:
        raise reject_nothing_readable(refused)
    if reason := disagreement(source, refused, len(images)):
        raise InputRejectedError(reason)
    classes = class_names(labels, source.declared)
    return LoadedImages(
        images=with_channels(np.stack(images)),
        labels=np.array([classes.index(label) if label else 0 for label in labels], dtype=np.int64),
        patients=np.array(patients, dtype=np.int64),
        patient_keys=tuple(numbers),
        numbered=source.numbered,
        classes=classes,
        names=names_of(wishes.selection, source.recipe.rule, said, patients),
        refused=dict(refused),
        columns=columns_of(source.columns, further),
        notes=source.notes(seen),
    )


def _class_order(label: str) -> tuple[int, int, str]:
    return (0, int(label), "") if label.isascii() and label.isdigit() else (1, 0, label)
