"""What this question found: in a set that passes, and with hostile texts wherever one may come from outside."""

from tests.audits.hostile import SECRET

RANKS = {"members_before_non_member": {"1": 2}, "expected_when_safe": {"1": 2.0}}
PASSES = {
    "p": 0.3141,
    "spaces": {"pixels": {"p": 0.3141, **RANKS}},
    "look_alikes": {"hashes": {"bits": 3, "members": 4, "non_members": 1, "p": 0.3}},
}
HOSTILE = PASSES | {
    "p": SECRET,
    "spaces": {"pixels": {"p": SECRET, **RANKS}},
    "look_alikes": {"hashes": {"bits": 3, "members": 4, "non_members": 1, "p": SECRET}},
}
