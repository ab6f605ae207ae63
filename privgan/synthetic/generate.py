"""From a finished run to a synthetic set: everything here is post-processing and costs no privacy.

Only the released generator and public facts of the run are read; the run's private folder, the cohort and the
patients' images are out of reach.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from privgan import __version__
from privgan.arrays import Images, Integers
from privgan.checks import one_of
from privgan.errors import IntegrityError, PrivganError, UsageError
from privgan.files import SHAREABLE_FILE, open_new, sha256_file, write_text
from privgan.folders import require_space
from privgan.images.form import ImageForm
from privgan.progress import Progress, silent
from privgan.run import RunFacts, read_run
from privgan.synthetic.class_shares import MEASURED, UNIFORM, class_labels
from privgan.synthetic.dataset_card import dataset_card
from privgan.synthetic.dicom.form import (
    MATCHED,
    SECONDARY_CAPTURE,
    SOP_CLASSES,
    DicomForm,
    files_of,
    neighbours,
    resolved,
)
from privgan.synthetic.labels_table import Row, label_rows, labels_csv
from privgan.synthetic.synthetic_set import (
    CARD,
    CONTACT_SHEET,
    IMAGES,
    LABELS,
    Manifest,
    seal,
)

if TYPE_CHECKING:
    from privgan.gan.networks import LoadedGenerator
    from privgan.gan.warm_start.class_balance import ClassBalance

FORMATS = ("dicom", "npz", "png")
_BATCH = 256
_PROGRESS_EVERY = 50
_BLOCK_BYTES = 4096
_DICOM_HEADER_BYTES = 2048


@dataclass(frozen=True, kw_only=True)
class GenerateOptions:
    """What to generate.

    count: number of images, at least 1.
    formats: any of dicom, npz, png. images.npz is always written, asked for or not: the audit reads it.
    classes: "uniform", "measured" (by the run, with noise), or shares as "name:weight,name:weight".
    sop_class, bits, frames: the form of the DICOM files, see `dicom.form.resolved`.
    """

    count: int
    formats: tuple[str, ...] = FORMATS
    classes: str = UNIFORM
    sop_class: str = SECONDARY_CAPTURE
    bits: int | None = None
    frames: int = 1

    def __post_init__(self) -> None:
        if self.count < 1:
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
    rng: np.random.Generator,
    progress: Progress = silent,
) -> Manifest:
    """Write a synthetic set into an empty (staged) folder.

    Args:
        run: a finished run.
        folder: exists and is empty.
        options: see `GenerateOptions`.
        rng: of a cryptographic bit generator outside tests.
        progress: told of sampling and of writing.

    Raises:
        UsageError: the run is missing or not finished or measured no class shares, a class is unknown, or the
            disk is too small.
        IntegrityError: the run or its generator was edited.
    """
    facts = _finished(run)
    form = resolved(
        options.sop_class,
        modality=facts.form.modality,
        bits=options.bits,
        frames=options.frames,
        colour=facts.form.colour,
    )
    if form.kind == MATCHED["CT"] and facts.form.window is None:
        raise UsageError(
            "Expected a run that knows its Hounsfield units for CT objects, this one does not. Take "
            "secondary-capture, or prepare and train again with a ct preset, or --window with --modality CT."
        )
    require_space(folder, output_bytes(options, facts.form))
    generator = _load(run, facts)
    balance = generator.class_balance
    shares = None if balance is None else balance.shares
    labels = class_labels(options.classes, facts.form.classes, options.count, rng, shares)
    labels = neighbours(labels, form.frames, rng)
    images = _sample(generator, labels, rng, progress)
    _write_arrays(folder / IMAGES, images, labels, facts.form.classes)
    manifest = _manifest(facts, options, labels, balance, form)
    files = files_of(labels, form.frames) if "dicom" in options.formats else None
    rows = label_rows(facts.run_id, facts.form.classes, labels, files)
    if files is not None:
        _write_dicom(folder, [images[file.start : file.stop] for file in files], rows, manifest, progress)
    if "png" in options.formats:
        from privgan.synthetic.contact_sheet import write_contact_sheet

        write_contact_sheet(folder / CONTACT_SHEET, images, labels, facts.form.classes)
    write_text(folder / LABELS, labels_csv(rows), SHAREABLE_FILE)
    write_text(folder / CARD, dataset_card(manifest), SHAREABLE_FILE)
    seal(folder, manifest)
    return manifest


def output_bytes(options: GenerateOptions, form: ImageForm) -> int:
    """About how much disk a set takes, in bytes; a folder and a file are whole blocks each."""
    pixels = math.prod(form.shape)
    total = options.count * (pixels + 64) + 100 * _BLOCK_BYTES + 4 * 100 * pixels * ("png" in options.formats)
    if "dicom" in options.formats:
        blocks = 1 + -(-(2 * pixels + _DICOM_HEADER_BYTES) // _BLOCK_BYTES)
        total += options.count * (blocks * _BLOCK_BYTES + 128)
    return total


def _finished(run: Path) -> RunFacts:
    if not run.is_dir():
        raise UsageError(f"Expected a run folder, {run} is missing.")
    facts = read_run(run)
    if facts.state != "finished":
        raise UsageError(
            f"Expected a finished run, this one is at step {facts.finished_steps} of {facts.planned_steps}. "
            "Finish it with 'privgan train ... --resume'."
        )
    return facts


def _load(run: Path, facts: RunFacts) -> "LoadedGenerator":
    """Check the digest before a parser sees the file."""
    if sha256_file(run / "model" / "generator.safetensors") != facts.generator_sha256:
        raise IntegrityError("Expected the generator that the run finished with, its file was edited.")
    from privgan.gan.networks import load_generator

    generator = load_generator(run)
    if generator.form != facts.form.bare:
        raise IntegrityError("Expected a generator of the run's classes, image size and channels, not an edited one.")
    return generator


def _sample(generator: "LoadedGenerator", labels: Integers, rng: np.random.Generator, progress: Progress) -> Images:
    images: Images = np.empty(0, np.uint8)
    for start in range(0, len(labels), _BATCH):
        some = generator.sample(labels[start : start + _BATCH], rng)
        if start == 0:
            images = np.empty((len(labels), *some.shape[1:]), np.uint8)
        images[start : start + _BATCH] = some
        progress("sampling images", min(start + _BATCH, len(labels)), len(labels))
    return images


def _write_arrays(path: Path, images: Images, labels: Integers, classes: tuple[str, ...]) -> None:
    with open_new(path, SHAREABLE_FILE) as stream:
        np.savez(stream, images=images, labels=labels, classes=np.array(classes))


def _manifest(
    facts: RunFacts, options: GenerateOptions, labels: Integers, balance: "ClassBalance | None", form: DicomForm
) -> Manifest:
    counts = np.bincount(labels, minlength=len(facts.form.classes))
    return Manifest(
        run_id=facts.run_id,
        cohort_id=facts.cohort_id,
        privgan_version=__version__,
        created=datetime.now(UTC).date().isoformat(),
        count=options.count,
        class_policy=options.classes,
        class_counts={name: int(count) for name, count in zip(facts.form.classes, counts, strict=True)},
        generator_sha256=facts.generator_sha256,
        not_private=facts.not_private,
        class_margin=balance.margin if balance is not None and options.classes == MEASURED else None,
        dicom=form,
        form=facts.form,
        spend=facts.spend,
    )


def _write_dicom(folder: Path, files: list[Images], rows: list[Row], manifest: Manifest, progress: Progress) -> None:
    """Write and check every file; a sample goes to the system's validator, too, where there is one."""
    from privgan.synthetic.dicom.look import DicomLook
    from privgan.synthetic.dicom.validator import MOST_FILES, NAME, complaints
    from privgan.synthetic.dicom.writer import DicomWriter

    writer = DicomWriter(DicomLook.of(manifest))
    sample: list[Path] = []
    for number, (images, (_, patient, label)) in enumerate(zip(files, rows, strict=True), start=1):
        path = writer.write(folder, images, label, patient_id=patient, number=number)
        if len(sample) < MOST_FILES:
            sample.append(path)
        if number % _PROGRESS_EVERY == 0 or number == len(rows):
            progress("writing DICOM", number, len(rows))
    if found := complaints(sample):
        raise PrivganError(
            f"Expected DICOM files that {NAME} accepts, it has {found} complaints about {len(sample)}."
        )
