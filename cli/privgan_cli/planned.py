"""What would come of a training: its cost, its preset and the chance of its audit, for `plan` and for `scan`."""

from collections.abc import Mapping

from privgan.data.cohort.options import NON_MEMBERS
from privgan.data.cohort.scan import ScanReport
from privgan.data.columns import Wanted
from privgan.data.declared import require_sound
from privgan.dp.accounting import default_delta
from privgan.dp.plan import calibrate_queries, plan_steps
from privgan.errors import UsageError
from privgan.gan.image_model import STARTS, MixtureSettings, RecordsSettings
from privgan.gan.size import memory, smoothness
from privgan.gan.training.presets import choose
from privgan.records.outlook import RecordsOutlook, records_outlook
from privgan.records.schema import Schema
from privgan_audits.gate.preflight import EXPECTED_SYNTHETIC_PER_MEMBER, Preflight, preflight
from privgan_audits.policy import Policy
from privgan_cli.asked import Planned, PlanOptions

_EPSILONS = (1.0, 3.0, 10.0)


def planned(options: PlanOptions, policy: Policy) -> Planned:
    """From numbers alone; no data is touched."""
    members, share = options.patients, options.non_members
    steps = plan_steps(
        members=members,
        batch=options.batch,
        steps=options.steps,
        noise_multiplier=options.noise_multiplier,
        epsilon=options.epsilon,
        delta=options.delta,
        accept_delta=options.accept_delta,
    )
    spend, minutes, named = steps.spend(), options.minutes, options.preset
    chosen = choose(
        members,
        classes=options.classes,
        epsilon=spend.epsilon,
        delta=spend.delta,
        minutes=minutes,
        named=named,
        modality=options.modality,
    )
    held_back = round(members * share / (1 - share))
    types = Wanted.typed(options.columns).types if options.columns else {}
    known = [1.0] * len(Schema.of(types).names)  # of everybody: nothing says otherwise yet
    expected = preflight(members, held_back, EXPECTED_SYNTHETIC_PER_MEMBER * members, policy, columns=known)
    size, start = options.size, STARTS[chosen.preset]
    told = () if size is None else tuple(filter(None, (memory(size), smoothness(size, start))))
    return Planned(
        plan=steps,
        choice=chosen,
        preflight=expected,
        of_size=told,
        records=_records(options, types, start, epsilon=spend.epsilon, delta=spend.delta),
    )


def _records(
    options: PlanOptions, types: Mapping[str, str], start: MixtureSettings, *, epsilon: float, delta: float
) -> RecordsOutlook | None:
    """What would come of records under the default settings; None where none were asked for.

    Raises:
        UsageError: what was asked for are no declared columns, or too many combinations.
    """
    if not options.columns:
        return None
    schema, records = Schema.of(types), RecordsSettings()
    if not schema:
        raise UsageError(
            "Expected --columns that say what they may hold, as sex:category(F|M). Others are kept for the audit "
            "alone and cost nothing."
        )
    require_sound(types, options.classes)
    (noise,) = calibrate_queries(records.share * epsilon, delta, (1.0,))
    return records_outlook(
        schema,
        classes=options.classes,
        members=options.patients,
        noise=noise,
        share=records.share,
        times=records.times(start),
    )


def prospects(found: ScanReport) -> tuple[Preflight, dict[float, str]] | None:
    """The audit of a cohort of all these patients, and by epsilon what would come of a training; None for too few."""
    held_back = round(NON_MEMBERS * found.patients)
    members = found.patients - held_back
    if min(members, held_back) < 1:
        return None
    expected = preflight(members, held_back, EXPECTED_SYNTHETIC_PER_MEMBER * members, Policy())
    classes, delta = max(1, len(found.classes.patients)), default_delta(members)
    bands = {
        epsilon: choose(members, classes=classes, epsilon=epsilon, delta=delta, modality=found.modality).outlook.band
        for epsilon in _EPSILONS
    }
    return expected, bands
