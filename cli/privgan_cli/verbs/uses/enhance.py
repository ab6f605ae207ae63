"""enhance: better images, by networks that learned from what was released or is public; no privacy is spent."""

from pathlib import Path
from typing import Annotated

import typer

from privgan.language import retold, tr
from privgan_cli.console import console
from privgan_cli.line import following
from privgan_cli.line.help import USES, Verb, Verbs
from privgan_cli.options import Device, Force, choice
from privgan_cli.reading_options import Preset, pair_of
from privgan_cli.stack import needs_training_stack

Model = Annotated[Path, typer.Argument(help="The restorer that `privgan enhance train` made.")]
PublicKey = Annotated[
    list[Path] | None,
    typer.Option(help="The hospital's public key, got over another channel; of several, each one's."),
]


def train(
    places: Annotated[
        list[Path],
        typer.Argument(metavar="BUNDLE... MODEL", help="Released sets to learn from, and the folder to make."),
    ],
    task: Annotated[str, choice("What it shall do: denoise, super-resolve or artefact.")],
    public_key: PublicKey = None,
    artefact: Annotated[str, choice("With --task artefact: stripes, ghosts, or of CT streaks.")] = "stripes",
    factor: Annotated[int, typer.Option(help="With --task super-resolve: 2 or 4 times the pixels a side.")] = 2,
    public: Annotated[
        Path | None,
        typer.Option(
            help="Public images to learn from, too, or alone: a folder or an .npz. Never patients' images: MODEL "
            "keeps unsalted digests, by which whoever has an image finds out that it was among them."
        ),
    ] = None,
    source: Annotated[str, typer.Option(help="Whose images --public are, in words.")] = "",
    licence: Annotated[str, typer.Option(help="Under which terms they may be used, in words.")] = "",
    size: Annotated[int, typer.Option(help="Without BUNDLE: pixels a side.")] = 64,
    modality: Annotated[str, typer.Option(help="Without BUNDLE: the DICOM modality of the images.")] = "OT",
    body_part: Annotated[str, typer.Option(help="Without BUNDLE: the DICOM body part of the images.")] = "",
    window: Annotated[str | None, choice("Without BUNDLE: LOW,HIGH in Hounsfield units.", metavar="LOW,HIGH")] = None,
    colour: Annotated[bool, typer.Option("--colour", help="Without BUNDLE: keep red, green and blue.")] = False,
    steps: Annotated[
        int | None,
        typer.Option(help="Steps of learning; if left out 2000, and 300 to enlarge, where more are worse."),
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="An end by the clock, if that comes first.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file with `[damage]` and `[learning]`.")] = None,
    device: Device = None,
    force: Force = False,
) -> int:
    """Learn to restore images from released sets and public images; costs no privacy."""
    from dataclasses import replace

    from privgan.images.form import ImageForm
    from privgan_cli.using import surface
    from privgan_uses.restoring.request import PublicImages, RestoreRequest, read_config

    *bundles, folder = places
    damage, learning = read_config(config, task)
    given = {name: value for name, value in (("steps", steps), ("seed", seed)) if value is not None}
    request = RestoreRequest(
        task=task,
        artefact=artefact,
        factor=factor,
        damage=damage,
        learning=replace(learning, **given),
        minutes=minutes,
        device=device or "auto",
    )
    form = ImageForm(
        side=size,
        channels=3 if colour else 1,
        modality=modality.upper(),
        body_part=body_part.upper(),
        window=pair_of(window),
    )
    named = None if public is None else PublicImages(path=public, source=source, licence=licence, form=form)
    keys = public_key or ()
    made = surface.enhance_train(bundles, folder, request, keys, named, force=force, progress=console.progress)
    console.result(
        {
            "task": made.task,
            "images": made.images,
            "steps": made.steps,
            "damaged_psnr": made.damaged_psnr,
            "restored_psnr": made.restored_psnr,
            "epsilon": made.epsilon,
            "terms": list(made.terms),
        },
        tr("learned {steps} steps from {images} images, none of a patient", steps=made.steps, images=made.images),
        tr(
            "on {tried} of the sets' own images: {before} dB damaged, {after} dB restored",
            tried=made.tried,
            before=f"{made.damaged_psnr:.1f}",
            after=f"{made.restored_psnr:.1f}",
        ),
        retold(made.intended_use),
        *(tr("terms: {terms}", terms=retold(each)) for each in made.terms),
        then=following.after_enhance(folder),
    )
    return 0


def apply(
    model: Model,
    source: Annotated[
        Path, typer.Argument(metavar="SRC", help="DICOM or pictures in a folder, one file of them, or an .npz.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to make.")],
    read_as: Preset = None,
    resize: Annotated[
        bool, typer.Option("--resize", help="Bring images of other sizes to the model's, as `prepare` does.")
    ] = False,
    force: Force = False,
) -> int:
    """Restore your own images; what comes out is patient data, and not for diagnosis."""
    from privgan_cli.using import surface

    made = surface.enhance_apply(
        model, source, folder, read_as, resize=resize, force=force, progress=console.progress
    )
    console.result(
        {"images": made.images, "refused": made.refused, "notes": list(made.notes)},
        tr("restored {images} images", images=f"{made.images:,}"),
        *(tr("{count} files were not used: {code}", count=count, code=code) for code, count in made.refused.items()),
        *(retold(note) for note in made.notes),
        tr("These are patients' images, and not for diagnosis: keep {folder} as you keep the others.", folder=folder),
    )
    return 0


def evaluate(
    model: Model,
    cohort: Annotated[Path, typer.Argument(help="Whose held-back patients it is measured on.")],
    report: Annotated[Path, typer.Argument(help="The folder to make.")],
    bundle: Annotated[
        list[Path] | None, typer.Option(help="What the model learned from, to compare it with a plain network.")
    ] = None,
    public_key: PublicKey = None,
    public: Annotated[
        Path | None, typer.Option(help="The public images that it learned from, if it did, for that network.")
    ] = None,
    no_ceiling: Annotated[
        bool, typer.Option("--no-ceiling", help="Leave out what members' images would have taught.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the damage and of everything else random.")] = 0,
    force: Force = False,
) -> int:
    """Measure a restorer on held-back patients; an internal page."""
    from privgan_cli.using import surface
    from privgan_uses.restoring.request import Rivals

    rivals = Rivals(
        bundles=tuple(bundle or ()),
        public_keys=tuple(public_key or ()),
        public=public,
        ceiling=not no_ceiling,
        seed=seed,
    )
    found = surface.enhance_evaluate(model, cohort, report, rivals, force=force, progress=console.progress)
    from privgan_uses.restoring.evaluating.page import lines_of

    console.result(
        {key: value for key, value in found.content.items() if key != "schema_version"},
        *lines_of(found.content),
        tr("look at {file}; it shows patients", file=report / "evaluate.html"),
    )
    return 0


enhance = typer.Typer(
    cls=Verbs,
    name="enhance",
    help="Better images: learn to restore from released sets, restore your own, and measure what that is worth.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for _verb in (train, apply, evaluate):
    enhance.command(cls=Verb, rich_help_panel=USES)(needs_training_stack(_verb))
