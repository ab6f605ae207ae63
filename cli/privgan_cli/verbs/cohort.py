"""scan, prepare: what a cohort could be, and is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privgan.language import by_default, retold, tr
from privgan_cli.console import console
from privgan_cli.line import following, prepared
from privgan_cli.options import Force, PolicyFile, choice, read_policy
from privgan_cli.reading_options import (
    AcceptBurnedIn,
    Axis,
    BodyPart,
    Colour,
    Columns,
    Csv,
    CsvColumns,
    EachImageIsAPatient,
    Every,
    Frames,
    ImageType,
    Modality,
    Preset,
    Source,
    View,
    Window,
    Workers,
    names_of,
    wishes_of,
)

if TYPE_CHECKING:
    from privgan_audits.enrol import Enrolled


def scan(
    source: Source,
    preset: Preset = None,
    window: Window = None,
    colour: Colour = False,
    csv: Csv = None,
    csv_columns: CsvColumns = "",
    columns: Columns = "",
    modality: Modality = "",
    body_part: BodyPart = "",
    view: View = "",
    image_type: ImageType = "",
    every: Every = 1,
    frames: Frames = "all",
    axis: Axis = "axial",
    workers: Workers = None,
    accept_burned_in: AcceptBurnedIn = False,
) -> int:
    """Say what would be read or refused, and why; writes nothing."""
    from privgan_cli import surface

    wishes = wishes_of(
        preset=preset,
        window=window,
        colour=colour,
        csv=csv,
        csv_columns=csv_columns,
        columns=columns,
        modality=modality,
        body_part=body_part,
        view=view,
        image_type=image_type,
        every=every,
        frames=frames,
        axis=axis,
        workers=workers,
        accept_burned_in=accept_burned_in,
    )
    found = surface.scan(source, wishes, progress=console.progress)
    from privgan_cli.line import scanned
    from privgan_cli.planned import prospects

    if not found.numbered:
        console.warn(
            tr(
                "Nothing says whose each image is: every one would count as another patient, which `prepare` refuses "
                "without --each-image-is-a-patient."
            )
        )
    expected, bands = prospects(found) or (None, {})
    console.result(
        scanned.as_json(found, expected, bands),
        *scanned.in_words(found, expected, bands),
        then=following.after_scan(console.told.typed) if found.readable else "",
    )
    return 0 if found.readable else 5


def prepare(
    source: Source,
    cohort: Annotated[Path, typer.Argument(help="The folder to make.")],
    preset: Preset = None,
    size: Annotated[int, typer.Option(help="Pixels a side, 28 to 256.")] = 64,
    non_members: Annotated[float, typer.Option(help="Share of patients held back for the audit.")] = 0.333,
    csv: Csv = None,
    csv_columns: CsvColumns = "",
    exclude: Annotated[Path | None, typer.Option(help="Keys of withdrawn patients, one a line.")] = None,
    merge: Annotated[
        Path | None, typer.Option(help="Patients with several numbers: CSV, all numbers of one person in one line.")
    ] = None,
    accept_unmatched: Annotated[
        bool, typer.Option("--accept-unmatched", help="Some withdrawn patients may not be in the source. In red.")
    ] = False,
    join: Annotated[
        str,
        choice("Numbers that are one person by rule: studies, issuers, spellings.", metavar="NAMES"),
    ] = "",
    accept_identity: Annotated[
        str,
        choice("Doubtful numbers to take as they are: those, placeholders, facts. In red.", metavar="NAMES"),
    ] = "",
    each_image_is_a_patient: EachImageIsAPatient = False,
    title: Annotated[str, typer.Option(help="What the project is, for every report and bundle.")] = "",
    contact: Annotated[str, typer.Option(help="Whom to ask, likewise.")] = "",
    classes: Annotated[str, typer.Option(help="Declared class names, separated by commas.")] = "",
    columns: Columns = "",
    window: Window = None,
    colour: Colour = False,
    modality: Modality = "",
    body_part: BodyPart = "",
    view: View = "",
    image_type: ImageType = "",
    every: Every = 1,
    frames: Frames = "all",
    axis: Axis = "axial",
    workers: Workers = None,
    roi: Annotated[str | None, typer.Option(help="LEFT,TOP,RIGHT,BOTTOM as fractions of the image.")] = None,
    max_epsilon: Annotated[
        float, typer.Option(help="Cap on what all runs together may spend, at the cohort's own delta.")
    ] = 10.0,
    policy: PolicyFile = None,
    site_anchor: Annotated[
        Path | None, typer.Option(help="Folder outside all cohorts that notices copies and second preparations.")
    ] = None,
    accept_burned_in: AcceptBurnedIn = False,
    accept_low_power: Annotated[
        bool, typer.Option("--accept-low-power", help="Go on although no audit is likely to pass. In red.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interruption stopped.")] = False,
    force: Force = False,
) -> int:
    """Read images once, split them by patient into members and non-members, and open the privacy ledger."""
    from privgan.data.cohort.options import PrepareOptions
    from privgan.folders import unfinished_folder
    from privgan_audits.terms import Terms
    from privgan_cli import surface

    reading = wishes_of(
        size=size,
        preset=preset,
        window=window,
        colour=colour,
        roi=roi,
        csv=csv,
        csv_columns=csv_columns,
        classes=classes,
        columns=columns,
        modality=modality,
        body_part=body_part,
        view=view,
        image_type=image_type,
        every=every,
        frames=frames,
        axis=axis,
        workers=workers,
        accept_burned_in=accept_burned_in,
    )
    options = PrepareOptions(
        reading=reading,
        non_members=non_members,
        exclude=exclude,
        merge=merge,
        accept_unmatched=accept_unmatched,
        join=names_of(join),
        accept_identity=names_of(accept_identity),
        each_image_is_a_patient=each_image_is_a_patient,
        title=title.strip(),
        contact=contact.strip(),
    )
    rules = read_policy(policy)
    terms = Terms(
        policy=rules,
        max_epsilon=max_epsilon,
        accept_low_power=accept_low_power,
        force=force,
        resume=resume,
        site_anchor=site_anchor,
    )
    with by_default(rules.language):
        if not resume and unfinished_folder(cohort).exists():
            console.note(
                tr("What an interrupted prepare left of this cohort is thrown away; --resume would have gone on.")
            )
        opened = surface.prepare(source, cohort, options, terms, progress=console.progress)
        _remark(opened)
        console.result(prepared.as_json(opened), *prepared.in_words(opened), then=following.after_prepare(cohort))
    return 0


def _remark(opened: "Enrolled") -> None:
    """What is doubtful about a cohort that was made all the same."""
    from privgan_audits.gate.preflight import low_power_text

    if opened.facts.form.each_image_is_a_patient:
        console.warn(tr("Each image counts as one patient: whoever has two is protected as two people."))
    if not opened.preflight.sufficient:
        console.note(tr("Warning: {reason}", reason=retold(low_power_text(opened.preflight))))
