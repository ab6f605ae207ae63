"""What this question found: in a set that passes, and with hostile texts wherever one may come from outside."""

from tests.audits.hostile import ATTACK

PASSES = {
    "claimed_epsilon": 3.0,
    "recomputed_epsilon": 3.0,
    "cohort_total_epsilon": 3.0,
    "cohort_total_composition": "one run",
    "cohort_filter_epsilon": 3.0,
    "delta": 1e-5,
    "images_drawn_again": 4000,
    "pixels_rounded_otherwise": 0,
    "pixels_between_levels": 1,
    "checks": {"unit_is_the_patient": True, "epsilon_covers_the_ledger": True},
}
HOSTILE = PASSES | {
    "claimed_epsilon": 3.204,
    "recomputed_epsilon": 3.204,
    "cohort_total_epsilon": 3.204,
    "checks": {"unit_is_the_patient": True, ATTACK: False},
}
