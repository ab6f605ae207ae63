"""plan, train, generate: from a privacy budget to synthetic images."""

from pathlib import Path
from typing import Annotated

import typer

from privgan_cli.asked import PlanOptions, TrainOptions
from privgan_cli.console import console
from privgan_cli.line import following
from privgan_cli.options import Device, Force, PolicyFile, choice, read_policy
from privgan_cli.reading_options import (
    Axis,
    BodyPart,
    Colour,
    Every,
    Frames,
    ImageType,
    Modality,
    View,
    Window,
    Workers,
    wishes_of,
)
from privgan_cli.reading_options import Preset as ReadAs

Epsilon = Annotated[float | None, typer.Option(help="The guarantee to reach, per patient.")]
Delta = Annotated[float | None, typer.Option(help="Default: largest power of ten <= 1/(10 x members).")]
Preset = Annotated[str, choice("auto, small-cohort, balanced, large-cohort or slices.")]
AcceptDelta = Annotated[
    bool, typer.Option("--accept-delta", help="Take a delta above 1/(10 x members). In red in every report.")
]

AcceptNoise = Annotated[
    bool, typer.Option("--accept-noise", help="Spend epsilon although nothing can come of it: for a try, say.")
]


def plan(
    patients: Annotated[int, typer.Option(help="Members: patients that would be trained on.")],
    batch: Annotated[int, typer.Option(help="Expected patients a step.")],
    steps: Annotated[int, typer.Option(help="Discriminator steps.")],
    noise_multiplier: Annotated[float | None, typer.Option(help="Noise, in units of the clipping norm.")] = None,
    epsilon: Epsilon = None,
    delta: Delta = None,
    non_members: Annotated[float, typer.Option(help="Share of all patients that would be held back.")] = 0.333,
    policy: PolicyFile = None,
    class_count: Annotated[int, typer.Option(help="Classes, for the choice of a preset.")] = 2,
    minutes: Annotated[float | None, typer.Option(help="Time to train, for the choice of a preset.")] = None,
    preset: Preset = "auto",
    modality: Annotated[str, typer.Option(help="Of the images, for the choice of a preset.")] = "",
    accept_delta: AcceptDelta = False,
    accept_low_power: Annotated[bool, typer.Option("--accept-low-power", help="Do not mind a weak audit.")] = False,
) -> int:
    """Say what training would cost in privacy, and whether its audit could pass; touches no data."""
    from privgan_cli import surface

    options = PlanOptions(
        patients=patients,
        batch=batch,
        steps=steps,
        noise_multiplier=noise_multiplier,
        epsilon=epsilon,
        delta=delta,
        non_members=non_members,
        classes=class_count,
        minutes=minutes,
        preset=preset,
        modality=modality.upper(),
        accept_delta=accept_delta,
    )
    found = surface.plan(options, read_policy(policy))
    from privgan_audits.gate.preflight import low_power_text

    planned, chosen, expected = found.plan, found.choice, found.preflight
    spend, held_back = planned.spend(), expected.non_members
    console.result(
        {
            "epsilon": spend.epsilon,
            "delta": spend.delta,
            "noise_multiplier": planned.noise_multiplier,
            "steps": steps,
            "batch": batch,
            "preset": chosen.preset,
            "outlook": {"band": chosen.outlook.band, "hidden": chosen.outlook.hidden},
            "preflight": {"chance": expected.chance, "non_members": held_back},
        },
        f"{spend}: noise multiplier {planned.noise_multiplier:.4g}, {steps} steps of {batch} of {patients} patients",
        f"`privgan train` would start from the preset {chosen.preset}: {chosen.reason}",
        chosen.outlook.told,
        f"with {held_back} patients held back, a safe set passes its audit with probability {expected.chance:.2f}",
        then=following.after_plan(epsilon or spend.epsilon, steps),
    )
    if not (expected.sufficient or accept_low_power):
        console.note(f"privgan: {low_power_text(expected)} --accept-low-power goes on all the same.")
        return 5
    return 0


def prior(
    public: Annotated[Path, typer.Argument(help="Public images: a folder or an .npz, as `prepare` reads them.")],
    folder: Annotated[Path, typer.Argument(metavar="PRIOR", help="The folder to make.")],
    source: Annotated[str, typer.Option(help="Whose images these are, in words; said wherever the result goes.")],
    licence: Annotated[str, typer.Option(help="Under which terms they may be used, in words.")],
    size: Annotated[int, typer.Option(help="Pixels a side: that of the cohort.")] = 64,
    read_as: ReadAs = None,
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
    minutes: Annotated[float | None, typer.Option(help="An end by the clock, if that comes first.")] = None,
    steps: Annotated[int, typer.Option(help="Steps of learning.")] = 8000,
    config: Annotated[Path | None, typer.Option(help="train.toml of the trainings to come.")] = None,
    device: Device = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted learning.")] = False,
    force: Force = False,
) -> int:
    """Learn from public images what is alike in all of their kind; no patient is involved."""
    from privgan.gan.prior.request import LearningSettings, PriorRequest
    from privgan.gan.training.settings import read_settings
    from privgan_cli import surface

    wishes = wishes_of(
        size=size,
        preset=read_as,
        window=window,
        colour=colour,
        modality=modality,
        body_part=body_part,
        view=view,
        image_type=image_type,
        every=every,
        frames=frames,
        axis=axis,
        workers=workers,
    )
    request = PriorRequest(
        source=source,
        licence=licence,
        settings=read_settings(config),
        learning=LearningSettings(steps=steps),
        minutes=minutes,
        device=device or "auto",
    )
    made = surface.prior(public, folder, request, wishes, force=force, resume=resume, progress=console.progress)
    console.result(
        {"images": made.images, "size": made.form.side, "steps": made.steps, "source": made.source},
        f"learned {made.steps} steps from {made.images} public images of {made.form.side} px",
        f"look at {folder / 'contact.png'}",
        then=following.after_prior(folder),
    )
    return 0


