"""What this question found: in a set that passes, and with hostile texts wherever one may come from outside."""

from tests.audits.hostile import ATTACK

PASSES = {
    "identifiers_found": 0,
    "by_category": {},
    "places": [],
    "files": 12,
    "structure": {},
    "not_as_audited": {},
    "validator_complaints": None,
    "unreadable_entries": 0,
    "midi_b": {},
    "known_identifiers": 40,
    "arrangement": {
        "class_shares_of": ["the members' images"],
        "labels": 2,
        "labels_of_one_member": 0,
        "order_correlation": -0.0123,
        "order_p": 0.62,
    },
    "lettering": {"synthetic": 0, "of_synthetic": 400, "members": 3, "of_members": 200},
}
HOSTILE = {"outcome": "not-run", "reason": ATTACK}
