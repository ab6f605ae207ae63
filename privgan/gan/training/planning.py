"""The plan that meets what a user asks of `train`."""

import math
from dataclasses import asdict, replace
from datetime import UTC, datetime

import privgan
from privgan.data.cohort.cohort import Cohort
from privgan.dp.plan import MIN_MEMBERS, Plan, calibrate, calibrate_queries, checked_delta
from privgan.errors import InputRejectedError, UsageError
from privgan.gan.training.request import TrainRequest
from privgan.gan.training.settings import NO_COLUMNS, TrainSettings
from privgan.records.outlook import RecordsOutlook, records_outlook
from privgan.records.schema import Schema
from privgan.run import RunFacts

_WHOLE = 0.99  # of epsilon: the accountants' figures lie a little above the exact one that noises come from


def make_plan(members: int, request: TrainRequest, schema: Schema = NO_COLUMNS) -> Plan:
    """The cheapest noise that keeps everything that is asked within the asked epsilon.

    schema: the declared columns; without any, records are not asked for.

    Raises:
        InputRejectedError: fewer members than MIN_MEMBERS or than the batch.
        UsageError: delta above 1 / (10 x members) without the override.
    """
    if members < MIN_MEMBERS:
        raise InputRejectedError(f"Expected at least {MIN_MEMBERS} members to train on, the cohort has {members}.")
    settings = request.settings
    delta = checked_delta(request.delta, members, accept=request.accept_delta)
    privacy, balance = settings.privacy, settings.class_balance
    told = bool(schema) and settings.records.measure
    ratios = settings.start_ratios(told=told, prior=request.prior is not None)
    plan = Plan(
        members=members,
        batch=privacy.batch,
        steps=privacy.steps,
        delta=delta,
        noise_multiplier=1.0,
        clipping_norm=privacy.clipping_norm,
        fakes=settings.refinement.fakes,
        warm_start=calibrate_queries(_start_share(settings) * request.epsilon, delta, ratios),
    )
    if balance.measure:
        (noise,) = calibrate_queries(balance.share * request.epsilon, delta, (1.0,))
        plan = replace(plan, class_balance=noise)
    if told:
        (noise,) = calibrate_queries(settings.records.share * request.epsilon, delta, (1.0,))
        # Without steps the warm start was given what is left, which is now less.
        start_noises = plan.warm_start if privacy.steps else _beside(plan.warm_start, noise)
        plan = replace(plan, records=noise, warm_start=start_noises)
    return calibrate(plan, request.epsilon)


def outlook_of_records(plan: Plan, request: TrainRequest, schema: Schema, classes: int) -> RecordsOutlook | None:
    """Which values drown in what was planned, and what records cost the images; None where none are asked for."""
    if plan.records is None:
        return None
    settings = request.settings
    ratios = settings.start_ratios(told=False, prior=request.prior is not None)
    alone = calibrate_queries(_start_share(settings) * request.epsilon, plan.delta, ratios)
    return records_outlook(
        schema,
        classes=classes,
        members=plan.members,
        noise=plan.records,
        share=settings.records.share,
        times=plan.warm_start[0] / alone[0],
    )


def _start_share(settings: TrainSettings) -> float:
    """Of epsilon; without steps the warm start is all there is, and has what the class balance leaves."""
    balance = settings.class_balance
    return settings.warm_start.share if settings.privacy.steps else _WHOLE - balance.share * balance.measure


def _beside(noises: tuple[float, ...], other: float) -> tuple[float, ...]:
    """Noises in the same ratios that, with the other query, cost what they cost without it.

    Raises:
        UsageError: the other query alone costs as much.
    """
    certainty = sum(noise**-2 for noise in noises)
    if not other**-2 < certainty:
        raise UsageError("Expected a smaller share of epsilon for records: nothing of it is left for images.")
    scale = math.sqrt(certainty / (certainty - other**-2))
    return tuple(scale * noise for noise in noises)


def begun(cohort: Cohort, plan: Plan, *, run_id: str, epsilon: float) -> RunFacts:
    """What a run on a cohort says before its first question; a seed, a prior or a federation are for others to add.

    epsilon: what was asked for.
    """
    return RunFacts(
        run_id=run_id,
        cohort_id=cohort.facts.cohort_id,
        privgan_version=privgan.__version__,
        created=datetime.now(UTC).date().isoformat(),
        state="training",
        plan={key: value for key, value in asdict(plan).items() if key != "records" or value is not None},
        planned_steps=plan.steps,
        finished_steps=0,
        target_epsilon=epsilon,
        spend=plan.spend(),
        members=plan.members,
        form=cohort.facts.form,
        generator_sha256="",
        accepted_delta=False,
        not_private=False,
    )
