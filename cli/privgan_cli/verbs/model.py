"""plan, train, generate: from a privacy budget to synthetic images."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from privgan.errors import UsageError
from privgan.language import by_default, in_a_row, retold, tr
from privgan_cli.asked import Planned, PlanOptions, TrainOptions
from privgan_cli.console import console
from privgan_cli.line import following
from privgan_cli.options import Device, Force, PolicyFile, Processes, choice, read_policy

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
    size: Annotated[int | None, typer.Option(help="Pixels a side, for memory and detail.", metavar="N")] = None,
    columns: Annotated[
        str, typer.Option(help="As prepare takes them: what would come of records.", metavar="DECLARATIONS")
    ] = "",
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
        size=size,
        columns=columns,
        accept_delta=accept_delta,
    )
    rules = read_policy(policy)
    with by_default(rules.language):
        return _told(options, surface.plan(options, rules), accept_low_power=accept_low_power)


def _told(asked: PlanOptions, found: Planned, *, accept_low_power: bool) -> int:
    """Say what was planned; the exit code."""
    from privgan_audits.gate.preflight import low_power_text

    planned, chosen, expected, records = found.plan, found.choice, found.preflight, found.records
    spend, held_back = planned.spend(), expected.non_members
    console.result(
        {
            "epsilon": spend.epsilon,
            "delta": spend.delta,
            "noise_multiplier": planned.noise_multiplier,
            "steps": asked.steps,
            "batch": asked.batch,
            "preset": chosen.preset,
            "outlook": {"band": chosen.outlook.band, "hidden": chosen.outlook.hidden},
            "preflight": {"chance": expected.chance, "non_members": held_back},
            **({} if records is None else {"records": asdict(records)}),
        },
        tr(
            "{spend}: noise multiplier {noise}, {steps} steps of {batch} of {patients} patients",
            spend=spend,
            noise=f"{planned.noise_multiplier:.4g}",
            steps=asked.steps,
            batch=asked.batch,
            patients=asked.patients,
        ),
        tr(
            "`privgan train` would start from the preset {preset}: {reason}",
            preset=chosen.preset,
            reason=retold(chosen.reason),
        ),
        retold(chosen.outlook.told),
        *map(retold, found.of_size),
        *map(retold, () if records is None else records.told),
        tr(
            "with {others} patients held back, a safe set passes its audit with probability {chance}",
            others=held_back,
            chance=f"{expected.chance:.2f}",
        ),
        then=following.after_plan(asked.epsilon or spend.epsilon, asked.steps),
    )
    if not (expected.sufficient or accept_low_power):
        goes_on = tr("--accept-low-power goes on all the same.")
        console.note(f"privgan: {in_a_row((retold(low_power_text(expected)), goes_on))}")
        return 5
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
    processes: Processes = 1,
    accept_delta: AcceptDelta = False,
    accept_noise: AcceptNoise = False,
    not_private_seed: Annotated[
        int | None, typer.Option(help="For tests: replayable noise. The run is stamped NOT PRIVATE.", hidden=True)
    ] = None,
    force: Force = False,
) -> int:
    """Train a generator under patient-level differential privacy."""
    from privgan_cli import surface
    from privgan_cli.company import company_of, in_silence

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
        processes=processes,
    )
    if (company := company_of(cohort, run, processes)).rank:
        return in_silence(lambda: surface.train(cohort, run, options), company)
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
            "prior_used": None if facts.prior is None else facts.prior.used,
            "prior_distance": None if facts.prior is None else facts.prior.distance,
            "warnings": list(facts.warnings),
        },
        *([tr("NOT PRIVATE: seeded test run; audit and release refuse it")] if facts.not_private else []),
        tr(
            "trained {steps} steps on {members} patients: {spend}",
            steps=facts.finished_steps,
            members=facts.members,
            spend=facts.spend,
        ),
        *([] if facts.prior is None else [facts.prior.measured]),
        *(tr("noticed at {alarm}", alarm=retold(warning)) for warning in facts.warnings),
        then=following.after_train(run, facts.members),
    )
    return 0


def generate(
    run: Annotated[Path, typer.Argument(help="A finished run.")],
    synthetic: Annotated[Path, typer.Argument(help="The folder to make.")],
    count: Annotated[int | None, typer.Option(help="Images to make.")] = None,
    formats: Annotated[str, choice("Any of dicom,npz,png.", "--format", metavar="NAMES")] = "dicom,npz,png",
    sop_class: Annotated[str, choice("secondary-capture or match.")] = "secondary-capture",
    bits: Annotated[int | None, typer.Option(help="8, 12 or 16 a value; 12 for CT and MR objects, else 8.")] = None,
    frames: Annotated[int, typer.Option(help="Images of one class in a file; secondary-capture only.")] = 1,
    one_study: Annotated[
        bool, typer.Option("--one-study", help="One invented patient and study, a series a class; not CT or MR.")
    ] = False,
    classes: Annotated[str, typer.Option(help="uniform, measured, or NAME:WEIGHT,NAME:WEIGHT.")] = "uniform",
    where: Annotated[
        str, typer.Option(help="What all records shall say, as stage=III,age=60..70. Of a run with declared columns.")
    ] = "",
    sequence: Annotated[
        str, typer.Option(help="An ordinal column: each invented patient has an image of each of its values.")
    ] = "",
    patients: Annotated[int, typer.Option(help="Invented patients of a --sequence, instead of --count.")] = 0,
    federation: Annotated[
        Path | None, typer.Option(help="Of several hospitals: with --count propose a set, without draw that one.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="With --federation and --count: this site's.")] = None,
    processes: Processes = 1,
    invited_by: Annotated[
        Path | None, typer.Option(help="With --federation: the public key of whoever invited.")
    ] = None,
    force: Force = False,
) -> int:
    """Make synthetic images; free of further privacy cost."""
    from privgan.synthetic.generate import GenerateOptions
    from privgan_cli import surface
    from privgan_cli.company import drawers, in_silence
    from privgan_cli.verbs.joint import Between

    if federation is not None and count is None and processes > 1:
        raise UsageError("Expected --processes with --count: what was proposed is drawn by one process.")
    between = Between.of(federation, invited_by, key, count)
    if between is None and count is None and not (sequence or patients):
        raise UsageError("Expected --count, how many images to make.")
    if between is not None and count is None:
        made = between.draw(run, synthetic, force=force, progress=console.progress)
    else:
        options = GenerateOptions(
            count=count or 0,
            formats=tuple(name.strip() for name in formats.split(",")),
            classes=classes,
            where=where,
            sequence=sequence,
            patients=patients,
            sop_class=sop_class,
            bits=bits,
            frames=frames,
            one_study=one_study,
        )
        if (company := drawers(processes, run, synthetic, options)).rank:
            return in_silence(lambda: surface.generate(run, synthetic, options), company)
        made = surface.generate(run, synthetic, options, force=force, processes=processes, progress=console.progress)
        if between is not None:
            between.propose(synthetic)
    if made.noise_drowned_classes:
        console.note(tr("privgan: the noise drowned the measured class shares; every class gets the same."))
    console.result(
        {
            "count": made.count,
            "classes": list(made.form.classes),
            "epsilon": made.spend.epsilon,
            "delta": made.spend.delta,
        },
        tr(
            "{count} synthetic images of {side} px in {folder}",
            count=made.count,
            side=made.form.side,
            folder=synthetic,
        ),
        tr("NOT RELEASED: audit them before anyone else sees them"),
        then=following.after_generate(run, synthetic),
    )
    return 0
