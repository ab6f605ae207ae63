"""T3 judged: who was a member must not show, and the audit must have been able to see it."""

from collections.abc import Iterator, Sequence

from privgan.language import kept, to_tr
from privgan_audits.questions.bounds import above, proves_more_than_claimed
from privgan_audits.questions.rule import Entry, Rule, SafeSets
from privgan_audits.record import Findings

POWER = 2.49  # standard errors between "safe" and "seen": 80 % power at the one-sided 5 % level
_GUESSED = to_tr("The share of right guesses of membership (AUC) may be {value} where at most {limit} is allowed.")
_RECOGNISED = to_tr("Members recognised at 1 % false accusations may be {value} where at most {limit} is allowed.")
_SEEN = to_tr(
    "The smallest advantage in AUC that would surely have been seen is {value} where at most {limit} is allowed."
)


def statistical(f: Findings) -> Iterator[str]:
    """Membership shows, and by more than what is meaningless; or more than the claim permits."""
    convincing = f.number("auc_lower") > f.policy.fail_auc or f.number("tpr_lower") > f.policy.fail_tpr
    if f.is_rejected and convincing:
        yield kept(
            "Membership in the training data can be inferred from the synthetic set (p = {p}).",
            p=f"{f.number('p'):.2g}",
        )
    yield from proves_more_than_claimed(f)


def inconclusive(f: Findings) -> Iterator[str]:
    """Membership may show more than the policy allows, or would not have been seen."""
    yield from above(f, f.number("auc_upper"), f.policy.max_auc, _GUESSED)
    yield from above(f, f.number("tpr_upper"), f.policy.max_tpr, _RECOGNISED)
    yield from above(f, POWER * f.number("auc_se_when_safe"), f.policy.max_detectable_auc, _SEEN)


def safe(sets: SafeSets) -> Sequence[Entry]:
    """One attack that knows nothing."""
    from privgan_audits.questions.membership.statistic import safe_membership  # only who plans an audit needs it

    return safe_membership(sets.places, sets.members)


RULE = Rule(
    needed=("p", "auc_lower", "auc_upper", "auc_se_when_safe", "tpr_lower", "tpr_upper", "epsilon_lower_bound"),
    share=0.48,
    statistical=statistical,
    inconclusive=inconclusive,
    safe=safe,
)
