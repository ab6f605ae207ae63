"""What this question found: in a set that passes, and with hostile texts wherever one may come from outside."""

import numpy as np

from tests.audits.hostile import SECRET

_STEPS = np.geomspace(1e-3, 1.0, 30)
PASSES = {
    "p": 0.6,
    "auc": 0.51,
    "auc_interval": [0.48, 0.53],
    "auc_lower": 0.48,
    "auc_upper": 0.53,
    "auc_se_when_safe": 0.0137,
    "tpr_lower": 0.001,
    "tpr_upper": 0.03,
    "tpr": {},
    "precision": {},
    "attacks": {},
    "epsilon_lower_bound": 0.0,
    "largest_provable_epsilon": 4.0,
}
HOSTILE = PASSES | {
    "p": SECRET,
    "auc": SECRET,
    "auc_upper": 0.5301,
    "tpr_upper": 0.0234,
    "precision": {"0.01": SECRET},
    "tpr": {"1_percent": {"measured": SECRET, "low": 0.0, "high": 0.0234}},
    "attacks": {"classifier": {"auc": SECRET, "auc_se": 0.0137, "tpr_at_1_percent": SECRET}},
    "series": {
        "fpr": _STEPS.tolist(),
        "tpr": _STEPS.tolist(),
        "tpr_low": (_STEPS / 2).tolist(),
        "distances": {"edges": [0.5, 1.0, 1.5], "members": [SECRET, 0.4], "non_members": [0.5, 0.5]},
    },
}
