"""From a source to a folder of restored images: some at a time, so that memory does not grow with the source."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path

import numpy as np

from privgan import __version__
from privgan.arrays import Images
from privgan.data.sources.file_source import FileSource
from privgan.data.sources.npz_source import NpzSource
from privgan.data.sources.opening import reject_nothing_readable, watched
from privgan.data.sources.source import Entry, Seen, Source
from privgan.errors import UsageError
from privgan.files import write_json
from privgan.images.stored import with_channels
from privgan.kinds import RESTORED
from privgan.language import to_tr
from privgan.progress import Progress, silent
from privgan_uses.restoring.applying.instances import InstanceWriter
from privgan_uses.restoring.applying.opening import open_images, require_known, shown_side
from privgan_uses.restoring.applying.writing import NpzWriter, PngWriter, Writer
from privgan_uses.restoring.damage import Coarse, enlarged
from privgan_uses.restoring.model import NOT_FOR_DIAGNOSIS, Restorer

SCHEMA_VERSION = 1
PATIENT_DATA = to_tr("These are patients' images as much as those that they were made of: keep them as those.")
_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class Asked:
    """preset: of how images are read, where it is not the usual one. resize: images of other sizes are brought to
    the model's.
    """

    preset: str | None = None
    resize: bool = False


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What became of a source. refused: files by reason code. notes: what to know of how it was read."""

    images: int
    refused: dict[str, int]
    notes: tuple[str, ...]


def require_apart(source: Path, target: Path) -> None:
    """Refuse to write where the source is, above it or below it.

    Raises:
        UsageError: it would be.
    """
    one, two = source.resolve(), target.resolve()
    if one == two or one in two.parents or two in one.parents:
        raise UsageError(f"Expected another place for restored images than the source's, got {target}.")


def apply_restorer(
    model: Restorer,
    source: Path,
    folder: Path,
    asked: Asked,
    today: date,
    progress: Progress = silent,
) -> Applied:
    """Restore every image of a source into an empty, private folder; the source is only read. today: in UTC.

    Raises:
        UsageError, InputRejectedError: see `opening`; or not one image can be used.
    """
    facts = model.facts
    opened = open_images(source, facts.form, facts.damage, preset=asked.preset)
    writer = _writer(opened, source, model, folder, resized=asked.resize)
    done, refused, seen = 0, Counter[str](), Seen()
    good = _usable(opened, model, asked, progress, lambda entry: _count(entry, refused, seen))
    for some in _batches(good):
        for (entry, _), image in zip(some, _restored(model, [image for _, image in some]), strict=True):
            writer.put(entry, image)
        done += len(some)
    if not done:
        raise reject_nothing_readable(dict(refused))
    writer.close()
    found = Applied(images=done, refused=dict(refused), notes=opened.notes(seen))
    write_json(folder / RESTORED.marker, _said(model, found, today))
    return found


def _said(model: Restorer, found: Applied, today: date) -> dict[str, object]:
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "restored",
        "privgan_version": __version__,
        "created": today.isoformat(),
        "model_sha256": model.sha256,
        "task": model.facts.task,
        "images": found.images,
        "refused": found.refused,
        "terms": list(model.facts.terms),
        "intended_use": NOT_FOR_DIAGNOSIS,
        "contents": PATIENT_DATA,
    }


def _count(entry: Entry, refused: Counter[str], seen: Seen) -> None:
    seen.add(entry.remarks, entry.rows)
    if entry.code:
        refused[entry.code] += 1


def _usable(
    opened: Source, model: Restorer, asked: Asked, progress: Progress, hear: Callable[[Entry], None]
) -> Iterator[tuple[Entry, Images]]:
    """Entries with their images (h, h, c); others are only heard of."""
    form, side = model.facts.form, shown_side(model.facts.form, model.facts.damage)
    for entry in chain.from_iterable(watched(opened, progress)):
        require_known(entry, form, side, resize=asked.resize)
        hear(entry)
        if entry.image is not None and not entry.code:
            yield entry, entry.image


def _batches(entries: Iterable[tuple[Entry, Images]]) -> Iterator[list[tuple[Entry, Images]]]:
    some: list[tuple[Entry, Images]] = []
    for each in entries:
        some.append(each)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _restored(model: Restorer, stored: list[Images]) -> Images:
    images = with_channels(np.stack(stored))
    damage = model.facts.damage
    return model.restored(enlarged(images, damage) if isinstance(damage, Coarse) else images)


def _writer(opened: Source, source: Path, model: Restorer, folder: Path, *, resized: bool) -> Writer:
    if isinstance(opened, NpzSource):
        return NpzWriter(folder, model, opened.total)
    if isinstance(opened, FileSource) and opened.names_patients:  # of the formats of files DICOM alone does
        root = source if source.is_dir() else source.parent
        return InstanceWriter(folder, root, model, resized=resized)
    return PngWriter(folder, model)