def train(
    cohort: Annotated[Path, typer.Argument(help="A folder made by `privgan prepare`.")],
    run: Annotated[Path, typer.Argument(help="The run folder to make, or to continue with --resume.")],
    epsilon: Annotated[float, typer.Option(help="The guarantee to reach, per patient. No default.")],
    delta: Delta = None,
    steps: Annotated[int | None, typer.Option(help="Discriminator steps; all are charged up front.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Instead of --steps: as many as fit.")] = None,
    preset: Preset = "auto",
    config: Annotated[Path | None, typer.Option(help="train.toml.")] = None,
    measure_classes: Annotated[
        bool, typer.Option("--measure-classes", help="Spend a part of epsilon on the classes' shares.")
    ] = False,
    prior: Annotated[Path | None, typer.Option(help="A folder made by `privgan prior`, to start from.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a stopped run.")] = False,
    device: Device = None,
    accept_delta: AcceptDelta = False,
    accept_noise: AcceptNoise = False,
    not_private_seed: Annotated[
        int | None, typer.Option(help="For tests: replayable noise. The run is stamped NOT PRIVATE.", hidden=True)
    ] = None,
    force: Force = False,
) -> int:
    """Train a generator under patient-level differential privacy."""
    from privgan_cli import surface

    options = TrainOptions(
        epsilon=epsilon,
        delta=delta,
        steps=steps,
        minutes=minutes,
        preset=preset,
        config=config,
        measure_classes=measure_classes,
        device=device,
        accept_delta=accept_delta,
        accept_noise=accept_noise,
        resume=resume,
        force=force,
        prior=prior,
        replay_seed=not_private_seed,
    )
    facts = surface.train(cohort, run, options, progress=console.progress)
    console.result(
        {
            "run_id": facts.run_id,
            "state": facts.state,
            "epsilon": facts.spend.epsilon,
            "delta": facts.spend.delta,
            "unit": facts.spend.unit,
            "steps": facts.finished_steps,
            "members": facts.members,
            "not_private": facts.not_private,
            "prior": None if facts.prior is None else facts.prior.source,
            "warnings": list(facts.warnings),
        },
        *(["NOT PRIVATE: seeded test run; audit and release refuse it"] if facts.not_private else []),
        f"trained {facts.finished_steps} steps on {facts.members} patients: {facts.spend}",
        *(f"noticed at {warning}" for warning in facts.warnings),
        then=following.after_train(run, facts.members),
    )
    return 0


def generate(
    run: Annotated[Path, typer.Argument(help="A finished run.")],
    synthetic: Annotated[Path, typer.Argument(help="The folder to make.")],
    count: Annotated[int, typer.Option(help="Images to make.")],
    formats: Annotated[str, choice("Any of dicom,npz,png.", "--format", metavar="NAMES")] = "dicom,npz,png",
    sop_class: Annotated[str, choice("secondary-capture or match.")] = "secondary-capture",
    bits: Annotated[int | None, typer.Option(help="8, 12 or 16 a value; 12 for CT and MR objects, else 8.")] = None,
    frames: Annotated[int, typer.Option(help="Images of one class in a file; secondary-capture only.")] = 1,
    one_study: Annotated[
        bool, typer.Option("--one-study", help="One invented patient and study, a series a class; not CT or MR.")
    ] = False,
    classes: Annotated[str, typer.Option(help="uniform, measured, or NAME:WEIGHT,NAME:WEIGHT.")] = "uniform",
    force: Force = False,
) -> int:
    """Make synthetic images; free of further privacy cost."""
    from privgan.synthetic.generate import GenerateOptions
    from privgan_cli import surface

    options = GenerateOptions(
        count=count,
        formats=tuple(name.strip() for name in formats.split(",")),
        classes=classes,
        sop_class=sop_class,
        bits=bits,
        frames=frames,
        one_study=one_study,
    )
    made = surface.generate(run, synthetic, options, force=force, progress=console.progress)
    if made.noise_drowned_classes:
        console.note("privgan: the noise drowned the measured class shares; every class gets the same.")
    console.result(
        {
            "count": made.count,
            "classes": list(made.form.classes),
            "epsilon": made.spend.epsilon,
            "delta": made.spend.delta,
        },
        f"{made.count} synthetic images of {made.form.side} px in {synthetic}",
        "NOT RELEASED: audit them before anyone else sees them",
        then=following.after_generate(run, synthetic),
    )
    return 0
