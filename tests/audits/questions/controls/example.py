"""What this question found: in a set that passes, and with hostile texts wherever one may come from outside."""

from tests.audits.hostile import ATTACK, SECRET

PASSES = {
    "split_p": 0.4,
    "split_auc": 0.5,
    "resplits": 200,
    "small_p_near_copies": 9,
    "small_p_membership": 11,
    "limit_of_detection": {
        "exact": 15,
        "flip": 16,
        "shift_6_percent": 17,
        "noise_4_percent": 18,
        "negative": None,
        "gamma_1_8": 21,
        "left_half": 19,
        "fine_detail": 24,
        "blend_30_percent": 21,
        "rotation_10_degrees": 25,
        "warp": None,
    },
    "copies_planted_at_most": 40,
    "kinds_left_out": {"moved images": 3},
    "groups": [
        {"column": "class", "value": "clear", "members": 812, "non_members": 401, "seen_from": 17},
        {"column": "site", "value": "north", "members": 14, "non_members": 6, "seen_from": None},
    ],
    "groups_left_out": [{"column": "site", "value": "south", "members": 3, "non_members": 1}],
    "further_groups_left_out": {"site": 7},
}
HOSTILE = PASSES | {
    "split_p": SECRET,
    "split_auc": SECRET,
    "small_p_near_copies": 11,
    "small_p_membership": 9,
    "limit_of_detection": {
        "exact": 11,
        "flip": 12,
        "shift_6_percent": 13,
        "noise_4_percent": 12,
        "negative": None,
        "gamma_1_8": 21,
        "left_half": 19,
        "fine_detail": 24,
        "blend_30_percent": 21,
        "rotation_10_degrees": 25,
    },
    "groups": [{"column": "class", "value": ATTACK, "members": 812, "non_members": 401, "seen_from": 17}],
    "groups_left_out": [{"column": ATTACK, "value": ATTACK, "members": 3, "non_members": 1}],
    "further_groups_left_out": {ATTACK: 7},
    "kinds_left_out": {ATTACK: 3},
}
