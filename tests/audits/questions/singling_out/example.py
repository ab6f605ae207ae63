"""What this question found: in a set that passes, and with hostile texts wherever one may come from outside."""

from tests.audits.hostile import ATTACK, SECRET

PASSES = {
    "p": 0.4,
    "columns": ["class", "sex", "stage"],
    "members_alone": 31,
    "non_members_alone": 17,
    "members_met": 0.012,
    "non_members_met": 0.014,
    "advantage_interval": [-0.012, 0.008],
    "residual_risk": -0.002,
    "limit_of_detection": 12,
}
HOSTILE = PASSES | {"p": SECRET, "columns": ["class", ATTACK], "members_met": SECRET, "residual_risk": SECRET}
