"""From a finished run to a synthetic set: everything here is post-processing and costs no privacy.

Only the released generator and public facts of the run are read; the run's private folder, the cohort and the
patients' images are out of reach.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from privgan.checks import one_of
from privgan.errors import PrivganError, UsageError
from privgan.folders import require_space
from privgan.images.form import ImageForm
from privgan.language import AS_WRITTEN, language
from privgan.progress import Progress, silent
from privgan.records.condition import EVERYTHING
from privgan.synthetic.class_shares import UNIFORM
from privgan.synthetic.dicom.form import MATCHED, SECONDARY_CAPTURE, SOP_CLASSES, resolved
from privgan.synthetic.drawing import Asked, Drawing, finished
from privgan.synthetic.records_drawing import Wanted
from privgan.synthetic.seed import Seed
from privgan.synthetic.sequences import visits_of
from privgan.synthetic.set_files import DICOM, FORMATS, PNG, SetFiles
from privgan.synthetic.synthetic_set import Manifest, seal

if TYPE_CHECKING:
    from privgan.gan.ranks.ranks import Ranks

_BLOCK_BYTES = 4096
_DICOM_HEADER_BYTES = 2048
_SHEET_TILES = 130  # about so many tiles are a contact sheet with the words above them


@dataclass(frozen=True, kw_only=True)
class GenerateOptions:
    """What to generate.

    count: number of images, at least 1; of a sequence it follows from the patients.
    formats: any of dicom, npz, png. images.npz is always written, asked for or not: the audit reads it.
    classes: "uniform", "measured" (by the run, with noise), or shares as "name:weight,name:weight".
    where: what is asked of the records, see `records.condition`.
    sequence, patients: so many invented patients, each in every value of this ordinal column.
    sop_class, bits, frames, one_study: the form of the DICOM files, see `dicom.form.resolved`.
    """

    count: int = 0
    formats: tuple[str, ...] = FORMATS
    classes: str = UNIFORM
    where: str = EVERYTHING
    sop_class: str = SECONDARY_CAPTURE
    bits: int | None = None
    frames: int = 1
    one_study: bool = False
    sequence: str = ""
    patients: int = 0

    def __post_init__(self) -> None:
        if self.sequence or self.patients:
            if not self.sequence or self.patients < 1 or self.count:
                raise UsageError("Expected --sequence COLUMN with --patients of at least 1, and no --count.")
        elif self.count < 1:
            raise UsageError(f"Expected count of at least 1, got {self.count}.")
        if not self.formats:
            raise UsageError(f"Expected at least one format of {', '.join(FORMATS)}.")
        for name in self.formats:
            one_of(FORMATS, format=name)
        one_of(SOP_CLASSES, sop_class=self.sop_class)


def generate(
    run: Path,
    folder: Path,
    options: GenerateOptions,
    seed: Seed,
    progress: Progress = silent,
    ranks: "Ranks | None" = None,
) -> Manifest:
    """Write a synthetic set into an empty (staged) folder, its card in the current language.

    Args:
        run: a finished run.
        folder: exists and is empty.
        options: see `GenerateOptions`.
        seed: everything random of the set follows from it; a fresh one outside tests.
        progress: told of sampling and of writing.
        ranks: among whom the images are shared out; the others call `draw_along`.

    Raises:
        UsageError: the run is missing or not finished or measured no class shares, a class is unknown, or the
            disk is too small.
        IntegrityError: the run or its generator was edited.
    """
    asked = _asked(run, options)
    whole = replace(options, count=asked.count, sequence="", patients=0)
    require_space(folder, output_bytes(whole, finished(run).form))
    return draw(run, folder, asked, options.formats, seed, progress, ranks)


def draw_along(run: Path, options: GenerateOptions, seed: Seed, ranks: "Ranks") -> Manifest:
    """Draw another rank's share of `generate`, whose arguments are the same; write nothing.

    Raises:
        LostRankError: a rank ended, or has another run or other options.
    """
    drawing = Drawing.of(run, _asked(run, options), seed)
    _require_one_drawing(drawing, ranks)
    drawing.images(ranks=ranks)
    return drawing.manifest


def _asked(run: Path, options: GenerateOptions) -> Asked:
    """What the set shall be, once the run is known."""
    facts = finished(run)
    form = resolved(
        options.sop_class,
        modality=facts.form.modality,
        bits=options.bits,
        frames=options.frames,
        one_study=options.one_study,
        colour=facts.form.colour,
    )
    if form.kind == MATCHED["CT"] and facts.form.window is None:
        raise UsageError(
            "Expected a run that knows its Hounsfield units for CT objects, this one does not. Take "
            "secondary-capture, or prepare and train again with a ct preset, or --window with --modality CT."
        )
    visits = visits_of(run, options.sequence) if options.sequence else 1
    return Asked(
        count=options.count or options.patients * visits,
        classes=options.classes,
        dicom=replace(form, visits=visits),
        created=datetime.now(UTC).date().isoformat(),
        language=language(),
        wanted=Wanted(where=options.where, sequence=options.sequence),
    )


def draw(
    run: Path,
    folder: Path,
    asked: Asked,
    formats: Collection[str],
    seed: Seed,
    progress: Progress = silent,
    ranks: "Ranks | None" = None,
) -> Manifest:
    """Write the set that a run and a seed make into an empty (staged) folder: the same, to the byte, wherever.

    Args:
        run: a finished run.
        folder: exists and is empty.
        asked: what the set shall be.
        formats: any of `FORMATS`.
        seed: everything random of the set follows from it.
        progress: told of sampling and of writing.
        ranks: see `generate`.

    Raises:
        UsageError, IntegrityError: see `Drawing.of`.
        LostRankError: see `draw_along`.
    """
    drawing = Drawing.of(run, asked, seed)
    _require_one_drawing(drawing, ranks)
    files = SetFiles(drawing.manifest, drawing.images(progress, ranks), drawing.labels, formats, drawing.records)
    files.write(folder, progress)
    _require_no_complaints([folder / name for name in files.dicom])
    seal(folder, drawing.manifest, seed)
    return drawing.manifest


def _require_one_drawing(drawing: Drawing, ranks: "Ranks | None") -> None:
    """All ranks draw the same from the same; the day and the card's language are rank 0's alone."""
    from privgan.gan.ranks.rows import require_one_reading

    facts = replace(drawing.manifest, created="", language=AS_WRITTEN)  # among them the digests of weights and seed
    require_one_reading(ranks, repr(facts).encode() + drawing.labels.tobytes() + drawing.records.codes.tobytes())


def output_bytes(options: GenerateOptions, form: ImageForm) -> int:
    """About how much disk a set takes, in bytes; a folder and a file are whole blocks each."""
    from privgan.images.contact_sheet import tile_pixels

    pixels = math.prod(form.shape)
    total = options.count * (pixels + 64) + 100 * _BLOCK_BYTES
    if PNG in options.formats:
        total += _SHEET_TILES * tile_pixels(form.side) ** 2 * form.channels
    if DICOM in options.formats:
        blocks = 1 + -(-(2 * pixels + _DICOM_HEADER_BYTES) // _BLOCK_BYTES)
        total += options.count * (blocks * _BLOCK_BYTES + 128)
    return total


def _require_no_complaints(files: list[Path]) -> None:
    """The system's validator looks at the first ones, where there is one."""
    from privgan.synthetic.dicom.validator import MOST_FILES, NAME, complaints

    sample = files[:MOST_FILES]
    if found := complaints(sample):
        raise PrivganError(
            f"Expected DICOM files that {NAME} accepts, it has {found} complaints about {len(sample)}."
        )
