"""What this question found: in a set that passes, and with hostile texts wherever one may come from outside."""

from tests.audits.hostile import ATTACK, SECRET

RANKS = {"members_before_non_member": {"1": 2}, "expected_when_safe": {"1": 2.0}}
PASSES = {
    "p": 0.3141,
    "spaces": {"pixels": {"p": 0.3141, **RANKS}},
    "look_alikes": {"hashes": {"bits": 3, "members": 4, "non_members": 1, "p": 0.3}},
    "groups": [{"column": "class", "value": "clear", "p": 0.4}, {"column": "age_band", "value": "old", "p": 0.21}],
}
HOSTILE = PASSES | {
    "p": SECRET,
    "spaces": {"pixels": {"p": SECRET, **RANKS}},
    "look_alikes": {"hashes": {"bits": 3, "members": 4, "non_members": 1, "p": SECRET}},
    "groups": [{"column": "class", "value": ATTACK, "p": SECRET}, {"column": ATTACK, "value": ATTACK, "p": 0.21}],
}
