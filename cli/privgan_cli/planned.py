"""What would come of a training: its cost, its preset and the chance of its audit, for `plan` and for `scan`."""

from privgan.data.cohort.options import NON_MEMBERS
from privgan.data.cohort.scan import ScanReport
from privgan.dp.accounting import default_delta
from privgan.dp.plan import plan_steps
from privgan.gan.image_model import STARTS
from privgan.gan.size import memory, smoothness
from privgan.gan.training.presets import choose
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
    expected = preflight(members, held_back, EXPECTED_SYNTHETIC_PER_MEMBER * members, policy)
    size, start = options.size, STARTS[chosen.preset]
    told = () if size is None else tuple(filter(None, (memory(size), smoothness(size, start))))
    return Planned(plan=steps, choice=chosen, preflight=expected, of_size=told)


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
