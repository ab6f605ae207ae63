"""In which order a federation asks what a plan holds: its noises as one list, question after question.

The order is that of a training's beginning (`gan.training.beginning`): the table of records, what the warm start
asks of images, class shares, and last how strong detail is. The last is asked also where public images turn out to be
of another kind than the patients', and its answer then shapes nothing.
"""

from dataclasses import replace

from privgan.dp.plan import Plan
from privgan.gan.training.settings import TrainSettings
from privgan.records.schema import Schema


def is_told(settings: TrainSettings, schema: Schema) -> bool:
    """Whether records are asked for."""
    return bool(schema) and settings.records.measure


def questions(settings: TrainSettings, schema: Schema, *, prior: bool) -> int:
    """How many there are."""
    told = is_told(settings, schema)
    return told + len(settings.start_ratios(told=told, prior=prior)) + settings.class_balance.measure


def in_order(plan: Plan, settings: TrainSettings, *, told: bool) -> tuple[float, ...]:
    """The noises of a plan's questions as they are asked."""
    of_images = len(settings.start_ratios(told=told, prior=False))
    first, last = list(plan.warm_start[:of_images]), plan.warm_start[of_images:]
    if told:
        first.insert(_once_directions_are_known(settings), first.pop())
    return (*_there(plan.records), *first, *_there(plan.class_balance), *last)


def planned(listed: Plan, settings: TrainSettings, *, told: bool) -> Plan:
    """The inverse of `in_order`: the plan of which `listed` holds all noises in order as its warm start's."""
    rest = list(listed.warm_start)
    records = rest.pop(0) if told else None
    of_images = len(settings.start_ratios(told=told, prior=False))
    first, rest = rest[:of_images], rest[of_images:]
    if told:
        first.append(first.pop(_once_directions_are_known(settings)))
    balance = rest.pop(0) if settings.class_balance.measure else None
    return replace(listed, warm_start=(*first, *rest), records=records, class_balance=balance)


def _once_directions_are_known(settings: TrainSettings) -> int:
    """After how many questions about images it is asked what records do to them; plans have that one last."""
    return 1 + settings.warm_start.align + 1


def _there(noise: float | None) -> tuple[float, ...]:
    return () if noise is None else (noise,)
