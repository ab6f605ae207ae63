"""What this question found: in a set that passes, and with hostile texts wherever one may come from outside."""

from tests.audits.hostile import SECRET

PASSES = {
    "p": 0.2,
    "members_before_non_member": {"1": 2},
    "expected_when_safe": {"1": 2.0},
    "members_linked": 0.01,
    "non_members_linked": 0.01,
    "threshold_share": 0.001,
    "members_recognised": 0.0,
    "non_members_recognised": 0.0,
    "rare_share": 1e-5,
    "detector_auc": 0.97,
    "detector_recall": 0.5,
    "patients_with_several_images": 200,
}
HOSTILE = PASSES | {"p": SECRET, "members_linked": SECRET, "non_members_linked": 0.25}
