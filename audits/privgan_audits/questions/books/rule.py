"""T6 judged: a promise that its books do not carry is broken."""

import math
from collections.abc import Iterator

from privgan.language import kept
from privgan_audits.questions.bounds import distinct
from privgan_audits.questions.rule import Rule
from privgan_audits.record import Findings

_ROUNDING = 1e-5  # of the search for the filter's epsilon; a full cap must not look like more


def hard(f: Findings) -> Iterator[str]:
    """A check that does not hold, too large a total, or noise that can be replayed."""
    for name, true in f.table("checks").items():
        if true is not True:
            yield kept("The privacy claim does not hold: {check} is not so.", check=name.replace("_", " "))
    total = f.number("cohort_total_epsilon")
    if total > f.policy.max_epsilon:
        yield kept(
            "The cohort's ledger adds up to epsilon {epsilon}, above the policy's {limit}.",
            epsilon=distinct(total, f.policy.max_epsilon),
            limit=f"{f.policy.max_epsilon:g}",
        )
    if f.record.get("claim_not_private") is True:
        yield kept("The run was seeded for a test: its noise can be replayed and protects nobody.")


def inconclusive(f: Findings) -> Iterator[str]:
    """Nobody looked, or what is proven of all runs together is more than allowed."""
    if f.measured and not f.table("checks"):
        yield kept("The privacy claim was not checked.")
    drawn = f.number("images_drawn_again")
    if f.measured and not math.isnan(drawn) and not drawn >= f.count("synthetic"):
        yield kept(
            "Nobody knows whether the run's generator made these images: they were not all drawn again. Audit with "
            "--run, and with the SEED that 'privgan generate' left in the set; an older set has none and must "
            "be generated again."
        )
    proven = f.number("cohort_filter_epsilon")
    if proven > f.policy.max_epsilon + _ROUNDING:
        yield kept(
            "For runs that were chosen after others the Renyi filter is what is proven, and it gives epsilon "
            "{epsilon} for all runs on the cohort, above the policy's {limit}.",
            epsilon=distinct(proven, f.policy.max_epsilon),
            limit=f"{f.policy.max_epsilon:g}",
        )


RULE = Rule(
    needed=("claimed_epsilon", "cohort_total_epsilon", "cohort_filter_epsilon", "images_drawn_again"),
    may_not_apply=True,
    hard=hard,
    inconclusive=inconclusive,
)
