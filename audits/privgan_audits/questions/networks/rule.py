"""T4 judged: the networks stay inside, so only what disproves the claim counts."""

from privgan_audits.questions.bounds import proves_more_than_claimed
from privgan_audits.questions.rule import Rule

RULE = Rule(
    needed=("epsilon_lower_bound",), may_be_absent=True, may_not_apply=True, statistical=proves_more_than_claimed
)
