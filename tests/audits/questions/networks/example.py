"""What this question found: in a set that passes, and with hostile texts wherever one may come from outside."""

from tests.audits.hostile import SECRET

_ATTACK = {"auc": 0.5, "auc_interval": [0.4, 0.6], "p": 0.5, "tpr": {}, "members": 1333, "non_members": 667}
PASSES = {
    "p": 0.02,
    "epsilon_lower_bound": 0.4,
    "largest_provable_epsilon": 4.0,
    "discriminator": _ATTACK,
    "inversion": {"not_measured": "there was no time"},
}
HOSTILE = PASSES | {
    "p": SECRET,
    "epsilon_lower_bound": 0.1,
    "discriminator": _ATTACK | {"auc": SECRET, "p": SECRET},
}
