"""What this question found: in a set that passes, and with hostile texts wherever one may come from outside."""

from tests.audits.hostile import SECRET

PASSES = {
    "split_p": 0.4,
    "split_auc": 0.5,
    "resplits": 200,
    "small_p_near_copies": 9,
    "small_p_membership": 11,
    "limit_of_detection": {
        "exact": 15,
        "flip": 16,
        "shift_2_px": 17,
        "noise_2_percent": 18,
        "rotation_5_degrees": None,
    },
    "copies_planted_at_most": 40,
}
HOSTILE = PASSES | {
    "split_p": SECRET,
    "split_auc": SECRET,
    "small_p_near_copies": 11,
    "small_p_membership": 9,
    "limit_of_detection": {"exact": 11, "flip": 12, "shift_2_px": 13, "noise_2_percent": 12},
}
